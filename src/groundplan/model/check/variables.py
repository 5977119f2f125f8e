"""A variable has one value."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import component, findings, platform, rights
from groundplan.shapes import values


def check(plan: platform.Platform) -> Iterator[findings.Finding]:
    """Two edges of one holder do not put different values into one variable."""
    for holder in plan.components:
        yield from _holder(holder)


def _holder(holder: component.Component) -> Iterator[findings.Finding]:
    seen: dict[str, tuple[values.Value, str]] = {name: (value, "env=") for name, value in holder.environment.items()}
    for edge in holder.edges:
        if isinstance(edge.right, rights.Call) and edge.right.endpoint.port is None:
            continue
        for variable in edge.right.variables(holder):
            value, first = seen.setdefault(variable.name, (variable.value, str(edge.right)))
            if value != variable.value:
                yield findings.Finding(
                    "GP205",
                    f"{holder.name}: {variable.name} has two values",
                    edge.origin,
                    f"from {first} and from {edge.right}",
                    'name one of them: ….named("ANOTHER_NAME")',
                )
