"""Edges lead to something that is there."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import component, endpoint, findings, names, platform, rights
from groundplan.model import origin as origins


def check(plan: platform.Platform) -> Iterator[findings.Finding]:
    """Ports and methods that edges and entries name exist, and no edge leads back to its own start."""
    for edge in plan.edges:
        if edge.right.target is edge.source:
            yield findings.Finding("GP206", f"{edge.source.name} needs itself", edge.origin, "", "delete the edge")
        if isinstance(edge.right, rights.Call):
            yield from _call(edge, edge.right)
    for entry in plan.entries:
        for path, target in entry.routes:
            if target.port is None:
                yield _no_port(f"entry {path}", target, entry.origin)


def _call(edge: component.Edge, call: rights.Call) -> Iterator[findings.Finding]:
    port = call.endpoint.port
    if port is None:
        yield _no_port(edge.source.name, call.endpoint, edge.origin)
        return
    for method in call.methods:
        if port.methods and method not in port.methods:
            yield findings.Finding(
                "GP202",
                f"{edge.source.name} → {call.endpoint.owner.name}: no method {method}",
                edge.origin,
                f"{call.endpoint.owner.name}'s {call.endpoint.name} port offers others",
                names.meant(method, port.methods),
            )


def _no_port(source: str, target: endpoint.Endpoint, where: origins.Origin) -> findings.Finding:
    owner = target.owner
    return findings.Finding(
        "GP201",
        f"{source} → {owner.name}:{target.name}",
        where,
        f"{owner.name} has no port called {target.name}",
        names.meant(target.name, owner.ports),
    )
