"""Folders that hold what was emitted: only files that begin with our line are ever changed or deleted.

::

    TreeError
    └── Foreign     a file of somebody else's stands where one of ours must go
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping

HEADER = "# Written by `groundplan build`: change the plan instead. Without this line the file is yours.\n"


@dataclasses.dataclass(frozen=True)
class Mark:
    """How ours are told in a folder: by their first line, and by the patterns of what we write there at all."""

    header: str
    places: tuple[str, ...]


DEPLOY = Mark(HEADER, ("**/*.yaml", "Containerfile", "terraform/*.tfvars"))
DOCS = Mark(
    "<!-- Written by `groundplan docs`: change the plan instead. Without this line the file is yours. -->\n",
    ("*.md", "*.html", "*.svg"),
)


class TreeError(Exception):
    """The folder cannot be written."""


class Foreign(TreeError):
    """Files of somebody else's stand where ours must go."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        listed = "\n".join(f"  {path}" for path in paths)
        super().__init__(f"not written by groundplan, and in its way:\n{listed}\n    fix: move them elsewhere")


@dataclasses.dataclass(frozen=True)
class Changes:
    """How a folder differs from what it should hold: paths below it."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def compare(folder: pathlib.Path, files: Mapping[str, str], mark: Mark = DEPLOY) -> Changes:
    """What writing `files` into `folder` would change; raises TreeError."""
    try:
        return _compared(folder, files, mark)
    except OSError as error:
        raise TreeError(f"cannot read {error.filename or folder}: {error.strerror}") from error


def _compared(folder: pathlib.Path, files: Mapping[str, str], mark: Mark) -> Changes:
    found = [path for path in files if os.path.lexists(folder / path)]
    foreign = tuple(sorted(path for path in found if not _is_begun(folder / path, mark.header)))
    if foreign:
        raise Foreign(tuple(str(folder / path) for path in foreign))
    there = {path: (folder / path).read_bytes() for path in found}
    return Changes(
        added=tuple(sorted(path for path in files if path not in there)),
        changed=tuple(sorted(path for path, text in there.items() if text != (mark.header + files[path]).encode())),
        removed=tuple(sorted(_ours(folder, mark) - set(files))),
    )


def write(folder: pathlib.Path, files: Mapping[str, str], mark: Mark = DEPLOY) -> Changes:
    """Makes `folder` hold `files` and none of ours beside them; raises TreeError."""
    changes = compare(folder, files, mark)
    try:
        for parent in sorted({(folder / path).parent for path in changes.added}):
            parent.mkdir(parents=True, exist_ok=True)
        for path in (*changes.added, *changes.changed):
            # In place: should it be cut short, the next run sees that it differs, and mends it.
            (folder / path).write_text(mark.header + files[path], "utf-8")
        for path in changes.removed:
            (folder / path).unlink()
            _prune((folder / path).parent, folder)
    except OSError as error:
        raise TreeError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return changes


def is_kept(folder: pathlib.Path, mark: Mark) -> bool:
    """Whether `folder` has files of ours."""
    return bool(_ours(folder, mark))


def _ours(folder: pathlib.Path, mark: Mark) -> set[str]:
    places = (path for pattern in mark.places for path in folder.glob(pattern))
    return {str(path.relative_to(folder)) for path in places if _is_ours(path, mark.header)}


def _is_ours(path: pathlib.Path, header: str) -> bool:
    return _first(path, header) == header.encode()


def _is_begun(path: pathlib.Path, header: str) -> bool:
    """Ours, or cut short (a full disk, kill -9) before our line was written: it holds nothing of anybody's."""
    first = _first(path, header)
    return first is not None and header.encode().startswith(first)


def _first(path: pathlib.Path, header: str) -> bytes | None:
    """As many bytes as `header` has; None of what is no file of this folder: a link could lead us out of it."""
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(len(header.encode()))


def _prune(folder: pathlib.Path, top: pathlib.Path) -> None:
    """Removes folders that became empty."""
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
