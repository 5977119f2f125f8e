"""Supervisors as processes of their own, each with a data directory, each gone at the end of its test."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

import pytest

from tests.local import running


@pytest.fixture
def ground(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[running.Ground]:
    """A place where plans can be run."""
    # What checkouts of one user share must not be shared with the developer's own.
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with contextlib.closing(running.Ground(tmp_path / "data")) as made:
        yield made
