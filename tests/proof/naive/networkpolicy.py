"""NetworkPolicy v1.

Source: kubernetes.io/docs/concepts/services-networking/network-policies: "A pod is isolated for egress if there
is any NetworkPolicy that both selects the pod and has Egress in its policyTypes"; policies "are additive"; for a
connection to be allowed "both the egress policy on the source pod and the ingress policy on the destination pod
need to allow"; traffic with the pod's own node is always allowed; hostNetwork pods may be treated as their node.
"""

from __future__ import annotations

from typing import Any

from tests.proof.naive import addresses, labels, pods, ports, reading, truth

End = pods.Pod | addresses.Address
PEERS = {"ingress": "from", "egress": "to"}


def isolated(cluster: reading.Cluster, subject: pods.Pod, direction: str) -> truth.Truth:
    return truth.either(
        selects(policy, subject) for policy in cluster.of_kind("NetworkPolicy") if direction in directions(policy)
    )


def admits(
    cluster: reading.Cluster, subject: pods.Pod, other: End, direction: str, asked: tuple[str, int]
) -> truth.Truth:
    """Whether some rule of some policy that selects `subject` matches the other end and the port."""
    destination = subject if direction == "ingress" else other
    return truth.either(
        truth.both([
            selects(policy, subject),
            peers_match(cluster, policy, rule.get(PEERS[direction]), other),
            ports_match(rule.get("ports"), destination, asked),
        ])
        for policy in cluster.of_kind("NetworkPolicy")
        if direction in directions(policy)
        for rule in spec_of(policy).get(direction) or []
    )  # fmt: skip


def spec_of(policy: dict[str, Any]) -> dict[str, Any]:
    return policy.get("spec") or {}


def directions(policy: dict[str, Any]) -> set[str]:
    """Literally policyTypes; without any, always ingress, and egress if it has a rule."""
    spec = spec_of(policy)
    if spec.get("policyTypes"):
        return {one.lower() for one in spec["policyTypes"]}
    return {"ingress", "egress"} if spec.get("egress") else {"ingress"}


def selects(policy: dict[str, Any], pod: pods.Pod) -> truth.Truth:
    if pod.namespace != reading.home(policy):
        return False
    return labels.matches(spec_of(policy).get("podSelector") or {}, pod.labels)


def peers_match(
    cluster: reading.Cluster, policy: dict[str, Any], peers: list[dict[str, Any]] | None, other: End
) -> truth.Truth:
    if not peers:
        return True
    return truth.either(peer_matches(cluster, policy, peer, other) for peer in peers)


def peer_matches(cluster: reading.Cluster, policy: dict[str, Any], peer: dict[str, Any], other: End) -> truth.Truth:
    if on_host(other):
        return truth.Unknown("a node's address, or a pod on the host's network: plugins differ on what matches it")
    if peer.get("ipBlock") is not None:
        return block_matches(cluster, peer["ipBlock"], other)
    return isinstance(other, pods.Pod) and selectors_match(policy, peer, other)


def on_host(end: End) -> bool:
    return end.is_node if isinstance(end, addresses.Address) else end.host_network


def block_matches(cluster: reading.Cluster, ip_block: dict[str, Any], other: End) -> truth.Truth:
    block = addresses.block(ip_block["cidr"], ip_block.get("except"), "ipBlock")
    if isinstance(other, addresses.Address):
        return block.holds(other.ip)
    return cluster.ipblock_matches_pods and addresses.holds_pods(block, cluster.pod_ranges)


def selectors_match(policy: dict[str, Any], peer: dict[str, Any], other: pods.Pod) -> truth.Truth:
    """Both selectors, where both are there; the pod selector alone means the policy's own namespace."""
    if peer.get("namespaceSelector") is None:
        space: truth.Truth = other.namespace == reading.home(policy)
    else:
        space = labels.matches(peer["namespaceSelector"], other.namespace_labels)
    return truth.both([space, labels.matches(peer.get("podSelector") or {}, other.labels)])


def ports_match(entries: list[dict[str, Any]] | None, destination: End, asked: tuple[str, int]) -> truth.Truth:
    if not entries:
        return True
    return truth.either(port_matches(entry, destination, asked) for entry in entries)


def port_matches(entry: dict[str, Any], destination: End, asked: tuple[str, int]) -> truth.Truth:
    protocol, first = entry.get("protocol") or "TCP", entry.get("port")
    if protocol != asked[0]:
        return False
    if first is None:
        return True
    if isinstance(first, str):
        return name_matches(first, protocol, destination, asked)
    last = entry.get("endPort")
    return bool(first <= asked[1] <= (first if last is None else last))


def name_matches(name: str, protocol: str, destination: End, asked: tuple[str, int]) -> truth.Truth:
    """Per destination pod; an address outside has no names."""
    if isinstance(destination, addresses.Address):
        return False
    answer = ports.resolve(name, [protocol], destination.ports, asked)
    if destination.host_network and answer is True:
        return truth.Unknown("whether a plugin resolves the port names of a pod on the host's network")
    return answer
