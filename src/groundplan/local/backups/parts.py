"""What a backup of a platform here consists of. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

from groundplan.backup import items
from groundplan.local.plan import site
from groundplan.model import platform, processes, resource
from groundplan.shapes import backups
from groundplan.shapes import processes as shapes

SECRETS = "_secrets"
"""No component has such a name. The secrets come last: what was encrypted is older than the keys kept with it."""
_MODULE = ("python", "-m", "groundplan_runtime.backup")


@dataclasses.dataclass(frozen=True)
class Part:
    """One part, and the programs that save it and put it back."""

    name: str
    kind: Literal["resource", "outside", "secrets"]
    folder: str
    """Where it lies, below the data directory."""
    resource: resource.Resource | None = None

    def procedures(self, plan: platform.Platform, root: str, work: str) -> backups.Procedures:
        """How it is dumped into `work` and put back; `root` is the data directory."""
        if self.resource is not None:
            found = self.resource.procedures(plan.edges_to(self.resource), work)
            assert found is not None, self.resource  # `of` leaves out those without
            return found
        verb = "copy" if self.kind == "secrets" else "snapshot"
        paths = (f"--work={work}", f"--data={root}/{self.folder}")
        save, restore = (
            backups.Work(run=shapes.Run(argv=(*_MODULE, each, *paths)), on="volume") for each in (verb, "put")
        )
        return backups.Procedures(reader="", save=save, restore=restore, promise="")


def of(plan: platform.Platform) -> Iterator[Part]:
    """Every part: engines with a backup that run here, books of stand-ins, the secrets."""
    for item in items.of(plan):
        if isinstance(item.resource.runs_here(()), shapes.Engine) and item.has_procedures(plan):
            yield Part(item.resource.name, "resource", f"data/{item.resource.name}", item.resource)
    for outside in plan.externals:
        if isinstance(outside.stand_in, processes.Python | processes.Command):
            # It plays somebody else's system; wiped and restored without its book, nothing would agree with it.
            yield Part(f"_{outside.name}", "outside", f"data/{outside.name}")
    yield Part(SECRETS, "secrets", "secrets")


def left_out(plan: platform.Platform) -> Iterator[tuple[str, str]]:
    """Resources without a part, and why."""
    for found, reason in items.without(plan):
        if isinstance(found.runs_here(()), shapes.Engine):
            yield found.name, reason
    for item in items.of(plan):
        answer = item.resource.runs_here(())
        if isinstance(answer, shapes.NotHere):
            yield item.resource.name, f"it does not run here: {answer.reason}"


def reader(part: Part, procedures: backups.Procedures, here: site.Site) -> str:
    """What reads its dumps on this machine: "Valkey 9.1.2"."""
    found = here.programs.get(part.name)
    return f"{found.product} {found.version}" if found else procedures.reader
