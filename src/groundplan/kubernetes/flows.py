"""Connections that an environment lets through: the declared edges, and what passes add, each with its reason."""

from __future__ import annotations

import dataclasses
from typing import Literal

from groundplan.shapes import objects

Protocol = Literal["TCP", "UDP"]
Kind = Literal["edge", "entry", "step", "secrets", "backup", "scrape", "names", "api server", "chart", "peers"]
"""Who asks for a flow: the author's edges and entries; what a resource's steps, a store, a backup, Prometheus and DNS
need of every cluster; the API server; what charts need among themselves and outward; replicas among themselves."""

_NAMED: str = dataclasses.field(default="", compare=False, repr=False)
"""For who an end is, by name: told to readers, so it tells no two ends apart."""


@dataclasses.dataclass(frozen=True)
class Pods:
    """Pods of a namespace with these labels; all of them without any."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    what: str = _NAMED
    """The workload or component; empty for all of the namespace."""

    def peer(self) -> objects.Tree:
        space = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        chosen = {"podSelector": {"matchLabels": dict(self.labels)}} if self.labels else {}
        return {"namespaceSelector": space, **chosen}


@dataclasses.dataclass(frozen=True)
class Range:
    """Addresses, less some."""

    cidr: str
    less: tuple[str, ...] = ()
    what: str = _NAMED
    """Who is there: an external, "API server"."""

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
    kind: Kind
