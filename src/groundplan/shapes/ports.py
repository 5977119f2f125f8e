"""Ports that a component listens on."""

from __future__ import annotations

import dataclasses
from typing import Literal

Speaks = Literal["http", "grpc", "tcp", "udp"]


@dataclasses.dataclass(frozen=True)
class Port:
    """One port: the number it listens on in the cluster, and the number its Service exposes (by default the same)."""

    number: int
    speaks: Speaks = "tcp"
    expose: int | None = None
    methods: tuple[str, ...] = ()
    """gRPC methods it offers, by bare name; empty when not said, and then any may be named by an edge."""

    @property
    def exposed(self) -> int:
        return self.expose or self.number


def Http(number: int, *, expose: int | None = None) -> Port:
    """An HTTP port; `expose` is the Service's number where it differs (80 in front of 8080)."""
    return Port(number, "http", expose)


def Grpc(number: int, *, methods: tuple[str, ...] = (), expose: int | None = None) -> Port:
    """A gRPC port; `methods` lists what it offers, so that an edge naming another is a finding."""
    return Port(number, "grpc", expose, tuple(methods))


def Tcp(number: int, *, expose: int | None = None) -> Port:
    """A TCP port of any other protocol."""
    return Port(number, "tcp", expose)
