"""The network, as the engine computes it: who is open, what selects nothing, what cannot look up names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from groundplan.proof import addresses, connections, findings, intervals
from groundplan.proof.lint import facts
from groundplan.proof.model import policies, workloads
from groundplan.proof.reach import result

METADATA = "169.254.169.254"


def isolation(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every pod isolated both ways, as the engine has it."""
    if known.cluster.layered:
        return  # other kinds may close what NetworkPolicies leave open, without isolating
    reach = known.cluster.reach()
    for each, number in known.numbered():
        if each.host_network:
            continue
        remedy = f"add a NetworkPolicy with podSelector {{}} and policyTypes to namespace {each.namespace}"
        if not reach.ingress.isolated >> number & 1:
            what = f"{each.title} accepts connections from everywhere"
            yield facts.finding(
                "GP420", each.document, ("metadata", "name"), what, "no policy holds its ingress", remedy
            )
        if not reach.egress.isolated >> number & 1:
            what = f"{each.title} may connect anywhere"
            yield facts.finding(
                "GP421", each.document, ("metadata", "name"), what, "no policy holds its egress", remedy
            )


def selecting_nothing(known: facts.Facts) -> Iterator[findings.Finding]:
    """Policies and peers that select no pod, and port names that no pod has."""
    table = known.cluster.index
    for policy in known.model.policies:
        if not table.own(policy.namespace, policy.subjects)[1]:
            if not known.peopled(policy.namespace):
                continue
            what = f"NetworkPolicy {policy.title} selects no pod"
            why = f"no pod of namespace {policy.namespace} matches its podSelector"
            yield facts.finding("GP422", policy.document, ("spec", "podSelector"), what, why, "correct the labels")
            continue
        for direction in (policies.INGRESS, policies.EGRESS):
            yield from _peers(known, policy, direction)


def _peers(known: facts.Facts, policy: policies.Policy, direction: str) -> Iterator[findings.Finding]:
    table, word = known.cluster.index, "from" if direction == policies.INGRESS else "to"
    for number, rule in enumerate(policy.rules(direction) or ()):
        path: facts.Path = ("spec", direction.lower(), number)
        for place, peer in enumerate(rule.peers or ()):
            if peer.block is None and not table.peers(policy.namespace, (peer,))[1] and _expected(known, peer):
                what = f"a peer of NetworkPolicy {policy.title} selects no pod"
                remedy = "correct the labels, or remove the peer"
                yield facts.finding("GP423", policy.document, (*path, word, place), what, remedy=remedy)
        yield from _names(known, policy, direction, rule, (*path, "ports"))
        yield from _slip(policy, rule, (*path, word))


def _expected(known: facts.Facts, peer: policies.Peer) -> bool:
    # A namespace that is not among the documents may have pods that are not either.
    if peer.namespaces is None:
        return True
    names = known.cluster.index.selected(peer.namespaces)
    return any(name in known.model.declared for name in names)


def _names(
    known: facts.Facts, policy: policies.Policy, direction: str, rule: policies.Rule, path: facts.Path
) -> Iterator[findings.Finding]:
    table = known.cluster.index
    if direction == policies.INGRESS:
        ends = table.own(policy.namespace, policy.subjects)[1]
    else:
        ends = table.universe.pods if rule.peers is None else table.peers(policy.namespace, rule.peers)[1]
    for name in rule.ports.names:
        held = table.ports.get((name.name, name.protocol), {}).values()
        if not any(possible & ends for _, possible in held):
            what = f"no pod that NetworkPolicy {policy.title} means here has a {name.protocol} port {name.name}"
            remedy = "name the container's port, or write its number"
            yield facts.finding("GP430", policy.document, path, what, "so it allows nothing", remedy)


def _slip(policy: policies.Policy, rule: policies.Rule, path: facts.Path) -> Iterator[findings.Finding]:
    peers = rule.peers or ()
    for place, (one, other) in enumerate(itertools.pairwise(peers)):
        alone = one.namespaces is not None and not one.pods and one.block is None
        if alone and other.namespaces is None and other.block is None and other.pods:
            what = f"NetworkPolicy {policy.title} lists a namespaceSelector and a podSelector as two peers"
            why = f"it matches every pod of those namespaces, and such pods of {policy.namespace}"
            remedy = "remove the dash before podSelector if pods of those namespaces were meant"
            yield facts.finding("GP424", policy.document, (*path, place), what, why, remedy)


