"""Nothing waits for itself, by whatever detour.

An edge to a resource gates the start of its holder unless its right can be done without, and so does one that says
``before_start()``.
"""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import component, findings, platform, resource


def gates(edge: component.Edge) -> bool:
    """Whether the holder of this edge waits for its target."""
    return edge.right.gate or (isinstance(edge.right.target, resource.Resource) and not edge.right.spare)


def check(plan: platform.Platform) -> Iterator[findings.Finding]:
    """One finding for each circle, edge by edge, with the edge to make lazy."""
    waits: dict[str, list[component.Edge]] = {}
    for edge in plan.edges:
        if gates(edge) and isinstance(edge.right.target, component.Component) and edge.right.target is not edge.source:
            waits.setdefault(edge.source.name, []).append(edge)
    for circle in _circles(waits):
        yield _finding(circle)


def _circles(waits: dict[str, list[component.Edge]]) -> Iterator[list[component.Edge]]:
    """Walks depth first; every edge that leads back onto the path closes a circle."""
    done: set[str] = set()
    path: list[component.Edge] = []
    on_path: list[str] = []

    def walk(name: str) -> Iterator[list[component.Edge]]:
        on_path.append(name)
        for edge in waits.get(name, ()):
            target = edge.right.target.name  # type: ignore[union-attr]
            path.append(edge)
            if target in on_path:
                yield path[on_path.index(target) :]
            elif target not in done:
                yield from walk(target)
            path.pop()
        on_path.pop()
        done.add(name)

    for start in sorted(waits):
        if start not in done:
            yield from walk(start)


def _finding(circle: list[component.Edge]) -> findings.Finding:
    steps = ", ".join(f"{edge.source.name} → {edge.right} ({edge.origin})" for edge in circle)
    lazy = next((edge for edge in reversed(circle) if edge.right.gate), circle[-1])
    names = " → ".join([edge.source.name for edge in circle] + [circle[0].source.name])
    return findings.Finding(
        "GP203",
        f"{names} wait for each other",
        lazy.origin,
        steps,
        f"drop before_start() from {lazy.source.name} → {lazy.right}: then it starts without waiting",
    )
