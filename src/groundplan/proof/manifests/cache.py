"""Decoded sources kept under the hash of their content, so that what has not changed is not parsed again.

Only sources without any finding are kept: then there is nothing to tell but the documents. A kept file that cannot be
read is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from groundplan.proof.manifests import documents, sources

VERSION = b"1"
"""Part of every hash: to be raised when decoding changes."""
LEAST = 16 * 1024
"""Bytes from which keeping a source pays."""
MOST = 500
"""Files that are kept; the ones used longest ago go."""


class _Kept(msgspec.Struct, array_like=True):
    data: dict[str, Any]
    index: int
    items: tuple[int, ...]
    line: int


def decode(source: documents.Source, folder: Path | None) -> documents.Read:
    """As `sources.decode`, from the folder where it holds it."""
    if folder is None or len(source.text) < LEAST:
        return sources.decode(source)
    file = folder / f"{hashlib.sha256(VERSION + source.text).hexdigest()}.json"
    found = _load(file, source)
    if found is None:
        found = sources.decode(source)
        if not found.findings:
            _keep(file, found)
    return found


def _load(file: Path, source: documents.Source) -> documents.Read | None:
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=list[_Kept])
        os.utime(file)
    except (OSError, msgspec.DecodeError):
        return None
    made = (documents.Document(each.data, source, each.index, each.items, each.line) for each in kept)
    return documents.Read(tuple(made), ())


def _keep(file: Path, read: documents.Read) -> None:
    kept = [_Kept(each.data, each.index, each.items, each.line) for each in read.documents]
    # A full or read-only disk costs time at the next run, and nothing else.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(kept))
        Path(name).replace(file)
        _prune(file.parent)


def _prune(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
    for each in files[:-MOST]:
        each.unlink(missing_ok=True)


def usual() -> Path:
    """Where the user's caches are."""
    top = os.environ.get("XDG_CACHE_HOME")
    return Path(top) / "groundplan" if top else Path.home() / ".cache" / "groundplan"
