"""Ports, and the names that pods give them.

Sources: NetworkPolicyPort in the v1 API reference; ValidateNetworkPolicyPort of kubernetes/pkg/apis/networking;
kubernetes.io/docs/concepts/workloads/pods/sidecar-containers (an init container with restartPolicy Always
runs beside the others, so its ports are the pod's).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from tests.proof.naive import truth
from tests.proof.naive.refusals import Invalid

PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclasses.dataclass(frozen=True)
class Named:
    """One named container port."""

    name: str
    protocol: str
    number: int


def named(spec: dict[str, Any], where: str) -> tuple[Named, ...]:
    """The named ports of a pod's containers and restartable init containers."""
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    containers = [*(spec.get("containers") or []), *sidecars]
    return tuple(
        Named(
            name(port["name"], where), protocol(port.get("protocol"), where), number(port.get("containerPort"), where)
        )
        for container in containers
        for port in container.get("ports") or []
        if port.get("name") is not None
    )


def number(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise Invalid(f"{where}: {value!r} is no port number (1 to 65535)")
    return value


def name(value: Any, where: str) -> str:
    """An IANA service name (RFC 6335): 15 characters, a letter among them; so "8080" is none."""
    fine = isinstance(value, str) and len(value) <= 15 and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value)
    if not fine or not re.search("[a-z]", value):
        raise Invalid(f"{where}: {value!r} is no port name")
    return str(value)


def protocol(value: Any, where: str) -> str:
    if value is None:
        return "TCP"
    if value not in PROTOCOLS:
        raise Invalid(f"{where}: {value!r} is no protocol (TCP, UDP, SCTP)")
    return str(value)


def resolve(wanted: str, protocols: Iterable[str], offered: tuple[Named, ...], asked: tuple[str, int]) -> truth.Truth:
    """Whether the port `asked` (protocol, number) is the one a pod calls `wanted`; an unknown name is none."""
    usable = {(one.protocol, one.number) for one in offered if one.name == wanted and one.protocol in protocols}
    if asked not in usable:
        return False
    if sum(one[0] == asked[0] for one in usable) > 1:
        return truth.Unknown(f"two containers give {asked[0]} port name {wanted!r} different numbers")
    return True
