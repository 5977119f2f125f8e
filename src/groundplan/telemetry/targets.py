"""What is scraped: each component that tells something of itself, by the name that its series carry as ``job``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from groundplan.model import component, platform, resource, service
from groundplan.shapes import signals
from groundplan.telemetry import catalogue

SCRAPED = frozenset(("job", "namespace", "instance", "pod", "container", "endpoint", "service"))
"""Labels that a scrape adds to every series."""


@dataclasses.dataclass(frozen=True)
class Target:
    """One job."""

    job: str
    owner: component.Component
    exports: signals.Exports

    @property
    def namespace(self) -> str:
        return self.owner.namespace or ""

    @property
    def metrics(self) -> tuple[signals.Metric, ...]:
        documented = (metric for name in self.exports.documented for metric in catalogue.of(name).shapes())
        return (*self.exports.metrics, *documented)

    @property
    def tells_of_others(self) -> bool:
        """Whether its exporter says by its own labels whom it tells of: the namespace of an Ingress, not its own."""
        documented = (entry for name in self.exports.documented for entry in catalogue.of(name).metrics.values())
        return any(not SCRAPED.isdisjoint(entry.labels) for entry in documented)


def of(plan: platform.Platform) -> tuple[Target, ...]:
    """Everything of `plan` that tells something, in the order of names."""
    return tuple(sorted(_all(plan), key=lambda target: target.job))


def _all(plan: platform.Platform) -> Iterator[Target]:
    for each in plan.components:
        said = each.signals() if isinstance(each, service.Program | resource.Resource) else None
        if isinstance(said, signals.Exports):
            yield Target(signals.exporter_name(each.name) if said.exporter else each.name, each, said)


def is_monitored(plan: platform.Platform) -> bool:
    """Whether something in `plan` collects signals."""
    return any(isinstance(said := each.signals(), signals.Exports) and said.collects for each in plan.resources)
