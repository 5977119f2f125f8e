"""The certificate: an answer with all that is needed to check it again, by a program that shares nothing with this.

It lists the classes with their members, where address atoms begin, and rectangles with the rules that allow them.
`groundplan.proof.recheck` reads it and the manifests, and knows neither how classes were found nor how rules were
joined.
"""

from __future__ import annotations

from typing import Any

from groundplan.proof import addresses, cluster, connections
from groundplan.proof.model import policies
from groundplan.proof.reach import bits, join, result, sides


class NoCertificate(ValueError):
    """Why an answer cannot be certified."""


def certificate(whole: cluster.Cluster) -> dict[str, Any]:
    """The certificate of a cluster that has NetworkPolicies alone and leaves nothing open; raises NoCertificate."""
    if why := _unfit(whole):
        raise NoCertificate(f"only plain NetworkPolicies that leave nothing open are certified: {why}")
    reach, universe = whole.reach(), whole.universe
    return {
        "certificate": 1,
        "classes": [sorted(member.title for member in each.members) for each in universe.classes],
        "cuts": [addresses.address(each) for each in universe.cuts],
        "rectangles": [_rectangle(whole, reach, each) for each in reach.rectangles],
    }


def _unfit(whole: cluster.Cluster) -> str:
    if whole.layered:
        return whole.beside
    if whole.numbered:
        return "a selector tells the pods of one workload apart"
    if whole.options.ipblock_matches_pods or whole.options.pod_ranges:
        return "ipBlocks are taken to cover pods"
    return "; ".join(whole.doubts())


def _rectangle(whole: cluster.Cluster, reach: result.Reach, each: join.Rectangle) -> dict[str, Any]:
    return {
        "sources": list(bits.members(each.sources)), "destinations": list(bits.members(each.destinations)),
        "ports": [list(span) for span in connections.triples(each.ports)],
        "egress": _rules(whole.model.policies, reach.egress, each.egress),
        "ingress": _rules(whole.model.policies, reach.ingress, each.ingress),
    }  # fmt: skip


def _rules(some: tuple[policies.Policy, ...], side: sides.Side, piece: int) -> list[str]:
    if piece < 0:
        return []
    return [f"{some[policy].title}#{rule}" for policy, rule in side.pieces[piece].origins]
