"""The manifest of a backup: what is in it, made by what, when; and whether the files beside it are these."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import pathlib
import re
from typing import Any

from groundplan_runtime.backup.problems import BackupError

NAME = "manifest.json"
FORMAT = 1
STAMP = "%Y%m%dT%H%M%SZ"
_STAMP = re.compile(r"\d{8}T\d{6}Z")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a backup; `size` in bytes, `sha256` in hexadecimal digits."""

    name: str
    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """One backup of one resource."""

    resource: str
    stamp: str
    """When it was begun, in UTC: ``20261121T030000Z``. All that was committed before is in it."""
    ended: str
    engine: str
    """What wrote the dumps, as it says itself: ``PostgreSQL 15.8``."""
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def stamp(moment: datetime.datetime) -> str:
    """A moment as backups are named by it."""
    return moment.astimezone(datetime.UTC).strftime(STAMP)


def is_stamp(text: str) -> bool:
    return bool(_STAMP.fullmatch(text))


def moment(text: str) -> str:
    """The stamp that somebody's ``--at`` means: a stamp, or ISO 8601, in UTC where it says no zone."""
    if is_stamp(text):
        return text
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise BackupError(
            f"{text!r} is no moment", fix="write 2026-11-21T03:00:00Z, or a stamp: 20261121T030000Z"
        ) from None
    return stamp(found if found.tzinfo else found.replace(tzinfo=datetime.UTC))


def of_file(path: pathlib.Path) -> File:
    """Size and checksum of the file at `path`."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return File(path.name, path.stat().st_size, digest)


def encoded(manifest: Manifest) -> bytes:
    """The manifest's text, sealed: a changed byte of it is noticed too."""
    body = {"format": FORMAT, **dataclasses.asdict(manifest)}
    return json.dumps({**body, "seal": _seal(body)}, indent=1).encode() + b"\n"


def decoded(content: bytes, where: str) -> Manifest:
    """The manifest in `content`, found at `where`; raises BackupError for anything else."""
    try:
        found = json.loads(content)
        seal = found.pop("seal")
        if found["format"] != FORMAT:
            raise _damaged(where, f"its format is {found['format']!r}, and this program reads {FORMAT}")
        if seal != _seal(found):
            raise _damaged(where, "its seal does not fit its content")
        files = tuple(_file(each) for each in found["files"])
        said = {name: str(found[name]) for name in ("resource", "stamp", "ended", "engine")}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise _damaged(where, f"it is no manifest: {error}") from None
    return Manifest(**said, files=files)


def _file(found: dict[str, Any]) -> File:
    name = str(found["name"])
    if not _FILE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file in a backup")
    return File(name, int(found["size"]), str(found["sha256"]))


def _seal(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _damaged(where: str, why: str) -> BackupError:
    return BackupError(f"{where} is damaged", why, "take another backup: `list` shows them, `--at` chooses")


def verify(manifest: Manifest, folder: pathlib.Path, where: str) -> None:
    """Raises BackupError, naming the file, unless every file lies in `folder` just as it was written."""
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file():
            raise _damaged(f"{where}/{file.name}", "it is not there")
        found = of_file(path)
        if found.size != file.size:
            raise _damaged(f"{where}/{file.name}", f"it has {found.size} bytes, and had {file.size} when it was made")
        if found.sha256 != file.sha256:
            raise _damaged(
                f"{where}/{file.name}", f"its SHA-256 is {found.sha256[:12]}…, and was {file.sha256[:12]}… when made"
            )


def unreadable_by(written: str, reader: str) -> str:
    """Why `reader` ("PostgreSQL 15") cannot read what `written` ("PostgreSQL 18.6") wrote; empty where it can.

    A newer server reads an older one's dump, never the other way round. Valkey reads what Redis up to 7.2 wrote
    (https://valkey.io/topics/migration/), and neither reads what the other wrote since.
    """
    (theirs, their_version), (ours, our_version) = _product(written), _product(reader)
    if not ours or not theirs:
        return ""
    if theirs == ours:
        return f"{reader} cannot read what {written} wrote" if their_version > our_version else ""
    if (theirs, ours) == ("Redis", "Valkey") and their_version <= 7:
        return ""
    return f"{reader} cannot read what {written} wrote"


def _product(text: str) -> tuple[str, int]:
    found = re.match(r"(\w+)\D*(\d+)?", text)
    return (found[1], int(found[2] or 0)) if found else ("", 0)
