"""What can go wrong on this machine, as one small tree.

LocalError
├── AlreadyRunning        another supervisor holds the data directory
├── NotRunning            no supervisor answers
├── DirectoryUnusable     the data directory cannot be made, written or read
│   └── DiskFull
├── NotStarted            a command is missing, or this machine cannot run it
├── PortTaken             somebody else listens where a unit must
├── PlanUnusable          units that wait for each other or for nobody
└── UnknownName           no unit of that name
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """An error as it crosses the control socket or leaves in ``--json``."""

    kind: str
    what: str
    why: str = ""
    fix: str = ""


class LocalError(Exception):
    """Says what failed, why, and what to do about it."""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        return "\n".join(
            [self.what, *(f"      {line}" for line in (self.why, self.fix and f"fix: {self.fix}") if line)]
        )

    def message(self) -> Message:
        """The same, as data."""
        return Message(kind=type(self).__name__, what=self.what, why=self.why, fix=self.fix)


class AlreadyRunning(LocalError): ...


class NotRunning(LocalError): ...


class DirectoryUnusable(LocalError): ...


class DiskFull(DirectoryUnusable): ...


class NotStarted(LocalError): ...


class PortTaken(LocalError): ...


class PlanUnusable(LocalError): ...


class UnknownName(LocalError): ...


KINDS = (
    LocalError,
    AlreadyRunning,
    NotRunning,
    DirectoryUnusable,
    DiskFull,
    NotStarted,
    PortTaken,
    PlanUnusable,
    UnknownName,
)


def revived(message: Message) -> LocalError:
    """The error that `message` was made of."""
    kind = next((kind for kind in KINDS if kind.__name__ == message.kind), LocalError)
    return kind(message.what, why=message.why, fix=message.fix)


def from_os(error: OSError, doing: str) -> LocalError:
    """An OSError in words; `doing` is what failed: "write /…/pids.json"."""
    why = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"cannot {doing}: the disk is full", why=why, fix="free some space, or use another place: --data DIR"
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return DirectoryUnusable(
            f"cannot {doing}: not writable", why=why, fix="make it writable, or use another place: --data DIR"
        )
    return DirectoryUnusable(f"cannot {doing}", why=why, fix="use another place: --data DIR")


def unknown(names: Iterable[str], known: Iterable[str]) -> UnknownName:
    """For names that no unit has, with the likely ones."""
    known, names = sorted(known), list(names)
    close = sorted({match for name in names for match in difflib.get_close_matches(name, known, n=2)})
    fix = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(known) or 'none'}"
    return UnknownName(f"unknown: {', '.join(names)}", fix=fix)
