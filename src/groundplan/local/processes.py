"""What the operating system knows about processes: who lives, since when, who holds a port, how much memory.

Read from /proc; where there is none (macOS), from `ps` and `lsof`.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

PROC = Path("/proc")
HAS_PROC = (PROC / "self/stat").exists()
LISTEN = "0A"


class Stat(msgspec.Struct, frozen=True):
    """One line of /proc/PID/stat (proc(5)), as far as we need it."""

    pid: int
    name: str
    state: str
    parent: int
    group: int
    started: str
    """Clock ticks since boot, or a date on macOS: with the pid it names one process for good."""

    @property
    def alive(self) -> bool:
        """A zombie has ended; only its parent has not asked how."""
        return self.state not in ("Z", "X")


def stat(pid: int) -> Stat | None:
    """What runs as `pid` now."""
    if not HAS_PROC:
        return _stat_by_ps(pid)
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (OSError, ValueError):
        return None
    return _parsed(pid, text)


def _parsed(pid: int, text: str) -> Stat:
    # "123 (a) name) S 1 123 …": the name may hold spaces and parentheses, so split at the last one.
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return Stat(pid, name, fields[0], int(fields[1]), int(fields[2]), fields[19])


def _stat_by_ps(pid: int) -> Stat | None:
    columns = "state=,ppid=,pgid=,lstart=,comm="
    done = subprocess.run(["ps", "-o", columns, "-p", str(pid)], capture_output=True, text=True, check=False)
    fields = done.stdout.split()
    if done.returncode != 0 or len(fields) < 9:
        return None
    name = Path(" ".join(fields[8:])).name
    return Stat(pid, name, fields[0][0], int(fields[1]), int(fields[2]), " ".join(fields[3:8]))


def everyone() -> list[Stat]:
    """All processes (on Linux; none elsewhere)."""
    pids = [int(path.name) for path in PROC.iterdir() if path.name.isdigit()] if HAS_PROC else []
    return [found for pid in pids if (found := stat(pid))]


def boot() -> str:
    """Names this boot: pids and start times mean nothing in another one."""
    with contextlib.suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return ""


def family(pids: Iterable[int], all_processes: Iterable[Stat] | None = None) -> set[int]:
    """`pids` and all that descend from them."""
    members = set(pids)
    by_parent: dict[int, list[int]] = {}
    for found in everyone() if all_processes is None else all_processes:
        by_parent.setdefault(found.parent, []).append(found.pid)
    front = list(members)
    while front:
        children = [child for child in by_parent.get(front.pop(), ()) if child not in members]
        members.update(children)
        front.extend(children)
    return members


def memory(pids: Iterable[int]) -> int:
    """Bytes that these processes take: proportional (PSS) where the kernel tells, else resident (RSS)."""
    return sum(_memory(pid) for pid in pids)


def _memory(pid: int) -> int:
    for path, key in ((PROC / str(pid) / "smaps_rollup", "Pss:"), (PROC / str(pid) / "status", "VmRSS:")):
        with contextlib.suppress(OSError, StopIteration):
            line = next(line for line in path.read_text().splitlines() if line.startswith(key))
            return int(line.split()[1]) * 1024
    if HAS_PROC:
        return 0
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(done.stdout or 0) * 1024


class Listener(msgspec.Struct, frozen=True):
    """Who listens on a port; `pid` is None where that cannot be read."""

    port: int
    pid: int | None
    name: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.name})" if self.pid else "a process of another user"


class Table:
    """Who of some processes listens where, read once: looking up thirty ports must not read /proc thirty times."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._sockets = _sockets_by_port() if HAS_PROC else {}
        held = [_descriptors(PROC / str(pid)) for pid in pids] if self._sockets else []
        self._held = frozenset().union(*held)

    def holds(self, port: int) -> bool:
        """Does one of the processes listen on the loopback `port`?"""
        return any(f"socket:[{inode}]" in self._held for inode in self._sockets.get(port, ()))


def _sockets_by_port() -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for local, inode in _listening():
        if _is_local(local):
            found.setdefault(int(local.rpartition(":")[2], 16), set()).add(inode)
    return found


def listeners(port: int) -> tuple[Listener, ...]:
    """All that listen on the TCP `port`, on any address."""
    if not HAS_PROC:
        return _listeners_by_lsof(port)
    sockets = _listening_sockets(port)
    if not sockets:
        return ()
    owners = [(pid, found.name) for pid in _holders(sockets) if (found := stat(pid))]
    return tuple(Listener(port, pid, name) for pid, name in owners) or (Listener(port, None, ""),)


def _listening_sockets(port: int) -> set[str]:
    return _sockets_by_port().get(port, set())


def _listening() -> Iterator[tuple[str, str]]:
    """Local address and inode of each listening TCP socket."""
    # "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 …"
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for row in map(str.split, (PROC / "net" / table).read_text().splitlines()[1:]):
                if row[3] == LISTEN:
                    yield row[1], row[9]


def _is_local(local: str) -> bool:
    """Would ``0100007F:1F90`` stand in the way of the same port on 127.0.0.1?"""
    address = local.rpartition(":")[0]
    return not address.strip("0") or address.endswith("0100007F")


def _holders(sockets: set[str]) -> list[int]:
    wanted = {f"socket:[{inode}]" for inode in sockets}
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit() and wanted & _descriptors(path)]


def _descriptors(process: Path) -> set[str]:
    links: set[str] = set()
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                links.add(str(link.readlink()))
    return links


def _listeners_by_lsof(port: int) -> tuple[Listener, ...]:
    if shutil.which("lsof") is None:
        return ()
    command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    pids = [int(line[1:]) for line in lines if line.startswith("p")]
    names = [line[1:] for line in lines if line.startswith("c")]
    return tuple(Listener(port, pid, name) for pid, name in zip(pids, names, strict=False))
