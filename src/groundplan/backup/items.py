"""Which resources are backed up, and which are not, with the reason."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from groundplan.model import platform, resource, store
from groundplan.shapes import backups

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclasses.dataclass(frozen=True)
class Item:
    """A resource with a backup."""

    resource: resource.Resource
    schedule: backups.Daily

    @property
    def cron(self) -> str | None:
        """The schedule in cron's five fields, in UTC; None where `at` is no time."""
        found = _TIME.fullmatch(self.schedule.at)
        return f"{int(found[2])} {int(found[1])} * * *" if found else None

    def has_procedures(self, plan: platform.Platform) -> bool:
        """Whether it says how; an own resource of a plan may have forgotten."""
        return self.resource.procedures(plan.edges_to(self.resource), "") is not None

    def procedures(self, plan: platform.Platform, work: str) -> backups.Procedures:
        """How it is dumped into `work` and put back, where it says how."""
        found = self.resource.procedures(plan.edges_to(self.resource), work)
        assert found is not None, self.resource
        return found


def of(plan: platform.Platform) -> Iterator[Item]:
    """Those with a backup. Whoever keeps secrets comes last: what was encrypted is older than the keys kept with it."""
    wanted = ((each, each.backed_up()) for each in plan.resources)
    found = [Item(each, schedule) for each, schedule in wanted if isinstance(schedule, backups.Daily)]
    return iter(sorted(found, key=lambda item: isinstance(item.resource, store.Store)))


def without(plan: platform.Platform) -> Iterator[tuple[resource.Resource, str]]:
    """Those without, and why."""
    wanted = ((each, each.backed_up()) for each in plan.resources)
    return ((each, answer.reason) for each, answer in wanted if isinstance(answer, backups.NoBackup))
