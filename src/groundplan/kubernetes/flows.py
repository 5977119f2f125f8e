"""Connections that an environment lets through: the declared edges, and what passes add, each with its reason."""

from __future__ import annotations

import dataclasses
from typing import Literal

from groundplan.shapes import objects

Protocol = Literal["TCP", "UDP"]


@dataclasses.dataclass(frozen=True)
class Pods:
    """Pods of a namespace with these labels; all of them without any."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()

    def peer(self) -> objects.Tree:
        space = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        chosen = {"podSelector": {"matchLabels": dict(self.labels)}} if self.labels else {}
        return {"namespaceSelector": space, **chosen}


@dataclasses.dataclass(frozen=True)
class Range:
    """Addresses, less some."""

    cidr: str
    less: tuple[str, ...] = ()

    def peer(self) -> objects.Tree:
        return {"ipBlock": {"cidr": self.cidr, **({"except": list(self.less)} if self.less else {})}}


@dataclasses.dataclass(frozen=True)
class Anyone:
    """Whoever there is, inside and outside."""


End = Pods | Range | Anyone


@dataclasses.dataclass(frozen=True, order=True)
class Port:
    number: int
    protocol: Protocol = "TCP"


@dataclasses.dataclass(frozen=True)
class Flow:
    """`source` may open connections to `ports` of `target`; none means all of them."""

    source: End
    target: End
    ports: tuple[Port, ...]
    why: str
    """In words: "api-gateway → auth-service:http", "scrape", "names"."""
    origin: str
