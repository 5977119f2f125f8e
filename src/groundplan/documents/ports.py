"""Every port that something listens on, and who may reach it."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan import markdown
from groundplan.documents import connections
from groundplan.documents import world as worlds
from groundplan.kubernetes import flows


def page(world: worlds.World) -> str:
    callers = _callers(world)
    rows = [row for each in world.plan.components for row in _rows(each.name, callers, world)]
    return markdown.page(
        "Ports",
        "What listens, and who may reach it, by every kind of connection. A port that nobody may reach is closed. "
        "Where TLS is said, an engine speaks nothing else, and whoever calls it verifies its certificate.",
        markdown.table(("port", "component", "called", "speaks", "TLS in", "open to", "declared"), rows),
        "## Ports of what lies outside",
        markdown.table(("port", "external", "open to", "declared"), _externals(world, callers)),
    )


def _callers(world: worlds.World) -> dict[tuple[str, int], list[str]]:
    """Who reaches a port, by the name of its owner."""
    found: dict[tuple[str, int], dict[str, None]] = {}
    for each in connections.of(world):
        for port in each.ports:
            found.setdefault((each.target.name, port.number), {})[each.source.name] = None
    return {key: sorted(names) for key, names in found.items()}


def _rows(name: str, callers: dict[tuple[str, int], list[str]], world: worlds.World) -> Iterator[tuple[str, ...]]:
    each = world.components[name]
    encrypted = world.where(found.environment.name for found in world.filled if found.encrypts(name)) or "–"
    for called, port in sorted(each.ports.items(), key=lambda item: item[1].number):
        shape = flows.Port(port.number, "UDP" if port.speaks == "udp" else "TCP")
        shown = connections.said(shape) + (f" (as {port.exposed})" if port.exposed != port.number else "")
        open_to = markdown.codes(callers.get((name, port.number), ())) or "nobody"
        owner = f"{each.namespace}/{name}"
        yield shown, markdown.code(owner), called, port.speaks, encrypted, open_to, world.line(each.origin)


def _externals(world: worlds.World, callers: dict[tuple[str, int], list[str]]) -> list[tuple[str, ...]]:
    return [
        (
            str(each.port.number),
            markdown.code(each.name),
            markdown.codes(callers.get((each.name, each.port.number), ())) or "nobody",
            world.line(each.origin),
        )
        for each in sorted(world.plan.externals, key=lambda each: each.name)
    ]
