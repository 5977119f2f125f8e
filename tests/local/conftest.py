"""Supervisors as processes of their own, each with a data directory, each gone at the end of its test."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator

import pytest

from tests.local import running


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """A runtime directory of the test's own: what checkouts of one user share is not shared with the developer's."""
    with tempfile.TemporaryDirectory(prefix="gp-", dir="/tmp") as made:  # Short: sockets may lie in it.
        monkeypatch.setenv("XDG_RUNTIME_DIR", made)
        yield pathlib.Path(made)


@pytest.fixture
def ground(tmp_path: pathlib.Path, runtime: pathlib.Path) -> Iterator[running.Ground]:
    """A place where plans can be run."""
    with contextlib.closing(running.Ground(tmp_path / "data")) as made:
        yield made
