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
    yield from _replicas([*components, *plan.externals, *stand_ins])
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


def _replicas(things: Iterable[_Named]) -> Iterator[findings.Finding]:
    """``web-0`` is what the first replica of ``web`` is called, in logs and in a StatefulSet's pods."""
    named = {thing.name: thing for thing in things}
    for name, thing in named.items():
        stem, _, number = name.rpartition("-")
        if number.isdigit() and stem in named:
            why = f"replica {number} of {stem} ({named[stem].origin}) is called so"
            yield findings.Finding("GP102", f"component {name}", thing.origin, why, "give one of them another name")


def _finding(kind: str, name: str, first: origins.Origin, second: origins.Origin) -> findings.Finding:
    return findings.Finding(
        "GP102",
        f"{kind} {name} is declared twice",
        second,
        f"the first stands at {first}",
        "give one of them another name, or delete it",
    )
