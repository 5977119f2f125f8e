"""What Cilium takes as a policy.

Source: Rule.Sanitize, IngressRule.sanitize and PortProtocol.sanitize in cilium/pkg/policy/api/rule_validation.go
(one layer-3 member a rule; a port is a string; excepts lie inside their block).
"""

from __future__ import annotations

import re
from typing import Any

from tests.proof.naive import addresses, labels
from tests.proof.naive.refusals import Invalid

MEMBERS = {
    "ingress": ("fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "fromNodes", "fromGroups"),
    "egress": ("toEndpoints", "toCIDR", "toCIDRSet", "toEntities", "toServices", "toFQDNs", "toGroups", "toNodes"),
}
ENTITIES = (
    "all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "kube-apiserver", "ingress", "init",
    "health", "unmanaged", "none",
)  # fmt: skip
PROTOCOLS = (None, "", "ANY", "TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "VRRP", "IGMP")


def specs(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """A policy has one rule under `spec`, several under `specs`, or both."""
    return [*([policy["spec"]] if policy.get("spec") else []), *(policy.get("specs") or [])]


def check(policy: dict[str, Any]) -> None:
    where = f"{policy['kind']} {policy['metadata']['name']}"
    if not specs(policy):
        raise Invalid(f"{where}: no rule")
    for spec in specs(policy):
        present = [key for key in ("endpointSelector", "nodeSelector") if spec.get(key) is not None]
        if len(present) != 1:
            raise Invalid(f"{where}: one of endpointSelector and nodeSelector")
        check_selector(spec[present[0]], where)
        for section in ("ingress", "ingressDeny", "egress", "egressDeny"):
            for rule in spec.get(section) or []:
                check_rule(rule, section.removesuffix("Deny"), f"{where} {section}")


def check_selector(selector: dict[str, Any], where: str) -> None:
    """Like a label selector, with an optional source ("k8s:", "any:", "reserved:") before each key."""
    labels.fields(selector, {"matchLabels", "matchExpressions"}, where)
    for key, value in (selector.get("matchLabels") or {}).items():
        labels.check_key(str(key).rpartition(":")[2], where)
        labels.check_value(value, where)
    for one in selector.get("matchExpressions") or []:
        labels.check_expression({**one, "key": str(one.get("key")).rpartition(":")[2]}, where)


def check_rule(rule: dict[str, Any], direction: str, where: str) -> None:
    if not isinstance(rule, dict):
        raise Invalid(f"{where}: a rule must be a mapping")
    present = [member for member in MEMBERS[direction] if rule.get(member)]
    if len(present) > 1:
        raise Invalid(f"{where}: {present[0]} and {present[1]} in one rule")
    for member in present:
        for one in rule[member]:
            check_member(member, one, where)
    for entry in rule.get("toPorts") or []:
        for port in entry.get("ports") or []:
            check_port(port, where)


def check_member(member: str, one: Any, where: str) -> None:
    if member.endswith("Endpoints"):
        check_selector(one, where)
    elif member.endswith("Entities") and one not in ENTITIES:
        raise Invalid(f"{where}: {one!r} is no entity")
    elif member.endswith("CIDR"):
        block(one, where)
    elif member.endswith("CIDRSet") and one.get("cidr"):
        addresses.block(one["cidr"], one.get("except"), where)


def block(text: Any, where: str) -> addresses.Block:
    """A plain address is a block of one."""
    if isinstance(text, str) and "/" not in text:
        text = f"{text}/{128 if ':' in text else 32}"
    return addresses.block(text, [], where)


def check_port(entry: dict[str, Any], where: str) -> None:
    port = entry.get("port")
    if not isinstance(port, str) or not re.fullmatch(r"[0-9]{1,5}|([a-zA-Z0-9]-?)*[a-zA-Z](-?[a-zA-Z0-9])*", port):
        raise Invalid(f"{where}: port {port!r} must be a number or a name, in quotes")
    if port.isdigit() and int(port) > 65535:
        raise Invalid(f"{where}: port {port} is above 65535")
    if entry.get("protocol") not in PROTOCOLS:
        raise Invalid(f"{where}: {entry.get('protocol')!r} is no protocol")
