"""How a resource is backed up, or why it is not; where backups go; and what a backup and a restore run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from groundplan.shapes import processes


@dataclasses.dataclass(frozen=True)
class Daily:
    """Once a day at `at` (UTC, HH:MM), the last `keep` kept."""

    keep: int
    at: str = "03:00"


@dataclasses.dataclass(frozen=True)
class NoBackup:
    """Nothing is backed up, because."""

    reason: str


Backup = Daily | NoBackup
UNASKED = NoBackup("none was asked for: backup=daily(keep=14) asks")


def daily(*, keep: int, at: str = "03:00") -> Daily:
    """A backup a day at `at` (UTC, HH:MM), the last `keep` kept."""
    return Daily(keep=keep, at=at)


@dataclasses.dataclass(frozen=True)
class Volume:
    """Backups lie on volumes of the cluster, one of this size for each resource: what destroys it destroys them too."""

    storage: str


@dataclasses.dataclass(frozen=True)
class ObjectStore:
    """Backups lie in a bucket that speaks S3's API, below `prefix`, one folder a resource.

    `endpoint` is ``https://host[:port]``. `cidrs` are its addresses: a network policy knows no names; without them
    `wider_ok` is the reason why every public address may be open on its port. The account is a secret at
    ``backup/RESOURCE-account``, one for each resource: ``{"access_key_id": "…", "secret_access_key": "…"}``.
    """

    endpoint: str
    bucket: str
    region: str = "us-east-1"
    prefix: str = ""
    cidrs: Sequence[str] = ()
    wider_ok: str = ""


Place = Volume | ObjectStore | NoBackup
"""Where an environment keeps its backups, or why it keeps none."""


BACKUP, RESTORE = "-backup", "-restore"
"""What the CronJobs of a resource are called after its name."""
ACCOUNT = "-account"
"""What the account of an object store is called after the name of whom it belongs to."""


BY_HAND = "/account"
"""Where a restore finds what people bring it, by file name."""


@dataclasses.dataclass(frozen=True)
class Work:
    """What is run to make dumps, or to put them back.

    ``python`` runs in the platform's own image, anything else in the engine's. `on` says what it works on: the
    engine's port, or its volume.
    """

    run: processes.Run
    on: Literal["port", "volume"]
    files: tuple[processes.File, ...] = ()
    audience: str = ""
    """Of the token by which its account is known to the engine, where it is by one; it lies in a file of that name
    where all tokens lie."""
    by_hand: tuple[str, ...] = ()
    """Files below `BY_HAND` without which it may not do its work."""


@dataclasses.dataclass(frozen=True)
class Handwork:
    """What people do around a restore of an engine with peers, as commands; while it is made there is one replica."""

    words: str
    """What to know before."""
    first: tuple[str, ...]
    """From an empty engine that runs to one that takes the restore, and the files of `Work.by_hand`."""
    then: tuple[str, ...]
    """Once it was deleted after the restore, and runs again; before there are more replicas."""
    each: str
    """For each further replica, in which ``{pod}`` is its name."""


@dataclasses.dataclass(frozen=True)
class Procedures:
    """How dumps of one engine are made and put back. `restore` on a volume wants the engine stopped."""

    reader: str
    """The engine as the plan wants it: "PostgreSQL 15". What a newer one wrote, it cannot read."""
    save: Work
    restore: Work
    promise: str
    """What a backup is, in a sentence: which moment, and what it does not promise."""
    people: Handwork | None = None
