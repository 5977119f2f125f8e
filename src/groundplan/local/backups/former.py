"""What was there before a restore, kept aside until it has ended, so that one that dies half way changes nothing.

::

    restoring/
      lock        held while a restore goes on
      moving      what is being moved to former/; renamed to
      begun       once all of it has been, and from here on replaced
      former/     what was in them
      fetched/    the backup, copied and verified
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from groundplan.local import client, directory, errors, files, protocol


def folder(place: directory.Directory) -> Path:
    return place.root / "restoring"


@contextlib.contextmanager
def alone(place: directory.Directory) -> Iterator[None]:
    """While the block runs nobody else restores here; what a dead restore left is taken back before.

    Raises AlreadyRunning.
    """
    base = folder(place)
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise errors.from_os(error, f"make {base}") from error
    try:
        _lock(descriptor, place)
        if is_unfinished(place):
            _end_engines(place)
        _take_back(place)
        yield
        shutil.rmtree(base, ignore_errors=True)
    finally:
        os.close(descriptor)


def is_unfinished(place: directory.Directory) -> bool:
    """Whether a restore has begun to replace what is here."""
    return any((folder(place) / name).exists() for name in ("moving", "begun"))


def _end_engines(place: directory.Directory) -> None:
    """Ends the supervisor of a restore that was killed: it works on folders that are about to go."""
    if client.is_running(place):
        client.result(client.ask(place, protocol.Down()))
        client.wait_gone(place)


def _lock(descriptor: int, place: directory.Directory) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise errors.AlreadyRunning(
            f"a restore into {place.root} is under way", fix="wait until it has ended"
        ) from None


def taken_back(place: directory.Directory) -> tuple[str, ...]:
    """For whoever starts the platform: takes back what a dead restore began, and says so. Raises AlreadyRunning."""
    if not is_unfinished(place):
        return ()
    with alone(place):
        return ("a restore had not ended: what was here before it is back",)


@contextlib.contextmanager
def aside(place: directory.Directory, paths: Sequence[str]) -> Iterator[None]:
    """Moves `paths` (below the data directory) aside while the block replaces them; moves them back when it fails."""
    base = folder(place)
    try:
        files.replace(base / "moving", "\n".join(paths).encode())
        for path in paths:
            if (place.root / path).exists():
                (base / "former" / path).parent.mkdir(parents=True, exist_ok=True)
                (place.root / path).rename(base / "former" / path)
        (base / "moving").rename(base / "begun")
        yield
    except BaseException as error:
        _take_back(place)
        if isinstance(error, OSError):
            raise errors.from_os(error, f"replace what is in {place.root}") from error
        raise
    (base / "begun").unlink()


def _take_back(place: directory.Directory) -> None:
    base = folder(place)
    for name in ("begun", "moving"):
        if not (base / name).exists():
            continue
        for path in (base / name).read_text().splitlines():
            former = base / "former" / path
            # While they are being moved, what has not been moved yet is still the original.
            if former.exists() or name == "begun":
                shutil.rmtree(place.root / path, ignore_errors=True)
            if former.exists():
                former.rename(place.root / path)
        (base / name).unlink()
    for rest in ("former", "fetched"):
        shutil.rmtree(base / rest, ignore_errors=True)
