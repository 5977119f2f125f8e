"""A component: its line, what it needs and who needs it, what it finds around it, and the objects made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from groundplan.kubernetes import lower
from groundplan.model import component, platform, service
from groundplan.reasons import things, variables


@dataclasses.dataclass(frozen=True)
class Line:
    """A fact, and the plan's line that says it."""

    what: str
    origin: str


@dataclasses.dataclass(frozen=True)
class Made:
    """An object, the pass that made it, and the clusters that have it."""

    object: str
    by: str
    environments: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Component:
    """Everything there is to tell of a component."""

    component: str
    kind: str
    namespace: str
    origin: str
    ports: dict[str, int]
    needs: tuple[Line, ...]
    needed: tuple[Line, ...]
    settings: tuple[Line, ...]
    """What environments set for it."""
    variables: dict[str, str]
    """With the reason of each."""
    objects: tuple[Made, ...]


def of(each: component.Component, plan: platform.Platform, lowered: Sequence[lower.Lowered]) -> Component:
    """What is told of a component."""
    found = variables.given(each, plan) if isinstance(each, service.Program) else {}
    entries = [
        Line(f"the world, at {path}", str(entry.origin))
        for entry in plan.entries for path, endpoint in entry.routes if endpoint.owner is each
    ]  # fmt: skip
    return Component(
        each.name, type(each).__name__, each.namespace or "", str(each.origin),
        {name: port.number for name, port in each.ports.items()},
        tuple(Line(str(edge.right), str(edge.origin)) for edge in each.edges),
        (*entries, *(Line(f"{edge.source.name}: {edge.right}", str(edge.origin)) for edge in plan.edges_to(each))),
        tuple(_settings(each, plan)), {name: because for name, (because, _) in sorted(found.items())},
        _objects(each, lowered),
    )  # fmt: skip


def _settings(each: component.Component, plan: platform.Platform) -> list[Line]:
    found = ((env, name, env.own(each, name)) for env in plan.environments for name in sorted(each.settings()))
    return [Line(f"{env.name}: {name}={said.value!r}", str(said.origin)) for env, name, said in found if said]


def _objects(each: component.Component, lowered: Sequence[lower.Lowered]) -> tuple[Made, ...]:
    found: dict[tuple[things.Name, str], list[str]] = {}
    for one in lowered:
        for made in one.objects:
            key = made.key
            labels = made.tree["metadata"].get("labels", {})
            if labels.get("app.kubernetes.io/name") == each.name and key.namespace in ("", each.namespace):
                name = things.Name(key.kind, key.namespace, key.name)
                found.setdefault((name, made.by), []).append(one.environment)
    return tuple(Made(str(name), by, tuple(where)) for (name, by), where in found.items())
