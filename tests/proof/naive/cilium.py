"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, layers 3 and 4.

Source: docs.cilium.io/en/stable/security/policy (intro: default deny per direction "if any rule selects an
endpoint and the rule has an ingress section", enableDefaultDeny; layer3: endpoints, entities, and CIDR rules,
which "do not apply to traffic where both sides of the connection are managed by Cilium"; layer4; deny; kubernetes:
a fromEndpoints selector without a namespace means the policy's own) and cilium/pkg/policy/api (an empty section
does not count; a rule without any member allows nothing).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.proof.naive import addresses, cilium_checks, labels, networkpolicy, pods, ports, reading, truth

KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
UNSUPPORTED = (
    "fromRequires",
    "toRequires",
    "icmps",
    "authentication",
    "fromNodes",
    "fromGroups",
    "toNodes",
    "toGroups",
)

# docs.cilium.io/en/stable/operations/performance/scalability/identity-relevant-labels: left out by default.
IRRELEVANT = re.compile(
    r"(kubernetes\.io/|k8s\.io/|.*beta\.kubernetes\.io/|pod-template-|controller-|job-name|batch\.kubernetes\.io/"
    r"|statefulset\.kubernetes\.io/|apps\.kubernetes\.io/pod-index)"
)
Question = tuple[reading.Cluster, pods.Pod, networkpolicy.End, str, tuple[str, int]]


def present(cluster: reading.Cluster) -> bool:
    return bool(cluster.of_kind(*KINDS))


def isolated(cluster: reading.Cluster, subject: pods.Pod, direction: str) -> truth.Truth:
    return truth.either(
        selects(policy, spec, subject) for policy, spec in rules_of(cluster) if denies_by_default(spec, direction)
    )


def denies_by_default(spec: dict[str, Any], direction: str) -> bool:
    asked = (spec.get("enableDefaultDeny") or {}).get(direction)
    return bool(spec.get(direction) or spec.get(f"{direction}Deny")) if asked is None else bool(asked)


def admits(
    cluster: reading.Cluster, subject: pods.Pod, other: networkpolicy.End, direction: str, asked: tuple[str, int]
) -> truth.Truth:
    return some_rule(direction, (cluster, subject, other, direction, asked))


def denies(
    cluster: reading.Cluster, subject: pods.Pod, other: networkpolicy.End, direction: str, asked: tuple[str, int]
) -> truth.Truth:
    return some_rule(f"{direction}Deny", (cluster, subject, other, direction, asked))


def some_rule(section: str, question: Question) -> truth.Truth:
    return truth.either(
        truth.both([selects(policy, spec, question[1]), rule_matches(policy, rule, section, question)])
        for policy, spec in rules_of(question[0])
        for rule in spec.get(section) or []
    )


def rules_of(cluster: reading.Cluster) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for policy in cluster.of_kind(*KINDS):
        for spec in cilium_checks.specs(policy):
            if spec.get("endpointSelector") is not None:  # a nodeSelector is about nodes, not pods
                yield policy, spec


def selects(policy: dict[str, Any], spec: dict[str, Any], pod: pods.Pod) -> truth.Truth:
    """Always in the policy's own namespace, if it has one: another one named here is taken out."""
    home = reading.home(policy) if policy["kind"] == "CiliumNetworkPolicy" else ""
    if home and home != pod.namespace:
        return False
    return endpoints_match(spec["endpointSelector"], pod, "", bool(home), ignored=(NAMESPACE,) if home else ())


def endpoints_match(
    selector: dict[str, Any], pod: pods.Pod, home: str, within: bool, ignored: tuple[str, ...] = ()
) -> truth.Truth:
    """Whether a pod's labels, its namespace among them, satisfy `selector`; `home` unless it names a namespace."""
    wanted = [(key, "In", [value]) for key, value in (selector.get("matchLabels") or {}).items()]
    more = [(e["key"], e["operator"], e.get("values") or []) for e in selector.get("matchExpressions") or []]
    requirements = [
        (bare(key), operator, values) for key, operator, values in wanted + more if bare(key) not in ignored
    ]
    if home and all(key != NAMESPACE for key, _, _ in requirements):
        requirements.append((NAMESPACE, "In", [home]))
    return truth.both(requirement(pod, within, *one) for one in requirements)


def bare(key: str) -> str:
    return key.removeprefix("k8s:").removeprefix("any:")


