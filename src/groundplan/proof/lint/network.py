"""The network, as the engine computes it: who is open, what selects nothing, what cannot look up names."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import msgspec

from groundplan.proof import connections, findings, intervals
from groundplan.proof.lint import facts
from groundplan.proof.model import policies, workloads
from groundplan.proof.reach import result

_OPEN = {
    policies.INGRESS: (
        "GP420", "accepts connections from everywhere", "accept connections from everywhere",
        "allows whom it serves: pods, the ingress controller, Prometheus, the API server where it is a webhook",
    ),
    policies.EGRESS: (
        "GP421", "may connect anywhere", "may connect anywhere",
        "allows whom it calls, and DNS (UDP and TCP 53)",
    ),
}  # fmt: skip


def isolation(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every pod isolated both ways, as the engine has it."""
    if known.cluster.layered:
        return  # other kinds may close what NetworkPolicies leave open, without isolating
    reach = known.cluster.reach()
    isolated = {policies.INGRESS: reach.ingress.isolated, policies.EGRESS: reach.egress.isolated}
    for namespace in sorted({each.namespace for each, _ in known.numbered()}):
        members = [(each, number) for each, number in known.numbered(namespace) if not each.host_network]
        for direction, held in isolated.items():
            open_ = list({id(each): each for each, number in members if not held >> number & 1}.values())
            yield from _left_open(known, namespace, direction, open_, len({id(each) for each, _ in members}))


def _left_open(
    known: facts.Facts, namespace: str, direction: str, open_: list[workloads.Workload], all_: int
) -> Iterator[findings.Finding]:
    code, one, several, allows = _OPEN[direction]
    home = known.get("Namespace", known.default, namespace)
    path: facts.Path = ("metadata", "name")
    if len(open_) > 1 and len(open_) == all_:
        # Nobody began to close this namespace: that is one thing to do, and not one a workload.
        names = ", ".join(each.name for each in open_[:3]) + (f" and {len(open_) - 3} more" if len(open_) > 3 else "")
        what, why = f"all {all_} workloads of namespace {namespace} {several}", f"no policy holds {names}"
        remedy = f"add a NetworkPolicy with policyTypes: [{direction}] for each that {allows}"
        said = facts.finding(code, home or open_[0].document, path, what, why, remedy)
        yield dataclasses.replace(said, subject=f"Namespace {namespace}")
        return
    for each in open_:
        why = f"no policy holds its {direction.lower()}"
        remedy = f"add a NetworkPolicy for it with policyTypes: [{direction}] that {allows}"
        yield facts.finding(code, each.document, path, f"{each.title} {one}", why, remedy)


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
                # A rule without peers would be for everybody.
                remedy = f"correct the labels, or remove the {'peer' if len(rule.peers or ()) > 1 else 'rule'}"
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


class _Rule(msgspec.Struct, frozen=True, eq=False):
    """A rule over the universe, with the pods that it holds and the ends that it surely matches."""

    policy: policies.Policy
    number: int
    subjects: int
    peers: int
    rule: policies.Rule

    def within(self, other: _Rule) -> bool:
        """Does another rule allow all that this one does?"""
        mine, its = self.rule.ports, other.rule.ports
        if self.subjects & ~other.subjects or self.peers & ~other.peers:
            return False
        # Peers that are not among the documents may be anybody: then only the same words, for the same pods, are twice.
        same = self.rule.peers == other.rule.peers and self.policy.subjects == other.policy.subjects
        return (
            (bool(self.peers) or same)
            and not intervals.difference(mine.numbers, its.numbers)
            and set(mine.names) <= set(its.names)
        )


def redundancy(known: facts.Facts) -> Iterator[findings.Finding]:
    """Rules that another rule for the same pods makes needless."""
    table = known.cluster.index
    everybody = table.universe.pods | table.universe.outside
    for direction in (policies.INGRESS, policies.EGRESS):
        seen: dict[str, list[_Rule]] = {}
        for policy in known.model.policies:
            subjects = table.own(policy.namespace, policy.subjects)[0]
            for number, rule in enumerate(policy.rules(direction) or () if subjects else ()):
                peers = everybody if rule.peers is None else table.peers(policy.namespace, rule.peers)[0]
                seen.setdefault(policy.namespace, []).append(_Rule(policy, number, subjects, peers, rule))
        for rules in seen.values():
            yield from _covered(rules, direction)


def _covered(rules: list[_Rule], direction: str) -> Iterator[findings.Finding]:
    for place, one in enumerate(rules):
        for other_place, other in enumerate(rules):
            if place == other_place or not one.within(other):
                continue
            # Of two that allow the same, the first one stays.
            if place > other_place or not other.within(one):
                path: facts.Path = ("spec", direction.lower(), one.number)
                what = f"{direction.lower()} rule {one.number} of NetworkPolicy {one.policy.title}"
                why = f"{direction.lower()} rule {other.number} of {other.policy.title} allows all of it"
                place_ = other.policy.document.place("spec", direction.lower(), other.number)
                yield facts.finding(
                    "GP425", one.policy.document, path, f"{what} allows nothing of its own", f"{why} {place_}".rstrip(),
                    "remove it",
                )  # fmt: skip
                break


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


LINTS = (isolation, selecting_nothing, redundancy, names)
