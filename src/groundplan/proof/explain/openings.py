"""The smallest change of policies of other kinds that would allow what they deny, or do not allow."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from groundplan.proof import cluster, connections, intervals
from groundplan.proof.explain import changes, layers, narrowings, sides
from groundplan.proof.model import build, cilium, istio, policies, statements, workloads
from groundplan.proof.reach import bits, mesh
from groundplan.proof.reach import layers as reach_layers
from groundplan.proof.reach import sides as reach_sides

_NEWER = "ClusterNetworkPolicy"


def openings(
    whole: cluster.Cluster, side: layers.Side, plain: sides.Side | None, wanted: intervals.Intervals
) -> Iterator[changes.Change]:
    """All the changes that one side needs: before rules of tiers, of rules that deny, and where nothing allows."""
    yield from _tiers(whole, side, wanted)
    admin = _union(each.ports for each in side.steps if each.by == statements.ADMIN)
    left = intervals.difference(wanted, admin)
    denying = [each for each in side.rules if each.action == statements.DENY and each.matches]
    for rule in denying:
        ports = intervals.intersection(rule.ports, left)
        if ports and isinstance(rule.policy, statements.Policy) and rule.policy.layer == statements.CILIUM:
            yield narrowings.cilium_deny(whole, side, rule, ports)
    yield from _isolated(whole, side, plain, left)
    for rule in denying:
        ports = intervals.intersection(rule.ports, wanted)
        if ports and isinstance(rule.policy, istio.Authorization):
            yield narrowings.istio_deny(whole, side, rule, rule.policy, ports)
    if side.guards:
        named = _allowed(side, istio.Authorization)
        missing = intervals.difference(intervals.intersection(wanted, istio.TCP), named)
        if missing:
            yield _identity(whole, side, missing)


def _union(some: Iterable[intervals.Intervals]) -> intervals.Intervals:
    return functools.reduce(intervals.union, some, intervals.NONE)


def _allowed(side: layers.Side, kind: type) -> intervals.Intervals:
    """What the rules of a kind of policies surely allow, whatever others deny; tiers say themselves what is first."""
    some = (each for each in side.rules if isinstance(each.policy, kind) and each.action == statements.ALLOW)
    return _union(
        each.ports for each in some
        if each.matches and getattr(each.policy, "layer", statements.CILIUM) == statements.CILIUM
    )  # fmt: skip


def _isolated(
    whole: cluster.Cluster, side: layers.Side, plain: sides.Side | None, left: intervals.Intervals
) -> Iterator[changes.Change]:
    holds = plain is not None and any(view.holds for view in plain.policies)
    if not side.closers and not holds:
        return
    allowed = _allowed(side, statements.Policy)
    if plain is not None and plain.policies:
        allowed = intervals.union(allowed, plain.allowed)
    missing = intervals.difference(left, allowed)
    if missing and side.closers:
        yield _cilium(whole, side, missing)
    elif missing and plain is not None:
        yield changes.change(whole, plain, side.other, missing)


def _tiers(whole: cluster.Cluster, side: layers.Side, wanted: intervals.Intervals) -> Iterator[changes.Change]:
    """One change for each policy that denies some of it."""
    denied: dict[int, list[tuple[layers.Rule, intervals.Intervals]]] = {}
    for step in side.steps:
        ports = intervals.intersection(step.ports, wanted)
        if step.rule is not None and step.by in (statements.ADMIN, statements.BASELINE) and not step.allowed and ports:
            denied.setdefault(id(step.rule.policy), []).append((step.rule, ports))
    taken = {each.document.name for each in whole.model.beside}
    for some in denied.values():
        rule, policy = some[0][0], some[0][0].policy
        if isinstance(policy, statements.Policy):
            made = _before(whole, side, rule, policy, _union(ports for _, ports in some), taken)
            taken.add(made.policy)
            yield made


def held(whole: cluster.Cluster, policy: statements.Policy) -> list[workloads.Workload]:
    """The workloads that a policy is, or may be, for."""
    work = reach_layers.Work(whole.index, policies.INGRESS, reach_sides.Reading.MOST)
    classes = bits.members(work.pods(policy.subjects)[1])
    return [member for number in classes for member in whole.universe.classes[number].members]


def _before(
    whole: cluster.Cluster, side: layers.Side, rule: layers.Rule, policy: statements.Policy,
    ports: intervals.Intervals, taken: set[str],
) -> changes.Change:  # fmt: skip
    """A tier takes the first rule that matches: one before it, in a policy of its own where this is for others too."""
    own, other = _workload(side), side.other
    labels = changes.distinguishing(whole, own)
    near = changes.titles(changes.alike(whole, own, labels), own)
    towards = narrowings.towards(whole, other)
    made = _accept(whole, side, policy, ports)
    subjects = changes.titles(held(whole, policy), own)
    if set(subjects) <= set(near) or not policy.priority or policy.document.kind == "BaselineAdminNetworkPolicy":
        *path, number = rule.path
        kind, at = policy.document.kind, int(number)
        return changes.Change(
            narrowings.name(policy),
            tuple(path),
            rule.place,
            changes.text([made]),
            kind,
            at,
            subjects=subjects,
            peers=towards,
        )
    name = changes.free(own, side.direction, other, taken)
    spec = {key: value for key, value in policy.document.data["spec"].items() if key == "tier"}
    spec |= {"priority": policy.priority - 1, "subject": _pods(own, labels), side.direction.lower(): [made]}
    return _new(policy, {"name": name}, spec, near, towards)


def _new(
    like: statements.Policy | istio.Authorization, metadata: dict[str, str], spec: dict[str, Any],
    subjects: tuple[str, ...], peers: tuple[str, ...], kind: str = "",
) -> changes.Change:  # fmt: skip
    """An object of its own, beside the one that it makes up for."""
    data, kind = like.document.data, kind or like.document.kind
    document = {"apiVersion": data["apiVersion"], "kind": kind, "metadata": metadata, "spec": spec}
    title = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    place = like.document.place("metadata", "name")
    return changes.Change(title, (), place, changes.text(document), kind, subjects=subjects, peers=peers)


def _workload(side: layers.Side) -> workloads.Workload:
    assert side.subject.workload is not None  # only pods have sides
    return side.subject.workload


def _accept(
    whole: cluster.Cluster, side: layers.Side, policy: statements.Policy, ports: intervals.Intervals
) -> dict[str, Any]:
    newer, other = policy.document.kind == _NEWER, side.other.workload
    if other is None:
        peer: dict[str, Any] = {"networks": changes.cidrs(side.other)}
    else:
        peer = _pods(other, changes.distinguishing(whole, other))
    made: dict[str, Any] = {
        "action": "Accept" if newer else "Allow",
        "from" if side.direction == policies.INGRESS else "to": [peer],
    }
    if ports != connections.ALL:
        listed = connections.triples(ports)
        made["protocols" if newer else "ports"] = [_newer(each) if newer else _older(each) for each in listed]
    return made


def _pods(one: workloads.Workload, labels: dict[str, str]) -> dict[str, Any]:
    namespaces = {"matchLabels": {build.NAME_LABEL: one.namespace}}
    return {"pods": {"namespaceSelector": namespaces, "podSelector": {"matchLabels": labels}}}


def _newer(triple: tuple[str, int, int]) -> dict[str, Any]:
    protocol, first, last = triple
    port = {"number": first} if first == last else {"range": {"start": first, "end": last}}
    return {protocol.lower(): {"destinationPort": port}}


def _older(triple: tuple[str, int, int]) -> dict[str, Any]:
    protocol, first, last = triple
    if first == last:
        return {"portNumber": {"protocol": protocol, "port": first}}
    return {"portRange": {"protocol": protocol, "start": first, "end": last}}


def _identity(whole: cluster.Cluster, side: layers.Side, ports: intervals.Intervals) -> changes.Change:
    """A rule more for a policy of Istio's that allows; a pod outside the mesh has no identity to name."""
    own, other = _workload(side), side.other.workload
    made: dict[str, Any] = {}
    peers: tuple[str, ...] = ()
    if other is None:
        made["from"] = [{"source": {"ipBlocks": changes.cidrs(side.other)}}]
    elif side.identified:
        made["from"] = [{"source": {"principals": [narrowings.principal(other)]}}]
        peers = narrowings.same_account(whole, other)
    else:
        peers = ("everybody",)
    numbers = [str(n) for _, first, last in connections.triples(ports) for n in range(first, last + 1)]
    if len(numbers) <= narrowings.FEW:
        made["to"] = [{"operation": {"ports": numbers}}]
    found = {id(each): _guarded(whole, each, own) for each in side.guards}
    policy = min(side.guards, key=lambda each: len(found[id(each)]))
    labels = changes.distinguishing(whole, own)
    near = changes.titles(changes.alike(whole, own, labels), own)
    if set(found[id(policy)]) <= set(near):
        place = policy.document.place("spec", "rules")
        kind, subjects = policy.document.kind, found[id(policy)]
        return changes.Change(
            narrowings.name(policy),
            ("spec", "rules"),
            place,
            changes.text([made]),
            kind,
            subjects=subjects,
            peers=peers,
        )
    taken = {each.document.name for each in whole.model.mesh if each.namespace == own.namespace}
    metadata = {"name": changes.free(own, side.direction, side.other, taken), "namespace": own.namespace}
    return _new(policy, metadata, {"selector": {"matchLabels": labels}, "rules": [made]}, near, peers)


