"""Folders of files that an engine writes while they are copied: a copy counts only when nothing changed meanwhile.

For engines that cannot be asked for a snapshot. Vault's file storage is one: HashiCorp's advice is to stop it, or to
use integrated storage, whose snapshots are exact (https://developer.hashicorp.com/vault/docs/concepts/storage). Here
the folder is read twice, and the copy stands when both readings agree, file by file and byte by byte: then it is the
state at the moment between them. A folder that never rests is refused, not copied torn.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil
import sqlite3
import tarfile
import time

from groundplan_runtime.backup.problems import BackupError

TRIES = 5
PAUSE = 2.0
"""Seconds before the next try."""
_SQLITE = b"SQLite format 3\0"
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")


def copy(data: pathlib.Path, archive: pathlib.Path) -> None:
    """Writes the files below `data` to the tar file `archive`; raises BackupError when they never rest."""
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE)
        before = fingerprint(data)
        if not before:
            raise BackupError(f"{data} is empty", "a backup that holds nothing would push out one that does")
        with contextlib.suppress(FileNotFoundError):  # one that went meanwhile: the next look sees it
            _written(data, archive)
            if before == fingerprint(data):
                return
    archive.unlink(missing_ok=True)
    raise BackupError(
        f"{data} changed while it was copied, {TRIES} times",
        "a copy of files that change meanwhile may not be readable",
        "stop the engine for the copy, or use a storage that can be asked for a snapshot",
    )


def fingerprint(data: pathlib.Path) -> dict[str, str]:
    """The checksum of each file below `data`."""
    found = {}
    for path in _files(data):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
            found[path.relative_to(data).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _files(data: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in data.rglob("*") if path.is_file() and not path.is_symlink())


def _written(data: pathlib.Path, archive: pathlib.Path) -> None:
    with tarfile.open(archive, "w") as target:
        for path in _files(data):
            target.add(path, path.relative_to(data).as_posix(), recursive=False)


def snapshot(data: pathlib.Path, archive: pathlib.Path) -> None:
    """As `copy`, for folders whose SQLite databases never rest: these are asked for a snapshot."""
    rested = archive.with_suffix(".rested")
    shutil.rmtree(rested, ignore_errors=True)
    for path in _files(data):
        copied = rested / path.relative_to(data)
        copied.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_sqlite(path):
            _backed_up(path, copied)
        elif not _is_beside_sqlite(path):
            shutil.copy2(path, copied)
    rested.mkdir(mode=0o700, parents=True, exist_ok=True)
    _written(rested, archive)
    shutil.rmtree(rested)


def _is_sqlite(path: pathlib.Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_SQLITE)) == _SQLITE


def _is_beside_sqlite(path: pathlib.Path) -> bool:
    ending = next((ending for ending in _BESIDE_SQLITE if path.name.endswith(ending)), "")
    owner = path.with_name(path.name.removesuffix(ending))
    return bool(ending) and owner.is_file() and _is_sqlite(owner)


def _backed_up(path: pathlib.Path, copied: pathlib.Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(copied)) as target,
    ):
        source.backup(target)


def put(archive: pathlib.Path, data: pathlib.Path) -> None:
    """Puts the files of `archive` into the folder `data`, in place of all that is there."""
    aside = data / ".restoring"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700, parents=True)
    try:
        with tarfile.open(archive) as source:
            # Nothing outside the folder, no links out of it, no devices (PEP 706).
            source.extractall(aside, filter="data")
    except (tarfile.TarError, OSError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise BackupError(f"{archive.name} cannot be unpacked", str(error)) from error
    for old in data.iterdir():
        if old != aside:
            _removed(old)
    for new in aside.iterdir():
        os.replace(new, data / new.name)  # noqa: PTH105  (a rename within one volume)
    aside.rmdir()


def _removed(path: pathlib.Path) -> None:
    if path.is_dir() and not path.is_symlink():
        if path.name != "lost+found":  # the file system's own, at the root of a volume
            shutil.rmtree(path)
    else:
        path.unlink()
