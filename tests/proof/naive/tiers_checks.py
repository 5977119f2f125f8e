"""What an API server takes as a ClusterNetworkPolicy, an AdminNetworkPolicy or a BaselineAdminNetworkPolicy.

Source: the validation markers in apis/v1alpha2/clusternetworkpolicy_types.go and apis/v1alpha1/*_types.go of
kubernetes-sigs/network-policy-api (exactly one property in a subject, peer, protocol or port; ranges that start
below their end; no port names beside networks; the baseline policy is called "default").
"""

from __future__ import annotations

from typing import Any

from tests.proof.naive import addresses, labels, ports
from tests.proof.naive.refusals import Invalid

ACTIONS = {
    "ClusterNetworkPolicy": ("Accept", "Deny", "Pass"),
    "AdminNetworkPolicy": ("Allow", "Deny", "Pass"),
    "BaselineAdminNetworkPolicy": ("Allow", "Deny"),
}
INGRESS_PEERS = {"namespaces", "pods"}
EGRESS_PEERS = {"namespaces", "pods", "networks", "nodes", "domainNames"}


def check(policy: dict[str, Any]) -> None:
    kind, where = policy["kind"], f"{policy['kind']} {policy['metadata']['name']}"
    spec = policy.get("spec")
    priority = set() if kind.startswith("Baseline") else {"priority"}
    tier = {"tier"} if kind == "ClusterNetworkPolicy" else set()
    labels.fields(spec, {"subject", "ingress", "egress"} | priority | tier, where)
    assert spec is not None
    check_head(policy, spec, where)
    check_pods(one_of(spec.get("subject"), INGRESS_PEERS, f"{where} subject"), where)
    for rule in spec.get("ingress") or []:
        check_rule(rule, kind, "from", INGRESS_PEERS, f"{where} ingress")
    for rule in spec.get("egress") or []:
        check_rule(rule, kind, "to", EGRESS_PEERS, f"{where} egress")


def check_head(policy: dict[str, Any], spec: dict[str, Any], where: str) -> None:
    if policy["kind"].startswith("Baseline"):
        if policy["metadata"]["name"] != "default":
            raise Invalid(f"{where}: the one BaselineAdminNetworkPolicy is called default")
        return
    priority = spec.get("priority")
    if isinstance(priority, bool) or not isinstance(priority, int) or not 0 <= priority <= 1000:
        raise Invalid(f"{where}: priority must be a number from 0 to 1000")
    if policy["kind"] == "ClusterNetworkPolicy" and spec.get("tier") not in ("Admin", "Baseline"):
        raise Invalid(f"{where}: tier must be Admin or Baseline")


def one_of(thing: Any, known: set[str], where: str) -> tuple[str, Any]:
    labels.fields(thing, known, where)
    present = [(key, value) for key, value in thing.items() if value is not None]
    if len(present) != 1:
        raise Invalid(f"{where}: exactly one of {', '.join(sorted(known))}")
    return present[0]


def check_pods(given: tuple[str, Any], where: str) -> None:
    key, value = given
    if key == "namespaces":
        labels.check_selector(value, where)
        return
    labels.fields(value, {"namespaceSelector", "podSelector"}, where)
    if value.get("podSelector") is None:
        raise Invalid(f"{where}: pods needs a podSelector")
    labels.check_selector(value["podSelector"], where)
    labels.check_selector(value.get("namespaceSelector") or {}, where)


def check_rule(rule: Any, kind: str, peers: str, known: set[str], where: str) -> None:
    entries = "protocols" if kind == "ClusterNetworkPolicy" else "ports"
    labels.fields(rule, {"name", "action", peers, entries}, where)
    if rule.get("action") not in ACTIONS[kind]:
        raise Invalid(f"{where}: {rule.get('action')!r} is no action ({', '.join(ACTIONS[kind])})")
    if not rule.get(peers):
        raise Invalid(f"{where}: {peers} must have an item")
    kinds = [check_peer(peer, known, where) for peer in rule[peers]]
    named = [check_entry(entry, entries, where) for entry in listed(rule, entries, where)]
    if any(named) and not INGRESS_PEERS.issuperset(kinds):
        raise Invalid(f"{where}: networks and nodes have no named ports")


def listed(rule: dict[str, Any], entries: str, where: str) -> list[Any]:
    if rule.get(entries) == []:
        raise Invalid(f"{where}: {entries} must have an item or be left out")
    return rule.get(entries) or []


def check_peer(peer: Any, known: set[str], where: str) -> str:
    key, value = one_of(peer, known, where)
    if key in INGRESS_PEERS:
        check_pods((key, value), where)
    elif key == "networks":
        for cidr in value or [None]:
            addresses.network(cidr, where)
    return key


def check_entry(entry: Any, entries: str, where: str) -> bool:
    """Whether the entry goes by name."""
    if entries == "ports":
        return check_admin_port(entry, where)
    key, value = one_of(entry, {"tcp", "udp", "sctp", "destinationNamedPort"}, where)
    if key == "destinationNamedPort":
        ports.name(value, where)
        return True
    _, port = one_of(value, {"destinationPort"}, where)
    kind, number = one_of(port, {"number", "range"}, where)
    check_numbers(number if kind == "range" else {"start": number}, where)
    return False


def check_admin_port(entry: Any, where: str) -> bool:
    key, value = one_of(entry, {"portNumber", "portRange", "namedPort"}, where)
    if key == "namedPort":
        ports.name(value, where)
        return True
    labels.fields(value, {"protocol", "port"} if key == "portNumber" else {"protocol", "start", "end"}, where)
    ports.protocol(value.get("protocol"), where)
    check_numbers(value if key == "portRange" else {"start": value.get("port")}, where)
    return False


def check_numbers(value: dict[str, Any], where: str) -> None:
    start = ports.number(value.get("start"), where)
    if "end" in value and ports.number(value["end"], where) <= start:
        raise Invalid(f"{where}: a range must start below its end")
