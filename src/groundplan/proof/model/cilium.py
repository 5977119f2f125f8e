"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy v2, layers 3 and 4.

Layer 7, names and groups are there as what they may match. Source: docs.cilium.io, "Layer 3 Examples", "Layer 4
Examples", "Deny Policies"; pkg/policy/api.
"""

from __future__ import annotations

import functools
from typing import Any

from groundplan.proof import addresses, connections, fields, intervals
from groundplan.proof.manifests import documents
from groundplan.proof.model import policies, selectors, shapes, statements

Wrong = list[tuple[str, str]]
NAMESPACE, NAMESPACE_LABELS = "io.kubernetes.pod.namespace", "io.cilium.k8s.namespace.labels."
_IDENTITY = "io.cilium.k8s.policy."
SECTIONS = (
    ("ingress", policies.INGRESS, statements.ALLOW), ("ingressDeny", policies.INGRESS, statements.DENY),
    ("egress", policies.EGRESS, statements.ALLOW), ("egressDeny", policies.EGRESS, statements.DENY),
)  # fmt: skip
FIELDS = frozenset({"endpointSelector", "nodeSelector", "labels", "description", "enableDefaultDeny", "log"})
_MEMBERS = ("Endpoints", "CIDR", "CIDRSet", "Entities", "FQDNs", "Services", "Groups", "Nodes", "Requires")
_OTHER = frozenset({"toPorts", "icmps", "authentication"})
ENTITIES = (
    "all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "kube-apiserver", "health", "init",
    "unmanaged", "ingress", "none",
)  # fmt: skip


def read(document: documents.Document, namespace: str) -> tuple[tuple[statements.Policy, ...], Wrong]:
    """The rules of a policy, each with its own subjects, and what the API server would refuse."""
    wrong: Wrong = []
    specs = document.data.get("specs") or []
    if not isinstance(specs, list):
        raise ValueError("specs is no list")
    given = [("specs", number, each) for number, each in enumerate(specs)]
    named: list[tuple[tuple[str | int, ...], Any]] = [((path, number), each) for path, number, each in given]
    if document.data.get("spec") is not None:
        named.insert(0, (("spec",), document.data["spec"]))
    if not named:
        raise ValueError("it has neither spec nor specs")
    return tuple(_policy(document, namespace, path, _mapping(spec, path), wrong) for path, spec in named), wrong


def _mapping(value: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{fields.dotted(path)} is no mapping")
    return value


def _policy(
    document: documents.Document, namespace: str, path: tuple[str | int, ...], spec: dict[str, Any], wrong: Wrong
) -> statements.Policy:
    for key in spec.keys() - FIELDS - {name for name, _, _ in SECTIONS}:
        wrong.append((fields.dotted(path), f"unknown field {key!r}"))
    if ("endpointSelector" in spec) == ("nodeSelector" in spec):
        wrong.append((fields.dotted(path), "it needs exactly one of endpointSelector and nodeSelector"))
    subjects = _endpoints(spec.get("endpointSelector"), namespace, (*path, "endpointSelector"), wrong, subject=True)
    if "nodeSelector" in spec:
        # Host policies hold nodes, which are no pods.
        subjects = statements.Pods(pods=(selectors.Term(selectors.MAYBE, "In", (selectors.MAYBE,)),))
    found: list[statements.Statement] = []
    isolates: set[str] = set()
    switched = spec.get("enableDefaultDeny") or {}
    for section, direction, action in SECTIONS:
        rules = spec.get(section) or []
        if rules and switched.get(direction.lower()) is not False:
            isolates.add(direction)
        for number, rule in enumerate(rules):
            where = (*path, section, number)
            found.extend(_rule(_mapping(rule, where), namespace, direction, action, where, wrong))
    isolates |= {name for name in (policies.INGRESS, policies.EGRESS) if switched.get(name.lower()) is True}
    return statements.Policy(statements.CILIUM, 0, subjects, tuple(found), tuple(sorted(isolates)), document)


def _rule(
    rule: dict[str, Any], namespace: str, direction: str, action: str, path: tuple[str | int, ...], wrong: Wrong
) -> list[statements.Statement]:
    prefix = "from" if direction == policies.INGRESS else "to"
    known = {f"{prefix}{name}" for name in _MEMBERS} | _OTHER
    for key in rule.keys() - known:
        wrong.append((fields.dotted(path), f"unknown field {key!r}"))
    members = [name for name in _MEMBERS if rule.get(f"{prefix}{name}") is not None and name != "Requires"]
    if len(members) > 1 and set(members) != {"CIDR", "CIDRSet"}:
        wrong.append((fields.dotted(path), f"{' and '.join(prefix + each for each in members)} cannot be combined"))
    # What a rule for ICMP means for ports, no source says.
    conditional = bool(rule.get(f"{prefix}Requires") or rule.get("authentication") or rule.get("icmps"))
    peers = [peer for name in members for peer in _peers(name, rule[f"{prefix}{name}"], namespace, path, wrong)]
    if not members:
        if not (rule.get("toPorts") or rule.get("icmps")):
            return []
        peers = [statements.Everywhere()]
    return [
        statements.Statement(direction, action, tuple(peers), ports, path, conditional or layer7)
        for ports, layer7 in _ports(rule.get("toPorts"), path, wrong)
    ]


def _peers(name: str, given: Any, namespace: str, path: tuple[str | int, ...], wrong: Wrong) -> list[statements.Peer]:
    if not isinstance(given, list):
        raise ValueError(f"{fields.dotted(path)}: {name} is no list")
    if name == "Endpoints":
        # Whether selectors take in the identities of nodes depends on the version and its settings.
        pods: list[statements.Peer] = [_endpoints(each, namespace, path, wrong) for each in given]
        return [*pods, statements.Nodes(known=True)] if pods else []
    if name == "CIDR":
        return [statements.Networks(_cidr(each, path, wrong)) for each in given]
    if name == "CIDRSet":
        return [_cidr_set(_mapping(each, path), path, wrong) for each in given]
    if name == "Entities":
        return [peer for each in given for peer in _entity(each, path, wrong)]
    if name == "Nodes":
        return [statements.Nodes()]
    if name == "Services":
        return [statements.Pods(unsure=True), statements.Networks(addresses.ALL, unsure=True)]
    return [statements.Networks(addresses.ALL, unsure=True)]


def _endpoints(
    given: Any, namespace: str, path: tuple[str | int, ...], wrong: Wrong, *, subject: bool = False
) -> statements.Pods:
    """Pods of a selector. The subjects of a namespaced policy are its own namespace's, whatever the selector says."""
    shape: shapes.LabelSelector = shapes.convert({} if given is None else given, shapes.LabelSelector)
    terms: list[tuple[str, str, tuple[str, ...]]] = []
    terms.extend((key, "In", (value,)) for key, value in (shape.match_labels or {}).items())
    expressions = shape.match_expressions or ()
    terms.extend((each.key, each.operator, tuple(sorted(set(each.values or ())))) for each in expressions)
    where: list[selectors.Term] = []
    pods: list[selectors.Term] = []
    unsure, own = False, bool(namespace)
    for key, operator, values in terms:
        if operator not in selectors.OPERATORS or (operator in ("In", "NotIn")) != bool(values):
            wrong.append((fields.dotted(path), f"operator {operator} of {key} does not fit its values"))
        plain = key.removeprefix("k8s:").removeprefix("any:")
        if plain == NAMESPACE and subject and namespace:
            continue
        if plain == NAMESPACE:
            own = False
            if operator != "Exists":
                where.append(selectors.Term("kubernetes.io/metadata.name", operator, values))
        elif plain.startswith(NAMESPACE_LABELS):
            where.append(selectors.Term(plain.removeprefix(NAMESPACE_LABELS), operator, values))
        elif plain.startswith(_IDENTITY) or ":" in plain or _without_identity(plain):
            unsure = True
        else:
            pods.append(selectors.Term(plain, operator, values))
    if own:
        where.append(selectors.Term("kubernetes.io/metadata.name", "In", (namespace,)))
    return statements.Pods(tuple(sorted(where)), tuple(sorted(pods)), unsure)


