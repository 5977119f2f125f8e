"""ClusterNetworkPolicy v1alpha2, and its older spellings AdminNetworkPolicy and BaselineAdminNetworkPolicy.

Source: apis/v1alpha2/clusternetworkpolicy_types.go and apis/v1alpha1 of kubernetes-sigs/network-policy-api:
lower priority numbers first, rules in the order written, the first match counts; Pass goes to the next tier;
pods on the host's network are neither subjects nor selected peers; networks also match traffic inside the
cluster; of two policies with one tier and priority "the implementation can apply any".
"""

from __future__ import annotations

import itertools
from typing import Any

from tests.proof.naive import addresses, labels, networkpolicy, pods, ports, reading, truth

ADMIN = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
PEERS = {"ingress": "from", "egress": "to"}
Question = tuple[reading.Cluster, pods.Pod, networkpolicy.End, str, tuple[str, int]]


def present(cluster: reading.Cluster) -> bool:
    return bool(cluster.of_kind(*ADMIN))


def mixed(cluster: reading.Cluster) -> bool:
    """Whether both spellings are used at once: no source orders the one among the other."""
    return len({policy["apiVersion"] for policy in cluster.of_kind(*ADMIN)}) > 1


def decide(
    tier: str,
    cluster: reading.Cluster,
    subject: pods.Pod,
    other: networkpolicy.End,
    direction: str,
    asked: tuple[str, int],
    following: truth.Truth,
) -> truth.Truth:
    """What `tier` says of the traffic; `following` where it passes it on or has no rule for it."""
    question = (cluster, subject, other, direction, asked)
    members = sorted((one for one in cluster.of_kind(*ADMIN) if tier_of(one) == tier), key=priority_of)
    for _, equals in itertools.groupby(members, key=priority_of):
        action = agreed([first_action(policy, question) for policy in equals])
        if isinstance(action, truth.Unknown):
            return action
        if action is not None:
            return following if action == "Pass" else action != "Deny"
    return following


def tier_of(policy: dict[str, Any]) -> str:
    if policy["kind"] == "ClusterNetworkPolicy":
        return str(policy["spec"]["tier"])
    return "Baseline" if policy["kind"].startswith("Baseline") else "Admin"


def priority_of(policy: dict[str, Any]) -> int:
    """The one BaselineAdminNetworkPolicy has no priority: nothing of its own kind to come before."""
    return int(policy["spec"].get("priority", 0))


def agreed(actions: list[str | truth.Unknown | None]) -> str | truth.Unknown | None:
    for action in actions:
        if isinstance(action, truth.Unknown):
            return action
    distinct = {str(action) for action in actions if action is not None}
    if len(distinct) > 1:
        return truth.Unknown(f"policies of one priority say {' and '.join(sorted(distinct))}")
    return next(iter(distinct), None)


def first_action(policy: dict[str, Any], question: Question) -> str | truth.Unknown | None:
    """The action of the first rule that matches, with Allow by its newer name; None where none does."""
    cluster, subject, other, direction, asked = question
    for rule in policy["spec"].get(direction) or []:
        matched = truth.both([
            pods_match(policy["spec"]["subject"], subject),
            truth.either(peer_matches(cluster, peer, other) for peer in rule[PEERS[direction]]),
            entries_match(rule, subject if direction == "ingress" else other, asked),
        ])  # fmt: skip
        if isinstance(matched, truth.Unknown):
            return matched
        if matched:
            return "Accept" if rule["action"] == "Allow" else str(rule["action"])
    return None


def pods_match(selection: dict[str, Any], pod: pods.Pod) -> truth.Truth:
    if selection.get("namespaces") is not None:
        return labels.matches(selection["namespaces"], pod.namespace_labels)
    chosen = selection["pods"]
    return truth.both([
        labels.matches(chosen.get("namespaceSelector") or {}, pod.namespace_labels),
        labels.matches(chosen["podSelector"], pod.labels),
    ])  # fmt: skip


def peer_matches(cluster: reading.Cluster, peer: dict[str, Any], other: networkpolicy.End) -> truth.Truth:
    if peer.get("networks") is not None:
        return truth.either(network_matches(cluster, cidr, other) for cidr in peer["networks"])
    if peer.get("nodes") is not None:
        return networkpolicy.on_host(other) and truth.Unknown("which nodes carry the labels of a nodes peer")
    if peer.get("domainNames") is not None:
        return isinstance(other, addresses.Address) and truth.Unknown("which addresses a domain name has")
    return isinstance(other, pods.Pod) and not other.host_network and pods_match(peer, other)


def network_matches(cluster: reading.Cluster, cidr: str, other: networkpolicy.End) -> truth.Truth:
    block = addresses.block(cidr, [], "networks")
    if isinstance(other, addresses.Address):
        return block.holds(other.ip)
    if other.host_network:
        return truth.Unknown("the address of a node")
    return addresses.holds_pods(block, cluster.pod_ranges)


def entries_match(rule: dict[str, Any], destination: networkpolicy.End, asked: tuple[str, int]) -> truth.Truth:
    entries = [*(rule.get("protocols") or []), *(rule.get("ports") or [])]
    return not entries or truth.either(entry_matches(entry, destination, asked) for entry in entries)


def entry_matches(entry: dict[str, Any], destination: networkpolicy.End, asked: tuple[str, int]) -> truth.Truth:
    named = entry.get("destinationNamedPort") or entry.get("namedPort")
    if named:
        names = () if isinstance(destination, addresses.Address) else destination.ports
        return ports.resolve(named, ports.PROTOCOLS, names, asked)
    protocol, first, last = numbers(entry)
    return protocol == asked[0] and first <= asked[1] <= last


def numbers(entry: dict[str, Any]) -> tuple[str, int, int]:
    if "portNumber" in entry:
        port = entry["portNumber"]
        return port.get("protocol") or "TCP", port["port"], port["port"]
    if "portRange" in entry:
        span = entry["portRange"]
        return span.get("protocol") or "TCP", span["start"], span["end"]
    ((protocol, inner),) = entry.items()
    port = inner["destinationPort"]
    span = port.get("range") or {"start": port.get("number"), "end": port.get("number")}
    return protocol.upper(), span["start"], span["end"]