def _guarded(whole: cluster.Cluster, policy: istio.Authorization, own: workloads.Workload) -> tuple[str, ...]:
    around = mesh.Mesh(whole.index, whole.model.mesh)
    some = (each for each in whole.universe.classes if around.selects(policy, each) is not False)
    return changes.titles((member for each in some for member in each.members), own)


def _cilium(whole: cluster.Cluster, side: layers.Side, ports: intervals.Intervals) -> changes.Change:
    own, made = _workload(side), _allow(whole, side, ports)
    found = {id(each): changes.titles(held(whole, each), own) for each in side.closers}
    policy = min(side.closers, key=lambda each: len(found[id(each)]))
    labels = changes.distinguishing(whole, own, cilium.identifies)
    near = changes.titles(changes.alike(whole, own, labels), own)
    towards = narrowings.towards(whole, side.other, cilium.identifies)
    direction = side.direction.lower()
    if set(found[id(policy)]) <= set(near):
        # Several specs may stand in one document; a rule's path says which, and an isolating one has some.
        steps = next((each.path[:-2] for each in policy.statements), ("spec",))
        path = (*steps, direction)
        place, kind, subjects = policy.document.place(*path), policy.document.kind, found[id(policy)]
        return changes.Change(
            narrowings.name(policy), path, place, changes.text([made]), kind, subjects=subjects, peers=towards
        )
    taken = {each.document.name for each in whole.model.beside}
    metadata = {"name": changes.free(own, side.direction, side.other, taken), "namespace": own.namespace}
    spec = {"endpointSelector": {"matchLabels": labels}, direction: [made]}
    return _new(policy, metadata, spec, near, towards, "CiliumNetworkPolicy")


def _allow(whole: cluster.Cluster, side: layers.Side, ports: intervals.Intervals) -> dict[str, Any]:
    word = "from" if side.direction == policies.INGRESS else "to"
    made: dict[str, Any] = {}
    if side.other.workload is None:
        made[f"{word}CIDR"] = changes.cidrs(side.other)
    else:
        made[f"{word}Endpoints"] = [{"matchLabels": narrowings.endpoint(whole, side.other.workload)}]
    if ports != connections.ALL:
        made["toPorts"] = [{"ports": [narrowings.port(each) for each in connections.triples(ports)]}]
    return made
