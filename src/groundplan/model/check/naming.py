"""Names are unique: derived objects, host names and log files are called by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from groundplan.model import findings, platform, resource
from groundplan.model import origin as origins


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def origin(self) -> origins.Origin: ...


def check(plan: platform.Platform) -> Iterator[findings.Finding]:
    """Two of one name; components and externals share one space of names, the other kinds have their own."""
    components = [component for space in plan.namespaces for component in space.components]
    stand_ins = [each.stand_in for each in plan.externals if isinstance(each.stand_in, resource.Resource)]
    yield from _repeated("component", [*components, *plan.externals, *stand_ins])
    yield from _repeated("namespace", plan.namespaces)
    yield from _repeated("environment", plan.environments)
    seen: dict[str, origins.Origin] = {}
    for secret in plan.secrets:
        if secret.path in seen:
            yield _finding("secret", secret.path, seen[secret.path], secret.origin)
        seen.setdefault(secret.path, secret.origin)


def _repeated(kind: str, things: Iterable[_Named]) -> Iterator[findings.Finding]:
    seen: dict[str, origins.Origin] = {}
    for thing in things:
        if thing.name in seen:
            yield _finding(kind, thing.name, seen[thing.name], thing.origin)
        seen.setdefault(thing.name, thing.origin)


def _finding(kind: str, name: str, first: origins.Origin, second: origins.Origin) -> findings.Finding:
    return findings.Finding(
        "GP102",
        f"{kind} {name} is declared twice",
        second,
        f"the first stands at {first}",
        "give one of them another name, or delete it",
    )
