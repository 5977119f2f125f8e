"""Loopback ports, one for each name, the same at every start.

A name's port is remembered in ``ports.json``. New ones come from 20000–29999, below the range from which
Linux takes ports for outgoing connections (32768–60999), so that no client of anything can sit on one.
Checkouts of one user also tell each other what they have taken (`_Neighbours`): a platform that is down
keeps its ports.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from groundplan.local import directory, errors, files, pids, processes

FIRST, LAST = 20000, 29999
STARTING = 20.0
"""Seconds from the choice of a port to the moment when something must listen on it."""


class Book:
    """The ports of one data directory. `changes` says, for people, where a port is not what was wished."""

    def __init__(self, path: Path, *, neighbours: Path | None = None) -> None:
        self._path = path
        self._neighbours = _Neighbours(neighbours or directory.short_directory() / "ports.json", path)
        self.changes: list[str] = []
        self._ours: set[int] | None = None
        self._table: processes.Table | None = None

    def take(self, name: str, wish: int | None = None) -> int:
        """The port for `name`: `wish` where that is free, else the one it had, else a new one."""
        with self._neighbours.locked(), _locked(self._path):
            known = self._read()
            port = self._choose(name, wish, known)
            if known.get(name) != port:
                self._write({**known, name: port})
            self._neighbours.claim({*known.values(), port})
            return port

    def _choose(self, name: str, wish: int | None, known: dict[str, int]) -> int:
        others = {port for owner, port in known.items() if owner != name}
        had = known.get(name)
        # While the platform runs its ports stay: moving one would restart what listens there.
        first, second = (had, wish) if self._family() else (wish, had)
        refused: dict[int, str] = {}
        for port in (first, second):
            if port is None or port in refused:
                continue
            ours = "another part of this platform" if port in others else None
            holder = ours or self._foreign(port) or self._neighbours.holder(port)
            if holder is None:
                return self._said(name, port, refused)
            refused[port] = holder
        return self._said(name, self._fresh(name, others), refused)

    def _said(self, name: str, port: int, refused: dict[int, str]) -> int:
        self.changes.extend(f"{name}: {taken} is taken by {by}: using {port}" for taken, by in refused.items())
        return port

    def _foreign(self, port: int) -> str | None:
        """Who holds `port`, in words; None when it is free, or ours."""
        if _is_free(port):
            return None
        if self._table is None:
            self._table = processes.Table(self._family())
        if self._table.holds(port):
            return None
        found = processes.listeners(port)
        if found and all(listener.pid in self._family() for listener in found):
            return None
        return str(found[0]) if found else "another process"

    def _family(self) -> set[int]:
        if self._ours is None:
            entries: pids.Entries = {}
            with contextlib.suppress(msgspec.DecodeError):
                entries = pids.read(self._path.with_name("pids.json"))
            self._ours = processes.family(pid for _, group in pids.survivors(entries).values() for pid in group)
        return self._ours

    def _fresh(self, name: str, others: set[int]) -> int:
        taken = others | self._neighbours.taken()
        size = LAST - FIRST + 1
        start = int.from_bytes(hashlib.sha256(f"{self._path}:{name}".encode()).digest()[:4], "big")
        ports = (FIRST + (start + step) % size for step in range(size))
        found = next((port for port in ports if port not in taken and _is_free(port)), None)
        if found is None:
            raise errors.PortTaken(f"no free port between {FIRST} and {LAST} for {name}", fix="stop what listens there")
        return found

    def _read(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError:
            aside = files.set_aside(self._path)
            self.changes.append(f"ports.json was unreadable; kept as {aside.name}, ports are chosen anew")
            return {}
        except OSError as error:
            raise errors.from_os(error, f"read {self._path}") from error

    def _write(self, known: dict[str, int]) -> None:
        files.replace(self._path, msgspec.json.format(msgspec.json.encode(known)))


class _Claim(msgspec.Struct, frozen=True):
    """What one checkout has taken, and when it last looked for ports (seconds since the epoch)."""

    ports: tuple[int, ...]
    at: float


class _Neighbours:
    """What all checkouts of this user have taken: claims by the path of their ports.json."""

    def __init__(self, path: Path, mine: Path) -> None:
        self._path, self._mine = path, str(mine)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with _locked(self._path):
            yield

    def taken(self) -> set[int]:
        """Ports of the others that still exist."""
        return {port for claim in self._others().values() for port in claim.ports}

    def holder(self, port: int) -> str | None:
        """The platform that has `port` now, or will in a moment: it runs, or was prepared within STARTING seconds.

        A free port is not enough: two that start at once would both find it free, and replicas share ports
        (SO_REUSEPORT), so both would listen and each get some of the other's calls.
        """
        for path, claim in self._others().items():
            starting = time.time() - claim.at < STARTING
            if port in claim.ports and (starting or directory.is_locked(directory.Directory(Path(path).parent))):
                return f"the platform in {Path(path).parent}"
        return None

    def claim(self, ports: set[int]) -> None:
        known, now = self._read(), time.time()
        former = known.get(self._mine)
        if former is not None and set(former.ports) == ports and now - former.at < STARTING / 4:
            return
        living = {path: claim for path, claim in known.items() if Path(path).exists()}
        files.replace(self._path, msgspec.json.encode({**living, self._mine: _Claim(tuple(sorted(ports)), now)}))

    def _others(self) -> dict[str, _Claim]:
        return {path: claim for path, claim in self._read().items() if path != self._mine and Path(path).exists()}

    def _read(self) -> dict[str, _Claim]:
        # A hint for others, rebuilt by each of us at its next start: garbage in it is dropped.
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Claim])
        except (FileNotFoundError, msgspec.DecodeError):
            return {}


def _is_free(port: int) -> bool:
    # SO_REUSEADDR, or a port whose last connections are in TIME_WAIT would count as taken; `listen`, because
    # with it two sockets may be bound and only one may listen.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
        return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    # On the directory: a lock file beside it would be one more thing to leave behind.
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise errors.from_os(error, f"open {path.parent}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
