"""Backups of a whole platform on disk: a folder each, which comes into place by one rename.

::

    20261121T155812Z/
      backup.json                                   which parts, by which platform
      postgres/20261121T155812Z/manifest.json, …    as in a cluster's place
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from groundplan.local import errors, files

NAME = "backup.json"
_STAMP_LENGTH = len("20261121T155812Z")


class Set(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of."""

    platform: str
    version: str
    stamp: str
    parts: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Found:
    """A set and its folder."""

    path: Path
    set: Set


@contextlib.contextmanager
def begun(folder: Path, stamp: str) -> Iterator[Path]:
    """A folder beside the sets in which one is made, gone afterwards; rests of runs that died are removed.

    Raises AlreadyRunning while somebody else makes one there.
    """
    with _alone(folder):
        made = _made(folder, stamp)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise errors.from_os(error, f"make a backup in {folder}") from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise errors.AlreadyRunning(f"a backup is being made in {folder}", fix="wait until it has ended") from None


def _made(folder: Path, stamp: str) -> Path:
    try:
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text("*\n")  # it holds secrets
        for rest in folder.glob(".*.part"):
            shutil.rmtree(rest)
        made = folder / f".{stamp}.part"
        made.mkdir(mode=0o700)
    except OSError as error:
        raise errors.from_os(error, f"make a backup in {folder}") from error
    return made


def finish(made: Path, described: Set) -> Path:
    """Puts a finished set into place; returns its path."""
    files.replace(made / NAME, msgspec.json.format(msgspec.json.encode(described)))
    path = made.with_name(described.stamp)
    if path.exists():
        raise errors.LocalError(f"{path} is there already", why="a backup of the same second", fix="start it again")
    made.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def all_in(folder: Path) -> tuple[Found, ...]:
    """The sets in `folder`, the oldest first; or `folder` itself, where it is one. Raises LocalError."""
    if (folder / NAME).is_file():
        return (_read(folder),)
    if not folder.is_dir():
        raise errors.LocalError(f"there is no folder {folder}", fix="make a backup: groundplan backup --to DIR")
    found = [path for path in folder.iterdir() if len(path.name) == _STAMP_LENGTH and (path / NAME).is_file()]
    return tuple(_read(path) for path in sorted(found))


def _read(path: Path) -> Found:
    try:
        return Found(path, msgspec.json.decode((path / NAME).read_bytes(), type=Set))
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise errors.LocalError(
            f"{path / NAME} is damaged", why=str(error), fix="move that folder away and take another: --at chooses"
        ) from error


def chosen(folder: Path, platform: str, at: str) -> Found:
    """The newest set, not after `at` (a stamp) where given. Raises LocalError when there is none, or of another."""
    found = all_in(folder)
    wanted = [each for each in found if not at or each.set.stamp <= at]
    if not wanted:
        stamps = ", ".join(each.set.stamp for each in found)
        why = f"there are: {stamps}" if stamps else f"{folder} holds none"
        raise errors.LocalError(f"no backup{f' as old as {at}' if at else ''}", why=why)
    newest = wanted[-1]
    if newest.set.platform != platform:
        raise errors.LocalError(
            f"{newest.path} is a backup of {newest.set.platform}, not of {platform}", fix="say another --from"
        )
    return newest


def prune(folder: Path, platform: str, keep: int) -> tuple[Path, ...]:
    """Removes all sets of `platform` but the last `keep` (at least one); returns what went."""
    own = [each.path for each in all_in(folder) if each.set.platform == platform]
    going = own[: -max(1, keep)]
    for path in going:
        (path / NAME).unlink()  # first: half a set must not look whole
        shutil.rmtree(path)
    return tuple(going)
