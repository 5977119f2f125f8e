"""The walls: every namespace, what stands in it, and who passes its walls."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan import markdown
from groundplan.documents import connections, workloads
from groundplan.documents import world as worlds
from groundplan.model import namespace


def page(world: worlds.World) -> str:
    spaces = sorted(world.plan.namespaces, key=lambda each: each.name)
    found = connections.of(world)
    rows = [
        (
            markdown.code(space.name),
            str(len(space.components)),
            *_passing(space.name, found),
            world.line(space.origin),
        )
        for space in spaces
    ]
    return markdown.page(
        "Namespaces",
        "Each is closed both ways: nothing enters or leaves but what is listed. Each connection with its reason: "
        "[network](network.md).",
        markdown.table(("namespace", "components", "from", "to", "declared"), rows),
        *(part for space in spaces for part in _space(space, world)),
    )


def _passing(name: str, found: tuple[connections.Connection, ...]) -> tuple[str, str]:
    """Who comes in from elsewhere, and where those in it go; names, figures and secrets aside."""
    drawn = [each for each in found if each.kind in ("edge", "entry")]
    into = {each.source.namespace or each.source.name for each in drawn if each.target.namespace == name}
    out = {each.target.namespace or each.target.name for each in drawn if each.source.namespace == name}
    return _listed(into - {name}), _listed(out - {name})


def _listed(names: set[str]) -> str:
    return markdown.codes(sorted(names)) or "–"


def _space(space: namespace.Namespace, world: worlds.World) -> Iterator[str]:
    yield f"## {markdown.text(space.name)}"
    if space.privileged:
        yield f"Its pods may use the host: {markdown.text(space.privileged)} ({world.line(space.origin)})."
    rows = [
        (
            markdown.code(each.name),
            type(each).__name__,
            markdown.codes(f"{name} {port.number}" for name, port in sorted(each.ports.items())) or "–",
            world.line(each.origin),
        )
        for each in sorted(space.components, key=lambda each: each.name)
    ]
    yield markdown.table(("component", "kind", "listens", "declared"), rows) if rows else "Nothing is declared in it."
    steps = _steps(space, world)
    if steps:
        yield "What follows from these, and runs here too:"
        yield markdown.table(("workload", "kind", "runs", "in", "because of"), steps)


def _steps(space: namespace.Namespace, world: worlds.World) -> list[tuple[str, ...]]:
    """Workloads that nobody declared by name: migrations, backups, exporters."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for one in world.lowered:
        for each in workloads.of(one):
            if each.namespace == space.name and each.name not in world.components:
                found.setdefault((each.name, each.kind, each.runs, each.origin), []).append(one.environment)
    return [
        (markdown.code(name), kind, runs, world.where(where), world.line(origin))
        for (name, kind, runs, origin), where in sorted(found.items())
    ]
