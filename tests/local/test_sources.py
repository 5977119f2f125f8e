"""An edit restarts what runs the code, and nothing else."""

from __future__ import annotations

import os
import pathlib

import pytest

from groundplan.local import sources

MODULES = ("shop.web", "shop.cart", "shop.cart.migrations", "lonely")


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in ("shop/__init__.py", "shop/common/money.py", "shop/web/app.py", "shop/cart/app.py",
                 "shop/cart/migrations/0001_x.up.sql", "lonely.py"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    return tmp_path


def changed(home: pathlib.Path, edited: str) -> set[str]:
    """The modules whose fingerprint differs after an edit."""
    before = sources.fingerprints(MODULES, (home,))
    file = home / edited
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("y = 22\n")
    os.utime(file, ns=(1, 1))
    after = sources.fingerprints(MODULES, (home,))
    return {module for module in MODULES if before[module] != after[module]}


@pytest.mark.parametrize(
    ("edited", "restarted"),
    [
        ("shop/web/app.py", {"shop.web"}),
        ("shop/web/new.py", {"shop.web"}),
        ("shop/cart/migrations/0001_x.up.sql", {"shop.cart", "shop.cart.migrations"}),
        ("shop/common/money.py", {"shop.web", "shop.cart", "shop.cart.migrations"}),
        ("shop/tests/test_x.py", set()),
        ("shop/web/__pycache__/app.cpython-311.pyc", set()),
        ("lonely.py", {"lonely"}),
    ],
)
def test_an_edit_changes_the_fingerprint_of_what_runs_it(home, edited, restarted):
    assert changed(home, edited) == restarted


def test_a_module_that_is_nowhere_has_none(home):
    assert sources.fingerprints(("nowhere.at.all",), (home,)) == {"nowhere.at.all": ""}
