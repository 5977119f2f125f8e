"""ClusterNetworkPolicy v1alpha2, and its older spellings AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1.

Source: network-policy-api, apis/v1alpha2 and apis/v1alpha1 (types and CEL validations).
"""

from __future__ import annotations

import msgspec

from groundplan.proof import addresses, connections, intervals
from groundplan.proof.manifests import documents
from groundplan.proof.model import policies, selectors, shapes, statements

Wrong = list[tuple[str, str]]


class _Strict(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    pass


class NamespacedPod(_Strict, frozen=True):
    """Pods by both selectors."""

    namespace_selector: shapes.LabelSelector | None = None
    pod_selector: shapes.LabelSelector | None = None


class Who(_Strict, frozen=True):
    """A subject or a peer."""

    namespaces: shapes.LabelSelector | None = None
    pods: NamespacedPod | None = None
    nodes: shapes.LabelSelector | None = None
    networks: list[str] | None = None
    domain_names: list[str] | None = None


class Range(_Strict, frozen=True):
    """Ports from start to end."""

    start: int
    end: int
    protocol: str | None = None


class Number(_Strict, frozen=True):
    """One port, older spelling."""

    port: int
    protocol: str | None = None


class OldPort(_Strict, frozen=True):
    """One of the ports of v1alpha1."""

    port_number: Number | None = None
    port_range: Range | None = None
    named_port: str | None = None


class Destination(_Strict, frozen=True):
    """A number or a range."""

    number: int | None = None
    range: Range | None = None


class Transport(_Strict, frozen=True):
    """A protocol's destination port."""

    destination_port: Destination | None = None


class NewPort(_Strict, frozen=True):
    """One of the protocols of v1alpha2."""

    tcp: Transport | None = None
    udp: Transport | None = None
    sctp: Transport | None = None
    destination_named_port: str | None = None


class Rule(_Strict, frozen=True):
    """One rule of either version."""

    action: str
    name: str | None = None
    from_: list[Who] | None = msgspec.field(default=None, name="from")
    to: list[Who] | None = None
    ports: list[OldPort] | None = None
    protocols: list[NewPort] | None = None


class Spec(_Strict, frozen=True):
    """The spec of either version."""

    subject: Who
    tier: str | None = None
    priority: int | None = None
    ingress: list[Rule] | None = None
    egress: list[Rule] | None = None


ACTIONS = {
    "ClusterNetworkPolicy": {"Accept": statements.ALLOW, "Deny": statements.DENY, "Pass": statements.PASS},
    "AdminNetworkPolicy": {"Allow": statements.ALLOW, "Deny": statements.DENY, "Pass": statements.PASS},
    "BaselineAdminNetworkPolicy": {"Allow": statements.ALLOW, "Deny": statements.DENY},
}


def read(document: documents.Document) -> tuple[tuple[statements.Policy, ...], Wrong]:
    """The policy, and what the API server would refuse; raises ValueError for a wrong shape."""
    spec: Spec = shapes.convert(document.data.get("spec") or {}, Spec)
    wrong: Wrong = []
    layer = _layer(document, spec, wrong)
    subjects = _who(spec.subject, "spec.subject", wrong, subject=True)
    found = [
        _rule(document.kind, rule, direction, ("spec", word, number), wrong)
        for direction, word, rules in (
            (policies.INGRESS, "ingress", spec.ingress), (policies.EGRESS, "egress", spec.egress),
        )
        for number, rule in enumerate(rules or ())
    ]  # fmt: skip
    pods = subjects if isinstance(subjects, statements.Pods) else statements.Pods()
    return (statements.Policy(layer, spec.priority or 0, pods, tuple(found), (), document),), wrong


def _layer(document: documents.Document, spec: Spec, wrong: Wrong) -> str:
    if document.kind == "BaselineAdminNetworkPolicy":
        if document.name != "default":
            wrong.append(("metadata.name", f"{document.name!r}: the only name it may have is default"))
        return statements.BASELINE
    if spec.priority is None or not 0 <= spec.priority <= 1000:
        wrong.append(("spec.priority", "it must be a number from 0 to 1000"))
    if document.kind == "AdminNetworkPolicy":
        return statements.ADMIN
    if spec.tier not in ("Admin", "Baseline"):
        wrong.append(("spec.tier", f"{spec.tier!r} is neither Admin nor Baseline"))
    return statements.BASELINE if spec.tier == "Baseline" else statements.ADMIN


def _rule(kind: str, rule: Rule, direction: str, path: tuple[str | int, ...], wrong: Wrong) -> statements.Statement:
    where = f"{path[0]}.{path[1]}[{path[2]}]"
    action = ACTIONS[kind].get(rule.action)
    if action is None:
        wrong.append((f"{where}.action", f"{rule.action!r} is none of {', '.join(ACTIONS[kind])}"))
    peers, other = (rule.from_, rule.to) if direction == policies.INGRESS else (rule.to, rule.from_)
    if not peers or other is not None:
        wrong.append((where, f"it needs at least one item in {'from' if direction == policies.INGRESS else 'to'}"))
    found = [_who(each, f"{where}[{number}]", wrong, subject=False) for number, each in enumerate(peers or ())]
    outside = any(each.networks or each.nodes is not None or each.domain_names for each in peers or ())
    if outside and direction == policies.INGRESS:
        wrong.append((where, "ingress is from namespaces or pods"))
    names = any(each.domain_names for each in peers or ())
    if names and action != statements.ALLOW:
        wrong.append((where, "domain names may only be allowed"))
    ports = _ports(kind, rule, where, wrong, outside)
    return statements.Statement(direction, action or statements.DENY, tuple(found), ports, path)


def _who(who: Who, where: str, wrong: Wrong, *, subject: bool) -> statements.Peer:
    given = [each for each in (who.namespaces, who.pods, who.nodes, who.networks, who.domain_names) if each is not None]
    if len(given) != 1 or (subject and who.namespaces is None and who.pods is None):
        wrong.append((where, "it needs exactly one of namespaces and pods" + ("" if subject else ", or networks")))
    if who.namespaces is not None:
        return statements.Pods(selectors.of(who.namespaces, f"{where}.namespaces", wrong))
    if who.pods is not None:
        return statements.Pods(
            selectors.of(who.pods.namespace_selector, f"{where}.pods.namespaceSelector", wrong),
            selectors.of(who.pods.pod_selector, f"{where}.pods.podSelector", wrong),
        )
    if who.nodes is not None:
        selectors.of(who.nodes, f"{where}.nodes", wrong)
        return statements.Nodes()
    if who.domain_names is not None:
        return statements.Networks(addresses.ALL, unsure=True)
    return statements.Networks(_networks(who.networks or [], where, wrong), pods=True)


def _networks(some: list[str], where: str, wrong: Wrong) -> intervals.Intervals:
    found = []
    for each in some:
        try:
            found.append(addresses.network(each))
        except ValueError as error:
            wrong.append((f"{where}.networks", f"{each!r} is no CIDR: {error}"))
    if not some:
        wrong.append((f"{where}.networks", "it is empty"))
    return intervals.of(found)


def _ports(kind: str, rule: Rule, where: str, wrong: Wrong, outside: bool) -> statements.Ports:
    newer = kind == "ClusterNetworkPolicy"
    if (rule.ports if newer else rule.protocols) is not None:
        wrong.append((where, f"{kind} says {'protocols' if newer else 'ports'}"))
    given = rule.protocols if newer else rule.ports
    if given is None:
        return statements.Ports()
    if not given:
        wrong.append((where, "an empty list of ports is refused: leave it out for every port"))
    numbers: list[tuple[int, int]] = []
    names: list[tuple[str, str]] = []
    for each in given:
        name = _old(each, numbers, where, wrong) if isinstance(each, OldPort) else _new(each, numbers, where, wrong)
        if name and outside:
            wrong.append((where, "a named port stands beside networks, nodes or domain names, which have none"))
        names.extend((name, protocol) for protocol in connections.PROTOCOLS if name)
    return statements.Ports(intervals.of(numbers), tuple(names))


def _old(port: OldPort, numbers: list[tuple[int, int]], where: str, wrong: Wrong) -> str:
    given = [each for each in (port.port_number, port.port_range, port.named_port) if each is not None]
    if len(given) != 1:
        wrong.append((where, "a port needs exactly one of portNumber, portRange and namedPort"))
    if port.port_number is not None:
        number = port.port_number
        _add(numbers, number.protocol or "TCP", number.port, number.port, where, wrong)
    elif port.port_range is not None:
        _range(numbers, port.port_range.protocol or "TCP", port.port_range, where, wrong)
    return port.named_port or ""


def _new(port: NewPort, numbers: list[tuple[int, int]], where: str, wrong: Wrong) -> str:
    given = [(name, each) for name, each in (("TCP", port.tcp), ("UDP", port.udp), ("SCTP", port.sctp)) if each]
    if len(given) + (port.destination_named_port is not None) != 1:
        wrong.append((where, "a protocol needs exactly one of tcp, udp, sctp and destinationNamedPort"))
    for protocol, each in given:
        target = each.destination_port
        if target is None or (target.number is None) == (target.range is None):
            wrong.append((where, "destinationPort needs a number or a range"))
        elif target.number is not None:
            _add(numbers, protocol, target.number, target.number, where, wrong)
        elif target.range is not None:
            _range(numbers, protocol, target.range, where, wrong)
    return port.destination_named_port or ""


def _range(numbers: list[tuple[int, int]], protocol: str, some: Range, where: str, wrong: Wrong) -> None:
    if some.start >= some.end:
        wrong.append((where, f"range {some.start}-{some.end} must start below its end"))
    else:
        _add(numbers, protocol, some.start, some.end, where, wrong)


def _add(numbers: list[tuple[int, int]], protocol: str, first: int, last: int, where: str, wrong: Wrong) -> None:
    if protocol not in connections.PROTOCOLS:
        wrong.append((where, f"protocol {protocol!r} is none of TCP, UDP, SCTP"))
    elif not (1 <= first <= last <= connections.LAST):
        wrong.append((where, f"{first} is no port: ports are 1 to {connections.LAST}"))
    else:
        numbers.extend(connections.of(protocol, first, last))