def requirement(pod: pods.Pod, within: bool, key: str, operator: str, values: list[str]) -> truth.Truth:
    if ":" in key or key == "io.cilium.k8s.policy.cluster" or (within and key.startswith(NAMESPACE_LABELS)):
        return truth.Unknown(f"what Cilium matches the label {key} against")
    if IRRELEVANT.match(key):
        return truth.Unknown(f"{key} is no part of an endpoint's identity unless Cilium is told so")
    known: dict[str, str | truth.Unknown] = {**pod.labels}
    known.update({NAMESPACE_LABELS + name: value for name, value in pod.namespace_labels.items()})
    known.update({NAMESPACE: pod.namespace, "io.cilium.k8s.policy.serviceaccount": pod.service_account})
    return labels.holds(operator, known.get(key), values)


def rule_matches(policy: dict[str, Any], rule: dict[str, Any], section: str, question: Question) -> truth.Truth:
    _, subject, other, direction, asked = question
    destination = subject if direction == "ingress" else other
    if not rule:
        return truth.Unknown("what an empty deny rule denies") if section.endswith("Deny") else False
    if any(rule.get(key) for key in UNSUPPORTED):
        return truth.Unknown("a member of a Cilium rule beyond endpoints, entities, blocks and ports")
    return truth.both([peers_match(policy, rule, direction, other), ports_match(rule, destination, asked)])


def peers_match(policy: dict[str, Any], rule: dict[str, Any], direction: str, other: networkpolicy.End) -> truth.Truth:
    members = [key for key in cilium_checks.MEMBERS[direction] if rule.get(key) is not None]
    if any(rule[key] == [] for key in members):
        return truth.Unknown("what an empty list of peers means to Cilium")
    if not members:
        return True
    return truth.either(member_matches(policy, members[0], one, other) for one in rule[members[0]])


def member_matches(policy: dict[str, Any], member: str, one: Any, other: networkpolicy.End) -> truth.Truth:
    if member.endswith("Entities"):
        return entity_matches(one, other)
    if networkpolicy.on_host(other):
        return truth.Unknown("which Cilium identity a node's address has")
    if member.endswith("Endpoints"):
        home = reading.home(policy) if policy["kind"] == "CiliumNetworkPolicy" else ""
        return isinstance(other, pods.Pod) and endpoints_match(one, other, home, bool(home))
    if member in ("toServices", "toFQDNs"):
        return truth.Unknown(f"what {member} resolves to")
    return isinstance(other, addresses.Address) and block_holds(one, other)


def block_holds(one: Any, other: addresses.Address) -> truth.Truth:
    if isinstance(one, str):
        return cilium_checks.block(one, "toCIDR").holds(other.ip)
    if not one.get("cidr"):
        return truth.Unknown("the blocks that a CiliumCIDRGroup or a label of it names")
    return addresses.block(one["cidr"], one.get("except"), "toCIDRSet").holds(other.ip)


def entity_matches(entity: str, other: networkpolicy.End) -> truth.Truth:
    if entity == "all":
        return True
    if networkpolicy.on_host(other):
        return entity == "cluster" or truth.Unknown("whether a node is the pod's own, another, or the API server's")
    if isinstance(other, pods.Pod):
        return entity == "cluster"
    if entity == "kube-apiserver":
        return truth.Unknown("whether an address outside is the API server's")
    return entity == "world" or entity == f"world-ipv{other.ip.version}"


def ports_match(rule: dict[str, Any], destination: networkpolicy.End, asked: tuple[str, int]) -> truth.Truth:
    entries = rule.get("toPorts") or []
    return not entries or truth.either(entry_matches(entry, destination, asked) for entry in entries)


def entry_matches(entry: dict[str, Any], destination: networkpolicy.End, asked: tuple[str, int]) -> truth.Truth:
    if not entry.get("ports"):
        return truth.Unknown("what a port rule without ports restricts")
    matched = truth.either(port_matches(port, destination, asked) for port in entry["ports"])
    if set(entry) != {"ports"} and matched is True:
        return truth.Unknown("layer 7 rules decide request by request")
    return matched


def port_matches(port: dict[str, Any], destination: networkpolicy.End, asked: tuple[str, int]) -> truth.Truth:
    protocols = ports.PROTOCOLS if port.get("protocol") in (None, "", "ANY") else (port["protocol"],)
    if not port["port"].isdigit():
        names = () if isinstance(destination, addresses.Address) else destination.ports
        return ports.resolve(port["port"].lower(), protocols, names, asked)
    first = int(port["port"])
    last = max(int(port.get("endPort") or 0), first)
    return asked[0] in protocols and (first == 0 or first <= asked[1] <= last)
