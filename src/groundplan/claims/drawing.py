"""One environment as it was drawn: its claims, and the pods that no manifest makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from groundplan.claims import rules, world
from groundplan.model import environment, platform, resource
from groundplan.proof import claims
from groundplan.shapes import signals

DNS = claims.Assumed("kube-system", "kube-dns", {"k8s-app": "kube-dns"}, "the cluster's DNS")


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What a platform claims of one environment."""

    environment: str
    said: tuple[claims.Claim, ...]
    assumed: tuple[claims.Assumed, ...]
    closed: frozenset[str]
    """The platform's namespaces."""
    origins: dict[str, str]
    """Where each workload is declared, by ``namespace/name``."""


def of(plan: platform.Platform, env: environment.Environment) -> Drawing:
    """The claims of `plan` in `env`, a cluster."""
    here = world.World(plan, env)
    found = [claim for rule in rules.RULES for claim in rule(here)]
    closed = frozenset(each.name for each in plan.namespaces)
    found += _names(found, closed)
    origins = {world.at(each): str(each.origin) for each in plan.components}
    origins |= {each.at: str(each.owner.origin) for each in here.besides}
    return Drawing(env.name, tuple(found), tuple(_assumed(here)), closed, origins)


def _names(found: list[claims.Claim], closed: frozenset[str]) -> Iterator[claims.Claim]:
    """Whoever opens connections may look up names, by both protocols: long answers come by TCP."""
    callers = {each.source: each.origin for each in reversed(found) if each.source.partition("/")[0] in closed}
    for source, origin in callers.items():
        yield claims.Claim(source, f"{DNS.namespace}/{DNS.name}", "TCP 53,UDP 53", origin, f"{source} → names")


def _assumed(here: world.World) -> Iterator[claims.Assumed]:
    yield DNS
    for chart, answer in here.charts.items():
        why = f"{chart.name} is what chart {answer.source.name} {answer.source.version} starts"
        yield claims.Assumed(chart.namespace or "", chart.name, dict(answer.pods), why, ports=_ports(chart))
        if answer.callers:
            name = here.calling(chart).rpartition("/")[2]
            yield claims.Assumed(chart.namespace or "", name, dict(answer.callers), f"{why}, to call outward")
    for guest in here.guests:
        why = f"{guest.chart.name} starts these beside an entry"
        yield claims.Assumed(guest.namespace, guest.name, dict(guest.shape.labels), why)
    if here.gateway:
        yield claims.Assumed(here.gateway, world.OTHERS, {}, "a gateway's pods are all")
    charts = {each.namespace for each in here.charts}
    for space in here.plan.namespaces:
        why = f"charts start more in {space.name}" if space.name in charts else ""
        yield claims.Assumed(space.name, world.OTHERS, {}, why)


def _ports(chart: resource.Resource) -> tuple[tuple[str, str, int], ...]:
    """What a chart's pods listen on, by the names that they have there."""
    said = chart.signals()
    doors = {said.port: said.door} if isinstance(said, signals.Exports) and said.door else {}
    return tuple((doors.get(name, name), "TCP", shape.number) for name, shape in chart.ports.items())
