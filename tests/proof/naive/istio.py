"""Istio's AuthorizationPolicy, which only narrows what the network lets through.

Source: istio.io/latest/docs/reference/config/security/authorization-policy (CUSTOM, then DENY, then ALLOW; no rules
never match; an empty rule always does; fields of a source are ANDed; a policy in the root namespace is for all) and
istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection ("Non-TCP based protocols, such as UDP,
are not proxied"). The root namespace and trust domain are taken to be the defaults, istio-system and cluster.local.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.proof.naive import addresses, labels, networkpolicy, pods, reading, truth

ROOT = "istio-system"


def narrows(
    cluster: reading.Cluster, source: networkpolicy.End, destination: networkpolicy.End, asked: tuple[str, int]
) -> truth.Truth:
    """False where the mesh refuses, which it can only if the destination is in it."""
    if not isinstance(destination, pods.Pod) or asked[0] != "TCP":
        return True
    policies = [one for one in cluster.of_kind("AuthorizationPolicy") if enforced(one)]
    if not policies:
        return True
    refused = truth.opposite(verdict(policies, cluster, source, destination, asked[1]))
    return truth.opposite(truth.both([refused, in_mesh(destination)]))


def enforced(policy: dict[str, Any]) -> bool:
    return (policy["metadata"].get("annotations") or {}).get("istio.io/dry-run") != "true"


def in_mesh(pod: pods.Pod) -> truth.Truth:
    """From the labels that ask for a sidecar or for ambient mode; without any, an installation may do either."""
    own = pod.labels.get("sidecar.istio.io/inject", pod.annotations.get("sidecar.istio.io/inject"))
    modes = (pod.labels.get("istio.io/dataplane-mode"), pod.namespace_labels.get("istio.io/dataplane-mode"))
    injection = pod.namespace_labels.get("istio-injection")
    if pod.host_network:
        return False
    if modes[0] == "ambient" or (modes[0] is None and modes[1] == "ambient"):
        return True
    if own == "false" or injection == "disabled":
        return False
    if own == "true" or injection == "enabled" or "istio.io/rev" in pod.namespace_labels:
        return True
    return truth.Unknown("whether the pod is in the mesh: no label asks for a sidecar")


def verdict(
    policies: list[dict[str, Any]],
    cluster: reading.Cluster,
    source: networkpolicy.End,
    destination: pods.Pod,
    port: int,
) -> truth.Truth:
    def matched(action: str) -> truth.Truth:
        return truth.either(
            truth.both([selects(policy, destination), rules_match(policy, cluster, source, port)])
            for policy in policies
            if action_of(policy) == action
        )

    custom = truth.both([matched("CUSTOM"), truth.Unknown("an external authorizer decides")])
    needed = truth.either(selects(policy, destination) for policy in policies if action_of(policy) == "ALLOW")
    allowed = truth.either([truth.opposite(needed), matched("ALLOW")])
    return truth.both([truth.opposite(custom), truth.opposite(matched("DENY")), allowed])


def action_of(policy: dict[str, Any]) -> str:
    return (policy.get("spec") or {}).get("action") or "ALLOW"


def selects(policy: dict[str, Any], destination: pods.Pod) -> truth.Truth:
    spec, home = policy.get("spec") or {}, reading.home(policy)
    if home not in (destination.namespace, ROOT):
        return False
    if spec.get("targetRef") or spec.get("targetRefs"):
        return truth.Unknown("which pods a gateway that a policy targets stands before")
    return labels.matches(spec.get("selector") or {}, destination.labels)


def rules_match(policy: dict[str, Any], cluster: reading.Cluster, source: networkpolicy.End, port: int) -> truth.Truth:
    return truth.either(
        truth.both([
            sources_match(rule.get("from"), cluster, source),
            not rule.get("to") or truth.either(operation_matches(one["operation"], port) for one in rule["to"]),
            not rule.get("when") or truth.Unknown("conditions on a request"),
        ])
        for rule in (policy.get("spec") or {}).get("rules") or []
    )  # fmt: skip


def sources_match(
    listed: list[dict[str, Any]] | None, cluster: reading.Cluster, source: networkpolicy.End
) -> truth.Truth:
    return not listed or truth.either(source_matches(one["source"], cluster, source) for one in listed)


def source_matches(wanted: dict[str, list[str]], cluster: reading.Cluster, source: networkpolicy.End) -> truth.Truth:
    return truth.both(source_field(key, values, cluster, source) for key, values in wanted.items())


def source_field(key: str, values: list[str], cluster: reading.Cluster, source: networkpolicy.End) -> truth.Truth:
    match key:
        case "namespaces" | "principals":
            return identified(source, 0 if key == "namespaces" else 1, values)
        case "notNamespaces" | "notPrincipals":
            return truth.opposite(identified(source, 0 if key == "notNamespaces" else 1, values))
        case "ipBlocks":
            return truth.either(in_block(value, cluster, source) for value in values)
        case "notIpBlocks":
            return truth.opposite(truth.either(in_block(value, cluster, source) for value in values))
        case _:
            return truth.Unknown(f"{key} is known request by request")


def identified(source: networkpolicy.End, part: int, patterns: list[str]) -> truth.Truth:
    """By the certificate that only a peer in the mesh has."""
    if not isinstance(source, pods.Pod):
        return False
    identity = (source.namespace, f"cluster.local/ns/{source.namespace}/sa/{source.service_account}")
    return truth.both([any(like(identity[part], pattern) for pattern in patterns), in_mesh(source)])


def like(value: str, pattern: str) -> bool:
    if pattern == "*":
        return bool(value)
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return value == pattern


def in_block(text: str, cluster: reading.Cluster, source: networkpolicy.End) -> truth.Truth:
    block = addresses.Block(ipaddress.ip_network(text, strict=False))
    if isinstance(source, addresses.Address):
        return block.holds(source.ip)
    if source.host_network:
        return truth.Unknown("the address of a node")
    return addresses.holds_pods(block, cluster.pod_ranges)


def operation_matches(wanted: dict[str, list[str]], port: int) -> truth.Truth:
    return truth.both(operation_field(key, values, port) for key, values in wanted.items())


def operation_field(key: str, values: list[str], port: int) -> truth.Truth:
    if key == "ports":
        return str(port) in values
    if key == "notPorts":
        return str(port) not in values
    return truth.Unknown(f"{key} is known request by request")
