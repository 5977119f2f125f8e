"""The smallest change of a policy of another kind that would allow what it, or what it does not say, denies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import connections, findings, intervals
from groundplan.proof.explain import changes, layers
from groundplan.proof.model import build, istio, policies, statements, workloads

_NEWER = "ClusterNetworkPolicy"


def openings(near: changes.Near, side: layers.Side, wanted: intervals.Intervals) -> Iterator[changes.Change]:
    """One change for each rule that denies some of what is wanted, where a change of its policy can help."""
    for step in side.steps:
        ports = intervals.intersection(step.ports, wanted)
        if step.allowed or not ports:
            continue
        if step.rule is not None and isinstance(step.rule.policy, statements.Policy):
            yield _before(near, side, step.rule, step.rule.policy, ports)
        elif step.rule is not None:
            yield _narrow(step.rule)
        elif step.by == layers.MESH:
            yield from _identity(side, ports)
        elif side.closers:
            yield _cilium(near, side, ports)


def _before(
    near: changes.Near, side: layers.Side, rule: layers.Rule, policy: statements.Policy, ports: intervals.Intervals
) -> changes.Change:
    """A tier takes the first rule that matches; Cilium denies first, so there the rule itself has to go."""
    other = side.other.workload
    if policy.layer == statements.CILIUM or (other is None and side.direction == policies.INGRESS):
        return _narrow(rule)
    newer = policy.document.kind == _NEWER
    peer = _pods(near, other) if other is not None else {"networks": changes.cidrs(side.other)}
    made = {
        "action": "Accept" if newer else "Allow",
        "from" if side.direction == policies.INGRESS else "to": [peer],
        "protocols" if newer else "ports": [_new(each) if newer else _old(each) for each in connections.triples(ports)],
    }
    if ports == connections.ALL:
        del made["protocols" if newer else "ports"]
    *path, number = rule.path
    at = int(number)
    return changes.Change(_name(policy), tuple(path), rule.place, changes.text([made]), policy.document.kind, at)


def _name(policy: statements.Policy | istio.Authorization) -> str:
    return policy.title.partition(" ")[2]


def _pods(near: changes.Near, other: workloads.Workload) -> dict[str, Any]:
    return {
        "pods": {
            "namespaceSelector": {"matchLabels": {build.NAME_LABEL: other.namespace}},
            "podSelector": {"matchLabels": changes.distinguishing(near, other)},
        }
    }


def _new(triple: tuple[str, int, int]) -> dict[str, Any]:
    protocol, first, last = triple
    port = {"number": first} if first == last else {"range": {"start": first, "end": last}}
    return {protocol.lower(): {"destinationPort": port}}


def _old(triple: tuple[str, int, int]) -> dict[str, Any]:
    protocol, first, last = triple
    if first == last:
        return {"portNumber": {"protocol": protocol, "port": first}}
    return {"portRange": {"protocol": protocol, "start": first, "end": last}}


def _narrow(rule: layers.Rule) -> changes.Change:
    return changes.Change(_name(rule.policy), rule.path, rule.place, "", rule.policy.document.kind)


def _identity(side: layers.Side, ports: intervals.Intervals) -> Iterator[changes.Change]:
    """A rule more for a policy of Istio's that allows; a pod outside the mesh has no identity to name."""
    own = side.subject.workload
    if not side.guards or own is None:
        return
    # One of its own namespace before one for the whole mesh: the change should open nothing for others.
    policy = max(side.guards, key=lambda each: each.namespace == own.namespace)
    made: dict[str, Any] = {}
    if side.other.workload is None:
        made["from"] = [{"source": {"ipBlocks": changes.cidrs(side.other)}}]
    elif side.identified:
        made["from"] = [{"source": {"namespaces": [side.other.workload.namespace]}}]
    numbers = [str(n) for _, first, last in connections.triples(ports) for n in range(first, last + 1)]
    if len(numbers) <= _FEW:
        made["to"] = [{"operation": {"ports": numbers}}]
    place = policy.document.place("spec", "rules")
    yield changes.Change(_name(policy), ("spec", "rules"), place, changes.text([made]), policy.document.kind)


_FEW = 16
"""Ports that are listed one by one: Istio has no ranges."""


def _cilium(near: changes.Near, side: layers.Side, ports: intervals.Intervals) -> changes.Change:
    word = "from" if side.direction == policies.INGRESS else "to"
    made: dict[str, Any] = {}
    other = side.other.workload
    if other is None:
        made[f"{word}CIDR"] = changes.cidrs(side.other)
    else:
        labels = {"k8s:io.kubernetes.pod.namespace": other.namespace, **changes.distinguishing(near, other)}
        made[f"{word}Endpoints"] = [{"matchLabels": labels}]
    if ports != connections.ALL:
        made["toPorts"] = [{"ports": [_cilium_port(each) for each in connections.triples(ports)]}]
    policy = max(side.closers, key=lambda each: len(each.subjects.pods))
    # Several specs may stand in one document; a rule's path says which, and an isolating one has some.
    own = next((each.path[:-2] for each in policy.statements), ("spec",))
    path = (*own, side.direction.lower())
    return changes.Change(_name(policy), path, _place(policy, path), changes.text([made]), policy.document.kind)


def _place(policy: statements.Policy, path: tuple[str | int, ...]) -> findings.Place:
    return policy.document.place(*path)


def _cilium_port(triple: tuple[str, int, int]) -> dict[str, Any]:
    protocol, first, last = triple
    if (first, last) == (1, connections.LAST):
        return {"port": "0", "protocol": protocol}
    return {"port": str(first), "protocol": protocol, **({"endPort": last} if last > first else {})}