def redundancy(known: facts.Facts) -> Iterator[findings.Finding]:
    """Rules that another rule for the same pods makes needless."""
    table = known.cluster.index
    for direction in (policies.INGRESS, policies.EGRESS):
        seen: dict[str, list[tuple[policies.Policy, int, int, int, policies.Ports]]] = {}
        for policy in known.model.policies:
            subjects = table.own(policy.namespace, policy.subjects)[0]
            for number, rule in enumerate(policy.rules(direction) or () if subjects else ()):
                everybody = table.universe.pods | table.universe.outside
                peers = everybody if rule.peers is None else table.peers(policy.namespace, rule.peers)[0]
                seen.setdefault(policy.namespace, []).append((policy, number, subjects, peers, rule.ports))
        for rules in seen.values():
            yield from _covered(rules, direction)


def _covered(
    rules: list[tuple[policies.Policy, int, int, int, policies.Ports]], direction: str
) -> Iterator[findings.Finding]:
    for place, (policy, number, subjects, peers, ports) in enumerate(rules):
        for other_place, (other, other_number, others, wider, more) in enumerate(rules):
            if place == other_place or not peers or subjects & ~others or peers & ~wider:
                continue
            inside = not intervals.difference(ports.numbers, more.numbers) and set(ports.names) <= set(more.names)
            same = (subjects, peers, ports) == (others, wider, more)
            if inside and (not same or place > other_place):
                what = f"{direction.lower()} rule {number} of NetworkPolicy {policy.title} allows nothing of its own"
                why = f"{direction.lower()} rule {other_number} of {other.title} allows all of it"
                path = ("spec", direction.lower(), number)
                yield facts.finding("GP425", policy.document, path, what, why, "remove it")
                break


def outside(known: facts.Facts) -> Iterator[findings.Finding]:
    """Egress to the whole internet, and to the metadata address."""
    for policy in known.model.policies:
        for number, rule in enumerate(policy.egress or ()):
            for place, peer in enumerate(rule.peers or ()):
                if peer.block is not None and peer.block.covers in (addresses.ALL_V4, addresses.ALL_V6):
                    what = f"NetworkPolicy {policy.title} allows egress to {peer.block.cidr}"
                    why = "that is every address, private ones and the cloud's metadata service included"
                    remedy = (
                        "except 169.254.0.0/16, 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16, or name the addresses"
                    )
                    path: facts.Path = ("spec", "egress", number, "to", place, "ipBlock")
                    yield facts.finding("GP426", policy.document, path, what, why, remedy)
    yield from _metadata(known)


def _metadata(known: facts.Facts) -> Iterator[findings.Finding]:
    reach = known.cluster.reach()
    atom = known.cluster.universe.atom(addresses.number(METADATA))
    for each, number in known.numbered():
        if each.host_network or not reach.egress.isolated >> number & 1:
            continue
        if intervals.contains(reach.between(number, atom), connections.number("TCP", 80)):
            what = f"{each.title} reaches {METADATA}"
            why = "the metadata service hands out the node's credentials"
            remedy = f"except {METADATA}/32 from the ipBlock that allows it"
            yield facts.finding("GP427", each.document, ("metadata", "name"), what, why, remedy)


def names(known: facts.Facts) -> Iterator[findings.Finding]:
    """DNS by UDP and TCP for everybody whose egress is held."""
    servers = [(each, number) for each, number in known.numbered() if _serves_names(each)]
    if not servers:
        return
    reach = known.cluster.reach()
    for each, number in known.numbered():
        if each.host_network or not reach.egress.isolated >> number & 1 or _serves_names(each):
            continue
        lacking = _lacking(reach, number, servers)
        if lacking:
            server = servers[0][0].title
            what = f"{each.title} cannot look up names"
            why = f"it may not connect to {server} on {lacking}"
            remedy = f"allow egress to {server} on {lacking} for every pod of {each.namespace}"
            yield facts.finding("GP428", each.document, ("metadata", "name"), what, why, remedy)


def _lacking(reach: result.Reach, number: int, servers: list[tuple[workloads.Workload, int]]) -> str:
    best = "everything"
    for server, other in servers:
        ports = [port for name, protocol, port in server.ports if name.startswith("dns")] or [53]
        wanted = intervals.of(
            (connections.number(protocol, port),) * 2 for protocol in ("UDP", "TCP") for port in ports
        )
        missing = intervals.difference(wanted, reach.between(number, other))
        if not missing:
            return ""
        best = connections.text(missing)
    return best


def _serves_names(each: workloads.Workload) -> bool:
    labels = each.labels
    return labels.get("k8s-app") in ("kube-dns", "coredns") or "dns.operator.openshift.io/daemonset-dns" in labels


LINTS = (isolation, selecting_nothing, redundancy, outside, names)
