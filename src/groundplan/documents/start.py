"""The order in which a cluster starts, and what each part waits for."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan import markdown
from groundplan.documents import workloads
from groundplan.documents import world as worlds
from groundplan.model import component
from groundplan.model.check import cycles


def page(world: worlds.World) -> str:
    names = [one.environment for one in world.lowered]
    return markdown.page(
        "Start order",
        "Argo CD and `groundplan deploy` apply one wave after the other, each when what the one before it started is "
        "ready. Wave 0 is the ground: namespaces, policies, accounts, configuration.",
        markdown.table(("workload", "runs", *(f"wave in {markdown.text(name)}" for name in names)), _waves(world)),
        "## What waits for what",
        "An edge to a resource holds its holder back until the resource is ready, and so does one to a service with "
        "`before_start()`. No other edge does: services may need each other.",
        markdown.table(("waits", "for", "right", "line"), sorted(_waits(world))),
    )


def _waves(world: worlds.World) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for one in world.lowered:
        for each in workloads.of(one):
            found.setdefault((f"{each.namespace}/{each.name}", each.runs), {})[one.environment] = each.wave
    for (name, runs), waves in sorted(found.items(), key=lambda item: (max(item[1].values()), item[0])):
        yield markdown.code(name), runs, *(str(waves.get(one.environment, "–")) for one in world.lowered)


def _waits(world: worlds.World) -> Iterator[tuple[str, ...]]:
    for edge in world.plan.edges:
        target = edge.right.target
        first = target.name if cycles.gates(edge) and isinstance(target, component.Component) else None
        for name in (first, edge.right.gates):
            if name:
                cells = (edge.source.name, name, edge.right)
                yield *(markdown.code(cell) for cell in cells), world.line(edge.origin)
