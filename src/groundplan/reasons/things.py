"""An object: the plan's line and the pass that it comes from, in which environments, and how these differ."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from groundplan.delivery import kustomize
from groundplan.kubernetes import flows, lower
from groundplan.model import platform
from groundplan.shapes import objects

_LONGEST = 100


class Name(NamedTuple):
    """What an object is called."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind.lower(), self.namespace, self.name) if part)

    @property
    def short(self) -> str:
        """Without its namespace."""
        return f"{self.kind.lower()}/{self.name}"


@dataclasses.dataclass(frozen=True)
class Connection:
    """What a rule of a policy is there for."""

    side: str
    """`in` or `out`."""
    other: str
    ports: str
    why: str
    origin: str


@dataclasses.dataclass(frozen=True)
class Thing:
    """Everything there is to tell of an object."""

    object: str
    origin: str
    by: str
    """The pass that made it."""
    environments: tuple[str, ...]
    missing: tuple[str, ...]
    """The clusters that have none of it."""
    differences: dict[str, dict[str, str]]
    """By environment: fields that not all have alike, as JSON."""
    connections: tuple[Connection, ...]
    """Of a NetworkPolicy: everything that it lets through."""


def names(lowered: Sequence[lower.Lowered]) -> tuple[Name, ...]:
    """Every object of every cluster."""
    found = (made.key for one in lowered for made in one.objects)
    return tuple(dict.fromkeys(Name(key.kind, key.namespace, key.name) for key in found))


def of(name: Name, plan: platform.Platform, lowered: Sequence[lower.Lowered]) -> Thing:
    """What is told of one of `names`."""
    made = {one.environment: each for one in lowered for each in one.objects if _is(each, name)}
    first = next(iter(made.values()))
    base = kustomize.common([each.tree for each in made.values()])
    differences = {
        env: {op["path"]: _text(op["value"]) for op in kustomize.additions(base, each.tree, "")}
        for env, each in made.items()
    }
    return Thing(
        str(name), first.origin, first.by, tuple(made),
        tuple(one.environment for one in lowered if one.environment not in made),
        {env: found for env, found in differences.items() if found},
        tuple(dict.fromkeys(each for one in lowered for each in _connections(name, made.get(one.environment), one))),
    )  # fmt: skip


def _is(made: objects.Object, name: Name) -> bool:
    return (made.key.kind, made.key.namespace, made.key.name) == name


def _text(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _connections(name: Name, made: objects.Object | None, one: lower.Lowered) -> Iterator[Connection]:
    if made is None or name.kind != "NetworkPolicy":
        return
    labels = made.tree["spec"]["podSelector"].get("matchLabels", {})
    own = flows.Pods(name.namespace, tuple(sorted(labels.items())))
    for flow in one.flows:
        for side, end, other in (("in", flow.target, flow.source), ("out", flow.source, flow.target)):
            if end == own:
                ports = ", ".join(f"{port.protocol} {port.number}" for port in flow.ports) or "every port"
                yield Connection(side, _end(other), ports, flow.why, flow.origin)


def _end(end: flows.End) -> str:
    if isinstance(end, flows.Pods):
        labels = dict(end.labels)
        return f"{end.namespace}/{labels.get('app.kubernetes.io/name') or next(iter(labels.values()), '*')}"
    if isinstance(end, flows.Range):
        return end.cidr + (f" but {len(end.less)} ranges" if end.less else "")
    return "anyone"
