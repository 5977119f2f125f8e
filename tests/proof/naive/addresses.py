"""Addresses outside, and blocks of them.

Source: IPBlock in the v1 API reference ("except … should not be included within the IPBlock"; "except values
will be rejected if they are outside the cidr range") and ValidateIPBlock of kubernetes/pkg/apis/networking
(a strict subset of `cidr`).
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Sequence
from typing import Any

from tests.proof.naive import truth
from tests.proof.naive.refusals import Invalid

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclasses.dataclass(frozen=True)
class Address:
    """An end that is no pod of the documents."""

    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    is_node: bool


@dataclasses.dataclass(frozen=True)
class Block:
    """A CIDR minus its own excepts, and no other block's."""

    cidr: Network
    excepts: tuple[Network, ...] = ()

    def holds(self, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return ip in self.cidr and not any(ip in hole for hole in self.excepts)


def network(text: Any, where: str) -> Network:
    if not isinstance(text, str) or "/" not in text:
        raise Invalid(f"{where}: {text!r} is no CIDR")
    try:
        return ipaddress.ip_network(text, strict=False)  # an API server takes host bits and masks them
    except ValueError as error:
        raise Invalid(f"{where}: {text!r} is no CIDR: {error}") from error


def block(cidr: Any, excepts: Any, where: str) -> Block:
    whole = network(cidr, where)
    holes = tuple(network(hole, where) for hole in excepts or [])
    for hole in holes:
        if not inside(hole, whole) or hole.prefixlen <= whole.prefixlen:
            raise Invalid(f"{where}: except {hole} is no strict subset of {whole}")
    return Block(whole, holes)


def inside(small: Network, large: Network) -> bool:
    if isinstance(small, ipaddress.IPv4Network) and isinstance(large, ipaddress.IPv4Network):
        return small.subnet_of(large)
    if isinstance(small, ipaddress.IPv6Network) and isinstance(large, ipaddress.IPv6Network):
        return small.subnet_of(large)
    return False


def holds_pods(candidate: Block, pod_ranges: Sequence[Network]) -> truth.Truth:
    """Whether pod addresses lie in `candidate`, where a plugin matches blocks against pods.

    A pod's own address is not in its manifest: only its range may be known. Without a range pods are taken
    to have some IPv4 address, as clusters have unless told otherwise.
    """
    ranges = pod_ranges or (ipaddress.ip_network("0.0.0.0/0"),)
    covered = all(covers(candidate, one) for one in ranges)
    touched = any(touches(candidate, one) for one in ranges)
    if covered or not touched:
        return covered
    return truth.Unknown(f"whether the pod's address is in {candidate.cidr}")


def covers(candidate: Block, whole: Network) -> bool:
    return inside(whole, candidate.cidr) and not any(hole.overlaps(whole) for hole in candidate.excepts)


def touches(candidate: Block, whole: Network) -> bool:
    holed = any(inside(whole, hole) for hole in candidate.excepts)
    return candidate.cidr.overlaps(whole) and not holed
