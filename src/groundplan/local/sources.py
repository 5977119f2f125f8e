"""Fingerprints of code, so that an edit restarts what runs it and nothing else."""

from __future__ import annotations

import hashlib
import pathlib
import sys
from collections.abc import Iterable, Iterator, Sequence

_IGNORED = {"__pycache__", "tests"}


def fingerprints(modules: Iterable[str], folders: Sequence[pathlib.Path]) -> dict[str, str]:
    """A fingerprint for each module: its own package, and what its top package shares among all of `modules`.

    `folders` are searched before the interpreter's path. A module that is not found has an empty one: the
    process says so itself when it starts.
    """
    modules = sorted(modules)
    homes = {module: _home(module, folders) for module in modules}
    separate = [home for home in homes.values() if home is not None]
    return {module: _fingerprint(module, home, folders, separate) for module, home in homes.items()}


def _fingerprint(
    module: str, home: pathlib.Path | None, folders: Sequence[pathlib.Path], separate: list[pathlib.Path]
) -> str:
    if home is None:
        return ""
    top = _home(module.split(".")[0], folders) or home
    files = {file for file in _files(top) if not any(_within(file, other) for other in separate)}
    files |= set(_files(home))
    digest = hashlib.sha256()
    for file in sorted(files):
        status = file.stat()
        digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _home(module: str, folders: Sequence[pathlib.Path]) -> pathlib.Path | None:
    """The package's directory or the module's file."""
    relative = pathlib.Path(*module.split("."))
    for root in (*folders, *map(pathlib.Path, sys.path)):
        if (root / relative).is_dir():
            return root / relative
        if (root / relative.with_suffix(".py")).is_file():
            return root / relative.with_suffix(".py")
    return None


def _files(home: pathlib.Path) -> Iterator[pathlib.Path]:
    if home.is_file():
        yield home
        return
    for file in home.rglob("*"):
        if file.is_file() and not _IGNORED & set(file.relative_to(home).parts) and file.suffix != ".pyc":
            yield file


def _within(file: pathlib.Path, home: pathlib.Path) -> bool:
    return file == home or home in file.parents
