"""`groundplan new` writes a platform that runs at once, and nothing where it must not."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

BIN = pathlib.Path(sys.executable).parent


def groundplan(*words: str, cwd: pathlib.Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_first_platforms_own_test_passes(tmp_path):
    assert groundplan("groundplan", "new", "my-shop", cwd=tmp_path).returncode == 0
    told = groundplan("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "my-shop")
    assert "1 passed" in told.stdout, told.stdout + told.stderr


@pytest.mark.parametrize("name", ["Shop", "2nd", "my_shop", "x" * 60])
def test_a_name_that_kubernetes_refuses_writes_nothing(tmp_path, name):
    told = groundplan("groundplan", "new", name, cwd=tmp_path)
    assert told.returncode == 2
    assert "cannot be a platform's name" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine.txt").write_text("mine")
    told = groundplan("groundplan", "new", "shop", cwd=tmp_path)
    assert told.returncode == 2
    assert "not empty" in told.stderr
    assert [file.name for file in (tmp_path / "shop").iterdir()] == ["mine.txt"]
