"""Rules that deny, written anew so that they deny all they did but one connection.

Such a rule becomes two at most: one for all its ports that leaves the other end out, and one for the other end's sake
that leaves the ports out.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from groundplan.proof import addresses, cluster, connections, ends, intervals
from groundplan.proof.explain import changes, layers
from groundplan.proof.model import cilium, istio, policies, statements, workloads
from groundplan.proof.reach import bits, mesh
from groundplan.proof.reach import layers as reach_layers
from groundplan.proof.reach import sides as reach_sides

FEW = 16
"""Ports that are listed one by one: Istio has no ranges."""
_NAMESPACE = f"k8s:{cilium.NAMESPACE}"


def name(policy: statements.Policy | istio.Authorization) -> str:
    """`namespace/name`, or the name."""
    return policy.title.partition(" ")[2]


def towards(whole: cluster.Cluster, other: ends.End, usable: Callable[[str], bool] = changes.every) -> tuple[str, ...]:
    """Whoever is selected beside another end, where labels select that."""
    if other.workload is None:
        return ()
    labels = changes.distinguishing(whole, other.workload, usable)
    return changes.titles(changes.alike(whole, other.workload, labels), other.workload)


def port(triple: tuple[str, int, int]) -> dict[str, Any]:
    """As Cilium writes it."""
    protocol, first, last = triple
    if (first, last) == (1, connections.LAST):
        return {"port": "0", "protocol": protocol}
    return {"port": str(first), "protocol": protocol, **({"endPort": last} if last > first else {})}


def endpoint(whole: cluster.Cluster, other: workloads.Workload) -> dict[str, str]:
    """The labels of another end, as Cilium sees them."""
    return {_NAMESPACE: other.namespace, **changes.distinguishing(whole, other, cilium.identifies)}


def cilium_deny(
    whole: cluster.Cluster, side: layers.Side, rule: layers.Rule, ports: intervals.Intervals
) -> changes.Change:
    """A rule of Cilium's that denies, but not this."""
    policy = rule.policy
    assert isinstance(policy, statements.Policy)
    place: Any = policy.document.data
    for step in rule.path:
        place = place[step]
    made = list(_rules(whole, side, place, ports))
    title, kind = name(policy), policy.document.kind
    if not made:
        return changes.Change(title, rule.path, rule.place, "", kind)
    work = reach_layers.Work(whole.index, side.direction, reach_sides.Reading.MOST)
    some = bits.members(work.pods(policy.subjects)[1])
    held = [member for number in some for member in whole.universe.classes[number].members]
    return changes.Change(
        title, rule.path, rule.place, changes.text(made), kind, instead=True,
        subjects=changes.titles(held, side.subject.workload), peers=towards(whole, side.other, cilium.identifies),
    )  # fmt: skip


def _rules(
    whole: cluster.Cluster, side: layers.Side, rule: dict[str, Any], ports: intervals.Intervals
) -> Iterator[dict[str, Any]]:
    word = "from" if side.direction == policies.INGRESS else "to"
    peers = _others(whole, side.other, word, rule)
    if peers is None:
        return
    kept = {key: value for key, value in rule.items() if not key.startswith(word) or key == "toPorts"}
    if peers:
        yield {**kept, **peers}
    listed = cilium.ports(rule)
    rest = intervals.difference(listed.numbers, ports)
    # A name stands for other numbers elsewhere: such a rule is left to its author.
    if listed.names:
        return
    if rest:
        yield {**rule, "toPorts": [{"ports": [port(each) for each in connections.triples(rest)]}]}


def _others(whole: cluster.Cluster, other: ends.End, word: str, rule: dict[str, Any]) -> dict[str, Any] | None:
    """The peers of a rule but for one end; None where no words say that."""
    members = {
        key.removeprefix(word): value for key, value in rule.items() if key.startswith(word) and key != "toPorts"
    }
    if other.workload is not None and set(members) == {"Endpoints"}:
        found = [each for one in members["Endpoints"] for each in _but(whole, one or {}, other.workload)]
        return {f"{word}Endpoints": found}
    if other.workload is None and members.keys() <= {"CIDR", "CIDRSet"} and members:
        return _blocks(other, word, members)
    return None


