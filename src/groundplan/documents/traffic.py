"""The way of traffic, from the world to the data, and the zones that it crosses: as pictures in Mermaid."""

from __future__ import annotations

from collections.abc import Iterable

from groundplan import markdown
from groundplan.documents import connections, mermaid
from groundplan.documents import world as worlds
from groundplan.documents.picture import graph
from groundplan.kubernetes import flows
from groundplan.model import service


def page(world: worlds.World) -> str:
    shared = graph.shared(world)
    said = f"Every program also talks to {markdown.codes(sorted(shared))}; these arrows are left out." if shared else ""
    return markdown.page(
        "Traffic",
        "The same as one page to look at, with every connection and its reason: [plan.html](plan.html).",
        "## Who calls whom",
        said,
        _shown(flow(world)),
        "## Security zones",
        "A zone is a namespace. An arrow is all that is drawn from the workloads of one to those of the other.",
        _shown(_zones(world)),
    )


def _shown(picture: str | None) -> str:
    return (
        f"```mermaid\n{picture}\n```"
        if picture
        else "More arrows than such a picture can show: see [plan.html](plan.html)."
    )


def _drawn(world: worlds.World) -> list[connections.Connection]:
    return [each for each in connections.of(world) if each.kind in connections.DRAWN]


def flow(world: worlds.World) -> str | None:
    """Workload by workload; None where it would be more than such a picture can show."""
    shared = graph.shared(world)
    pairs: dict[tuple[connections.End, connections.End], set[flows.Port]] = {}
    for each in _drawn(world):
        if each.target.name not in shared:
            pairs.setdefault((each.source, each.target), set()).update(each.ports)
    ends = sorted({end for pair in pairs for end in pair} | _everything(world))
    groups = {space: [str(end) for end in ends if end.namespace == space] for space in _spaces(ends)}
    boxes = {str(end): mermaid.Box(end.name, _shape(end, world)) for end in ends}
    arrows = [
        mermaid.Arrow(str(source), str(target), _listed(ports)) for (source, target), ports in sorted(pairs.items())
    ]
    return mermaid.flowchart(groups, boxes, arrows) if len(arrows) <= mermaid.MOST else None


def _everything(world: worlds.World) -> set[connections.End]:
    return {connections.End(each.namespace or "", each.name) for each in world.plan.components}


def _spaces(ends: Iterable[connections.End]) -> list[str]:
    return sorted({end.namespace for end in ends if end.namespace})


def _shape(end: connections.End, world: worlds.World) -> str:
    if not end.namespace:
        return "outside"
    found = world.components.get(end.name)
    if isinstance(found, service.Job):
        return "job"
    return "plain" if isinstance(found, service.Program) or found is None else "engine"


def _listed(ports: Iterable[flows.Port]) -> str:
    return ", ".join(connections.said(port) for port in sorted(ports)) or "every port"


def _zones(world: worlds.World) -> str | None:
    """Namespace by namespace."""
    pairs: dict[tuple[str, str], set[flows.Port]] = {}
    found = _drawn(world)
    for each in found:
        source, target = (end.namespace or end.name for end in (each.source, each.target))
        if source != target:
            pairs.setdefault((source, target), set()).update(each.ports)
    spaces = {space.name for space in world.plan.namespaces}
    spaces |= {end.namespace for each in found for end in (each.source, each.target) if end.namespace}
    names = sorted({name for pair in pairs for name in pair} | spaces)
    boxes = {name: mermaid.Box(name, "plain" if name in spaces else "outside") for name in names}
    arrows = [mermaid.Arrow(source, target, _listed(ports)) for (source, target), ports in sorted(pairs.items())]
    return mermaid.flowchart({}, boxes, arrows) if len(arrows) <= mermaid.MOST else None
