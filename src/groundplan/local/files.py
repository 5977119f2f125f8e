"""Files written whole or not at all, with their mode from the first byte."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from groundplan.local import errors
from groundplan.local.plan import units


def write(files: Iterable[units.File]) -> tuple[str, ...]:
    """Writes those that differ from what is there; returns their paths."""
    return tuple(file.path for file in files if _write(file))


def _write(file: units.File) -> bool:
    path = Path(file.path)
    content = file.content.encode()
    if _stands(path, content, file.mode):
        return False
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise errors.from_os(error, f"make {path.parent}") from error
    replace(path, content, file.mode)
    return True


def _stands(path: Path, content: bytes, mode: int) -> bool:
    try:
        return path.stat().st_mode & 0o7777 == mode and path.read_bytes() == content
    except OSError:
        return False


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Puts `content` at `path` atomically; a reader sees the old file or the new one."""
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(content)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise errors.from_os(error, f"write {path}") from error


def set_aside(path: Path) -> Path:
    """Moves an unreadable file out of the way without deleting it; returns where it went."""
    count = 1
    while (aside := path.with_name(f"{path.name}.unreadable-{count}")).exists():
        count += 1
    path.rename(aside)
    return aside
