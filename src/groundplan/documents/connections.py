"""Every connection of every cluster, each once: between whom, on which ports, why, by whom, and where."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from groundplan.documents import world as worlds
from groundplan.kubernetes import flows

OUTSIDE = ""
"""In place of a namespace."""
DRAWN: tuple[flows.Kind, ...] = ("edge", "entry")
"""What the author asked for, and pictures show."""
WORDS: dict[flows.Kind, str] = {
    "edge": "an edge of the plan",
    "entry": "an entry of the plan",
    "step": "what an engine's own steps need of it",
    "secrets": "secrets, from where they are kept",
    "backup": "backups, to where they are kept",
    "scrape": "figures, for who collects them",
    "names": "names, from the cluster's DNS",
    "api server": "the cluster's API server",
    "chart": "what a chart of others needs",
    "peers": "replicas of one engine among themselves",
}


class End(NamedTuple):
    """One side of a connection."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclasses.dataclass(frozen=True)
class Connection:
    """`source` may open connections to `ports` of `target`; none means all of them."""

    source: End
    target: End
    ports: tuple[flows.Port, ...]
    why: str
    origin: str
    kind: flows.Kind
    environments: tuple[str, ...]

    @property
    def listed(self) -> str:
        return ", ".join(said(port) for port in self.ports) or "every port"


def said(port: flows.Port) -> str:
    """``5432``, ``53/UDP``."""
    return str(port.number) if port.protocol == "TCP" else f"{port.number}/{port.protocol}"


def of(world: worlds.World) -> tuple[Connection, ...]:
    """All of them, by their ends."""
    found: dict[Connection, dict[str, None]] = {}
    for one in world.lowered:
        for flow in one.flows:
            ports = tuple(sorted(flow.ports))
            key = Connection(end(flow.source), end(flow.target), ports, flow.why, flow.origin, flow.kind, ())
            found.setdefault(key, {})[one.environment] = None
    made = (dataclasses.replace(key, environments=tuple(where)) for key, where in found.items())
    return tuple(sorted(made, key=lambda each: (each.source, each.target, each.ports, each.why)))


def end(given: flows.End) -> End:
    """Who it is."""
    if isinstance(given, flows.Pods):
        return End(given.namespace, given.what or "every pod")
    return End(OUTSIDE, given.what or given.cidr) if isinstance(given, flows.Range) else End(OUTSIDE, "the world")