def identifies(label: str) -> bool:
    """May a selector ask for this label of a pod?"""
    return ":" not in label and not label.startswith(_IDENTITY) and not _without_identity(label)


def _without_identity(label: str) -> bool:
    """Labels that Cilium leaves out of identities unless it is set up otherwise: no selector then matches them.

    Source: docs.cilium.io, "Limiting Identity-Relevant Labels", the default exclusions.
    """
    domain = label.split("/", 1)[0] if "/" in label else ""
    kubernetes = domain.endswith(("kubernetes.io", "k8s.io")) and domain != "app.kubernetes.io"
    return kubernetes or label in ("pod-template-hash", "controller-revision-hash", "pod-template-generation")


def _cidr(given: Any, path: tuple[str | int, ...], wrong: Wrong) -> intervals.Intervals:
    try:
        return addresses.parse(str(given)) if "-" not in str(given) else ()
    except ValueError as error:
        wrong.append((fields.dotted(path), f"{given!r} is no CIDR: {error}"))
        return ()


def _cidr_set(given: dict[str, Any], path: tuple[str | int, ...], wrong: Wrong) -> statements.Peer:
    if "cidr" not in given:
        return statements.Networks(addresses.ALL, unsure=True)
    covers = _cidr(given["cidr"], path, wrong)
    for each in given.get("except") or ():
        covers = intervals.difference(covers, _cidr(each, path, wrong))
    return statements.Networks(covers)


