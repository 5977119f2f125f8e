"""`groundplan new` writes a platform that runs at once, and nothing where it must not."""

from __future__ import annotations

import errno
import os
import pathlib
import subprocess
import sys

import pytest

from groundplan import scaffold

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


def test_a_full_disk_leaves_a_folder_that_can_be_tried_again(tmp_path, monkeypatch):
    def full(template: str, *_: str) -> str:
        if template == "app.py.txt":
            raise OSError(errno.ENOSPC, "No space left on device")
        return template

    with monkeypatch.context() as patch:
        patch.setattr(scaffold, "_filled", full)
        with pytest.raises(OSError, match="No space"):
            scaffold.write(tmp_path / "shop")
    assert (tmp_path / "shop" / "plan.py") in scaffold.write(tmp_path / "shop")


CLUSTER_VERBS = (
    "build", "check", "docs", "reach .", "images", "images lock", "runbook --environment live",
    "deploy --environment live", "status --environment live", "diff --environment live",
    "vault bootstrap --environment live --keys-to -", "seal --environment live",
)  # fmt: skip


def test_a_platform_without_a_cluster_is_told_how_to_get_one(tmp_path):
    assert groundplan("groundplan", "new", "shop", cwd=tmp_path).returncode == 0
    for verb in CLUSTER_VERBS:
        told = groundplan("groundplan", *verb.split(), cwd=tmp_path / "shop")
        assert (told.returncode, told.stdout) == (2, ""), verb
        assert "GP303 shop has no cluster to build for" in told.stderr, verb
        assert 'plan.environment("production"' in told.stderr
