"""What an API server takes as a NetworkPolicy.

Source: ValidateNetworkPolicySpec, -Port, -Peer and ValidateIPBlock of kubernetes/pkg/apis/networking/validation,
and SetDefaults_NetworkPolicy (policyTypes). Unknown fields are refused, as kubectl does by default.
"""

from __future__ import annotations

from typing import Any

from tests.proof.naive import addresses, labels, ports
from tests.proof.naive.refusals import Invalid


def check(policy: dict[str, Any]) -> None:
    where = f"NetworkPolicy {policy['metadata']['name']}"
    spec = policy.get("spec") or {}
    labels.fields(spec, {"podSelector", "policyTypes", "ingress", "egress"}, where)
    labels.check_selector(spec.get("podSelector") or {}, where)
    check_types(spec.get("policyTypes") or [], where)
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for rule in sequence(spec.get(direction), where):
            check_rule(rule, peers, f"{where} {direction}")


def sequence(value: Any, where: str) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise Invalid(f"{where}: {value!r} must be a list")
    return value or []


def check_types(types: Any, where: str) -> None:
    for one in sequence(types, where):
        if one not in ("Ingress", "Egress"):
            raise Invalid(f"{where}: policyTypes has {one!r}, which is neither Ingress nor Egress")
    if len(types) > 2:
        raise Invalid(f"{where}: policyTypes may name no more than two")


def check_rule(rule: Any, peers: str, where: str) -> None:
    labels.fields(rule, {peers, "ports"}, where)
    for peer in sequence(rule.get(peers), where):
        check_peer(peer, where)
    for port in sequence(rule.get("ports"), where):
        check_port(port, where)


def check_peer(peer: Any, where: str) -> None:
    labels.fields(peer, {"podSelector", "namespaceSelector", "ipBlock"}, where)
    present = [key for key in peer if peer[key] is not None]
    if not present:
        raise Invalid(f"{where}: a peer must name pods, namespaces or a block")
    if "ipBlock" in present and len(present) > 1:
        raise Invalid(f"{where}: ipBlock stands beside a selector")
    for key in present:
        if key == "ipBlock":
            labels.fields(peer[key], {"cidr", "except"}, where)
            addresses.block(peer[key].get("cidr"), peer[key].get("except"), where)
        else:
            labels.check_selector(peer[key], where)


def check_port(entry: Any, where: str) -> None:
    labels.fields(entry, {"protocol", "port", "endPort"}, where)
    ports.protocol(entry.get("protocol"), where)
    port, end = entry.get("port"), entry.get("endPort")
    if isinstance(port, str):
        ports.name(port, where)
    elif port is not None:
        ports.number(port, where)
    if end is None:
        return
    if port is None or isinstance(port, str):
        raise Invalid(f"{where}: endPort needs a numeric port")
    if ports.number(end, where) < port:
        raise Invalid(f"{where}: endPort {end} is below port {port}")
