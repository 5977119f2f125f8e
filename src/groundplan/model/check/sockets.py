"""One port has one listener."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import component, findings, names, platform


def check(plan: platform.Platform) -> Iterator[findings.Finding]:
    """Ports of one workload, node ports of entries, and paths of an entry are each taken once."""
    for each in plan.components:
        yield from _workload(each)
    taken: dict[object, str] = {}
    for entry in plan.entries:
        numbers = getattr(entry.controller, "node_ports", None) or ()
        for claim in (*numbers, *(path for path, _ in entry.routes)):
            if claim in taken:
                yield findings.Finding(
                    "GP104",
                    f"entry {claim} is claimed twice",
                    entry.origin,
                    f"the first claim stands at {taken[claim]}",
                    "give one of them another",
                )
            taken[claim] = str(entry.origin)


def _workload(each: component.Component) -> Iterator[findings.Finding]:
    taken: dict[int, str] = {}
    for name, port in sorted(each.ports.items()):
        if why := names.trouble(name, names.LONGEST_PORT):
            yield findings.Finding(
                "GP101", f"port {name!r} of {each.name}", each.origin, why, f'call it "{names.mended(name)[:15]}"'
            )
        if port.number in taken:
            yield findings.Finding(
                "GP104",
                f"{each.name} listens twice on {port.number}",
                each.origin,
                f"as {taken[port.number]} and as {name}",
                f"give {name} another number",
            )
        taken[port.number] = name