def _entity(name: Any, path: tuple[str | int, ...], wrong: Wrong) -> list[statements.Peer]:
    if name not in ENTITIES:
        wrong.append((fields.dotted(path), f"{name!r} is no entity: {', '.join(ENTITIES)}"))
    worlds = {"world": addresses.ALL, "world-ipv4": addresses.ALL_V4, "world-ipv6": addresses.ALL_V6}
    if name == "all":
        return [statements.Everywhere()]
    if name in worlds:
        return [statements.Networks(worlds[name])]
    if name == "cluster":
        return [statements.Pods(), statements.Nodes(all=True)]
    if name in ("host", "remote-node"):
        return [statements.Nodes()]
    if name == "kube-apiserver":
        return [statements.Nodes(), statements.Networks(addresses.ALL, unsure=True)]
    return []


def _ports(given: Any, path: tuple[str | int, ...], wrong: Wrong) -> list[tuple[statements.Ports, bool]]:
    if not given:
        return [(statements.Ports(), False)]
    found = []
    for number, each in enumerate(given):
        where = (*path, "toPorts", number)
        each = _mapping(each, where)
        layer7 = any(each.get(key) for key in ("rules", "listener", "terminatingTLS", "originatingTLS", "serverNames"))
        found.append((_port_list(each.get("ports"), where, wrong), layer7))
    return found


def ports(rule: dict[str, Any]) -> statements.Ports:
    """All ports of a rule that has been read."""
    found = [each for each, _ in _ports(rule.get("toPorts"), (), [])]
    numbers = functools.reduce(intervals.union, (each.numbers for each in found), intervals.NONE)
    return statements.Ports(numbers, tuple(name for each in found for name in each.names))


def _port_list(given: Any, path: tuple[str | int, ...], wrong: Wrong) -> statements.Ports:
    if not given:
        return statements.Ports()
    numbers: list[tuple[int, int]] = []
    names: list[tuple[str, str]] = []
    for each in given:
        port, protocol = each.get("port"), each.get("protocol") or "ANY"
        if not isinstance(port, str):
            wrong.append((fields.dotted(path), f"port {port!r} is no string: write it in quotes"))
            continue
        if protocol not in (*connections.PROTOCOLS, "ANY"):
            if not protocol.startswith("ICMP") and protocol not in ("VRRP", "IGMP"):
                wrong.append((fields.dotted(path), f"protocol {protocol!r} is none of TCP, UDP, SCTP, ANY"))
            continue
        for one in connections.PROTOCOLS if protocol == "ANY" else (protocol,):
            _port(port, each.get("endPort"), one, numbers, names, path, wrong)
    return statements.Ports(intervals.of(numbers), tuple(dict.fromkeys(names)))


def _port(
    port: str, last: Any, protocol: str, numbers: list[tuple[int, int]], names: list[tuple[str, str]],
    path: tuple[str | int, ...], wrong: Wrong,
) -> None:  # fmt: skip
    if not port.isdigit():
        names.append((port, protocol))
    elif int(port) == 0:
        numbers.extend(connections.of(protocol))
    elif int(port) > connections.LAST:
        wrong.append((fields.dotted(path), f"{port} is no port: ports are 1 to {connections.LAST}"))
    else:
        end = last if isinstance(last, int) and last else int(port)
        if not int(port) <= end <= connections.LAST:
            wrong.append((fields.dotted(path), f"endPort {last} is not between {port} and {connections.LAST}"))
        else:
            numbers.extend(connections.of(protocol, int(port), end))
