"""The register of our children, on disk, so that a later supervisor can collect what a killed one left.

A pid alone may belong to somebody else by then; with its start time and the boot it names one process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import msgspec

from groundplan.local import errors, files, processes


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One child, leader of the process group of the same number."""

    pid: int
    started: str
    boot: str
    signal: str = "SIGTERM"
    grace: float = 5.0


Entries = dict[str, Entry]


class Register:
    """Children by instance name, written through to `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: Entries = {}
        self._boot = processes.boot()

    def add(self, name: str, pid: int, *, stop_signal: str, grace: float) -> None:
        """Remembers a child that has just started; raises DiskFull and its kin."""
        found = processes.stat(pid)
        if found is None:
            return  # It has ended already.
        self._entries[name] = Entry(pid=pid, started=found.started, boot=self._boot, signal=stop_signal, grace=grace)
        self._save()

    def remove(self, name: str) -> None:
        """Forgets a child that has ended. A full disk is no reason to fail here: a dead pid does no harm."""
        if self._entries.pop(name, None) is not None:
            with contextlib.suppress(errors.LocalError):
                self._save()

    def pids(self) -> set[int]:
        return {entry.pid for entry in self._entries.values()}

    def clear(self) -> None:
        """Removes the file: nothing of ours runs."""
        self._path.unlink(missing_ok=True)

    def _save(self) -> None:
        files.replace(self._path, msgspec.json.encode(self._entries))


def read(path: Path) -> Entries:
    """What was registered; raises msgspec.DecodeError on garbage."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Entries)
    except FileNotFoundError:
        return {}


def survivors(entries: Entries) -> dict[str, tuple[Entry, tuple[int, ...]]]:
    """Of `entries`, those of which processes still run, with these processes' pids."""
    everyone = [found for found in _candidates(entries) if found.alive]
    boot = processes.boot()
    found = {name: (entry, _group(entry, everyone)) for name, entry in entries.items() if entry.boot == boot}
    return {name: (entry, group) for name, (entry, group) in found.items() if group}


def _candidates(entries: Entries) -> list[processes.Stat]:
    if processes.HAS_PROC:
        return processes.everyone()
    return [found for entry in entries.values() if (found := processes.stat(entry.pid))]


def _group(entry: Entry, everyone: list[processes.Stat]) -> tuple[int, ...]:
    leader = next((found for found in everyone if found.pid == entry.pid), None)
    if leader is not None and leader.started != entry.started:
        return ()  # The number went to another process, so the whole group had gone before.
    return tuple(found.pid for found in everyone if found.group == entry.pid and _not_older(found, entry))


def _not_older(found: processes.Stat, entry: Entry) -> bool:
    if found.started.isdigit() and entry.started.isdigit():
        return int(found.started) >= int(entry.started)
    return True


def collect(path: Path) -> tuple[str, ...]:
    """Ends what a killed supervisor left behind; returns messages, one for each instance."""
    try:
        left = survivors(read(path))
    except msgspec.DecodeError:
        aside = files.set_aside(path)
        return (f"pids.json was unreadable; kept as {aside.name}. Processes of an earlier run may still be there.",)
    except OSError as error:
        raise errors.from_os(error, f"read {path}") from error
    _end(list(left.values()))
    path.unlink(missing_ok=True)
    return tuple(
        f"{name}: left by an earlier supervisor (pid {entry.pid}): stopped" for name, (entry, _) in left.items()
    )


def _end(left: list[tuple[Entry, tuple[int, ...]]]) -> None:
    leaders = [entry for entry, group in left if entry.pid in group]
    for entry in leaders:
        _send(entry.pid, signal.Signals[entry.signal])
    deadline = time.monotonic() + max((entry.grace for entry in leaders), default=0)
    while any(_lives(entry.pid) for entry in leaders) and time.monotonic() < deadline:
        time.sleep(0.02)
    for _, group in left:
        for pid in group:
            _send(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    found = processes.stat(pid)
    return found is not None and found.alive


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