def _but(whole: cluster.Cluster, selector: dict[str, Any], other: workloads.Workload) -> Iterator[dict[str, Any]]:
    """A selector without one workload: once for each of the labels that tell it, as any of them differing will do."""
    keys = [*(selector.get("matchLabels") or {}), *(one.get("key") for one in selector.get("matchExpressions") or ())]
    labels = endpoint(whole, other)
    if not any(str(key).removeprefix("k8s:").removeprefix("any:") == cilium.NAMESPACE for key in keys):
        labels.pop(_NAMESPACE)  # it is for its own namespace alone, until it says another
    for key, value in labels.items():
        made = copy.deepcopy(selector)
        made.setdefault("matchExpressions", []).append({"key": key, "operator": "NotIn", "values": [value]})
        yield made


def _blocks(other: ends.End, word: str, members: dict[str, Any]) -> dict[str, Any]:
    sets = [{"cidr": each} for each in members.get("CIDR") or ()] + [
        dict(each) for each in members.get("CIDRSet") or ()
    ]
    found = []
    for each in sets:
        covers = addresses.parse(str(each.get("cidr", "")))
        common = intervals.intersection(covers, other.addresses)
        if common == covers:
            continue
        if common:
            held = [cidr for low, high in common for cidr in addresses.cidrs(low, high)]
            each["except"] = [*(each.get("except") or ()), *held]
        found.append(each)
    return {f"{word}CIDRSet": found} if found else {}


def principal(other: workloads.Workload) -> str:
    """The identity of a pod in the mesh, whichever its trust domain is."""
    return f"*/ns/{other.namespace}/sa/{other.account}"


def same_account(whole: cluster.Cluster, other: workloads.Workload) -> tuple[str, ...]:
    """Whoever has the identity of another end too."""
    near = whole.neighbours(other.namespace)
    return changes.titles((each for each in near if each.account == other.account), other)


def istio_deny(
    whole: cluster.Cluster, side: layers.Side, rule: layers.Rule, policy: istio.Authorization,
    ports: intervals.Intervals,
) -> changes.Change:  # fmt: skip
    """A rule of Istio's that denies, but not this."""
    made: list[dict[str, Any]] = []
    said = policy.document.data["spec"]["rules"][rule.path[-1]] or {}
    other = side.other.workload
    numbers = [str(n) for _, first, last in connections.triples(ports) for n in range(first, last + 1)]
    if other is None:
        out = {"notIpBlocks": changes.cidrs(side.other)}
    elif side.identified:
        out = {"notPrincipals": [principal(other)]}
    else:
        out = {}
    if out:
        made.append({**said, "from": [_and(each, "source", out) for each in said.get("from") or [{}]]})
    if len(numbers) <= FEW and policy.rules[int(rule.path[-1])].ports != ports:
        made.append({**said, "to": [_and(each, "operation", {"notPorts": numbers}) for each in said.get("to") or [{}]]})
    around = mesh.Mesh(whole.index, whole.model.mesh)
    some = (each for each in whole.universe.classes if around.selects(policy, each) is not False)
    subjects = changes.titles((member for each in some for member in each.members), side.subject.workload)
    peers = same_account(whole, other) if other is not None and out else () if out else ("everybody",)
    text = changes.text(made) if made else ""
    return changes.Change(
        name(policy),
        rule.path,
        rule.place,
        text,
        policy.document.kind,
        instead=bool(made),
        subjects=subjects,
        peers=peers,
    )


def _and(each: dict[str, Any] | None, word: str, more: dict[str, list[str]]) -> dict[str, Any]:
    inner = dict((each or {}).get(word) or {})
    for key, values in more.items():
        inner[key] = [*(inner.get(key) or ()), *values]
    return {word: inner}
