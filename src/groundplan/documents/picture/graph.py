"""What is drawn: components, what lies outside, and the connections that the author asked for."""

from __future__ import annotations

import dataclasses
from typing import Literal

from groundplan.documents import connections
from groundplan.documents import world as worlds
from groundplan.model import component, resource, service

Kind = Literal["service", "worker", "job", "engine", "outside", "guest"]
NOTHING = "nothing declared"
"""In place of a name, in a zone without components."""
_FEW = 3
"""Programs of a platform where nothing is left out."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A box."""

    end: connections.End
    kind: Kind
    told: str
    """In small below its name: its ports."""
    place: str
    """The plan's line; empty for what the plan does not declare."""
    replicas: int = 1

    @property
    def key(self) -> str:
        return str(self.end)

    @property
    def zone(self) -> str:
        """Its namespace; empty outside."""
        return self.end.namespace


@dataclasses.dataclass(frozen=True)
class Edge:
    """From one box to some ports of another."""

    source: str
    target: str
    ports: str
    why: str
    """A reason a line, each with its place in the plan."""
    quiet: bool
    """One of so many alike that it is shown only when it is asked for."""


@dataclasses.dataclass(frozen=True)
class Graph:
    """All of it, in the order of names."""

    nodes: dict[str, Node]
    edges: tuple[Edge, ...]
    zones: tuple[str, ...]


def of(world: worlds.World, found: tuple[connections.Connection, ...]) -> Graph:
    """The graph of a platform and all its clusters."""
    drawn = [each for each in found if each.kind in connections.DRAWN]
    ends = {end for each in drawn for end in (each.source, each.target)}
    ends |= {connections.End(each.namespace or "", each.name) for each in world.plan.components}
    ends |= {connections.End(connections.OUTSIDE, each.name) for each in world.plan.externals}
    nodes = {str(end): _node(end, world) for end in sorted(ends)}
    zones = {space.name for space in world.plan.namespaces} | {end.namespace for end in ends if end.namespace}
    for zone in zones - {end.namespace for end in ends}:
        nodes[zone] = Node(connections.End(zone, NOTHING), "guest", "", "")
    return Graph(nodes, _edges(drawn, shared(world), world), tuple(sorted(zones)))


def shared(world: worlds.World) -> frozenset[str]:
    """Components that every program needs: their arrows would hide all others."""
    programs = {each.name for each in world.plan.programs}
    callers: dict[str, set[str]] = {}
    for edge in world.plan.edges:
        if edge.right.opens and isinstance(edge.right.target, component.Component):
            callers.setdefault(edge.right.target.name, set()).add(edge.source.name)
    return frozenset(name for name, found in callers.items() if len(programs) > _FEW and found >= programs)


def _edges(drawn: list[connections.Connection], common: frozenset[str], world: worlds.World) -> tuple[Edge, ...]:
    whys: dict[tuple[str, str, str, bool], list[str]] = {}
    for each in drawn:
        key = (str(each.source), str(each.target), each.listed, each.target.name in common)
        file, line = world.place(each.origin)
        whys.setdefault(key, []).append(f"{each.why} ({file}:{line})")
    return tuple(Edge(*key[:3], "\n".join(dict.fromkeys(why)), key[3]) for key, why in sorted(whys.items()))


def _node(end: connections.End, world: worlds.World) -> Node:
    found = world.components.get(end.name)
    if found is None or found.namespace != end.namespace:
        outside = {each.name: each for each in world.plan.externals}
        external = outside.get(end.name) if not end.namespace else None
        told = str(external.port.number) if external else ""
        place = "{}:{}".format(*world.place(external.origin)) if external else ""
        return Node(end, "guest" if end.namespace else "outside", told, place)
    told = " · ".join(f"{name} {port.number}" for name, port in sorted(found.ports.items()) if name != "metrics")
    replicas = found.replicas if isinstance(found, service.Program) else 1
    return Node(end, _kind(found), told, "{}:{}".format(*world.place(found.origin)), replicas)


def _kind(found: component.Component) -> Kind:
    if isinstance(found, resource.Resource):
        return "engine"
    if isinstance(found, service.Job):
        return "job"
    return "worker" if isinstance(found, service.Worker) else "service"
