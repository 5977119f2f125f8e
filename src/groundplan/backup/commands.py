"""The commands around an engine's own: keeping what was dumped, and fetching it again."""

from __future__ import annotations

import urllib.parse

from groundplan.shapes import backups, processes

_MODULE = ("python", "-m", "groundplan_runtime.backup")
AT = "BACKUP_AT"
"""The variable with the moment that a restore goes back to (`groundplan_runtime.backup`)."""


def keep(resource: str, work: str, place: tuple[str, ...], *, number: int, engine: str = "") -> processes.Run:
    """Keeps what lies in `work` at `place` (the words that `folder` or `bucket` gives), and the last `number` in all.

    `engine` is what wrote it, where the dumps do not say.
    """
    words = (f"--work={work}", f"--keep={number}", *((f"--engine={engine}",) if engine else ()))
    return processes.Run(argv=(*_MODULE, "keep", resource, *words, *place))


def fetch(resource: str, work: str, place: tuple[str, ...], *, reader: str, by_variable: bool = False) -> processes.Run:
    """Fetches the newest backup for `reader`; `by_variable` lets whoever starts it choose an older one, by `AT`."""
    words = (f"--work={work}", *((f"--reader={reader}",) if reader else ()))
    environment = ((AT, ""),) if by_variable else ()
    return processes.Run(argv=(*_MODULE, "fetch", resource, *words, *place), environment=environment)


def folder(path: str) -> tuple[str, ...]:
    """The words for a place that is a folder; `path` is absolute."""
    return (f"--place=file://{urllib.parse.quote(path)}",)


def bucket(store: backups.ObjectStore, platform: str, environment: str, account: str) -> tuple[str, ...]:
    """The words for a bucket; `account` is the path of the file with its keys."""
    prefix = store.prefix.strip("/") or f"{platform}/{environment}"
    where = (f"--place=s3://{store.bucket}/{prefix}", f"--endpoint={store.endpoint}", f"--region={store.region}")
    return (*where, f"--account={account}")
