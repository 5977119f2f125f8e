"""Fingerprints of code, so that an edit restarts what runs it and nothing else."""

from __future__ import annotations

import hashlib
import os
import pathlib
import sys
from collections.abc import Iterable, Sequence

_IGNORED = {"__pycache__", "tests"}


def fingerprints(modules: Iterable[str], folders: Sequence[pathlib.Path]) -> dict[str, str]:
    """A fingerprint for each module: its own package, and what its top package shares among all of `modules`.

    `folders` are searched before the interpreter's path. A module that is not found has an empty one: the
    process says so itself when it starts.
    """
    modules = sorted(modules)
    homes = {module: _home(module, folders) for module in modules}
    tops = {module.split(".")[0] for module, home in homes.items() if home is not None}
    files = {top: _states(_home(top, folders)) for top in tops}
    own = {module: str(home) for module, home in homes.items() if home is not None}
    separate = tuple(f"{home}{os.sep}" for home in own.values()) + tuple(own.values())
    return {
        module: _fingerprint(files[module.split(".")[0]], own[module], separate) if module in own else ""
        for module in modules
    }


def _fingerprint(files: dict[str, str], home: str, separate: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for path, state in files.items():
        mine = path == home or path.startswith(f"{home}{os.sep}")
        if mine or not path.startswith(separate):
            digest.update(f"{path} {state}\n".encode())
    return digest.hexdigest()[:16]


def _states(home: pathlib.Path | None) -> dict[str, str]:
    """Size and time of change of every file below `home`, by path, in order."""
    if home is None:
        return {}
    if home.is_file():
        return {str(home): _state(home.stat())}
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(home):
        folders[:] = sorted(set(folders) - _IGNORED)
        for name in sorted(names):
            if not name.endswith(".pyc"):
                path = os.path.join(folder, name)  # noqa: PTH118  (a thousand files at every start)
                found[path] = _state(os.stat(path))  # noqa: PTH116
    return found


def _state(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns}"


def _home(module: str, folders: Sequence[pathlib.Path]) -> pathlib.Path | None:
    """The package's directory or the module's file."""
    relative = pathlib.Path(*module.split("."))
    for root in (*folders, *map(pathlib.Path, sys.path)):
        if (root / relative).is_dir():
            return root / relative
        if (root / relative.with_suffix(".py")).is_file():
            return root / relative.with_suffix(".py")
    return None
