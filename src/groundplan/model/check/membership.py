"""Whatever the plan uses is part of it."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import component, findings, platform
from groundplan.model import origin as origins


def check(plan: platform.Platform) -> Iterator[findings.Finding]:
    """Edges, entries: their ends stand in a namespace of this plan."""
    for edge in plan.edges:
        target = edge.right.target
        if isinstance(target, component.Component) and target.namespace is None:
            yield _outside(target, f"{edge.source.name} needs it", edge.origin)
    for entry in plan.entries:
        for path, endpoint in entry.routes:
            if endpoint.owner.namespace is None:
                yield _outside(endpoint.owner, f"the entry's path {path} leads to it", entry.origin)


def _outside(target: component.Component, why: str, where: origins.Origin) -> findings.Finding:
    return findings.Finding(
        "GP103",
        f"{target.name} is in no namespace",
        where,
        why,
        f"add it: namespace.add({type(target).__name__}(…)) at {target.origin}",
    )
