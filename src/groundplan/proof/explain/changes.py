"""The smallest change that would allow a connection, on one side: a port, a peer, a rule, or a policy of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import yaml

from groundplan.proof import addresses, cluster, connections, ends, fields, findings, intervals
from groundplan.proof.explain import sides
from groundplan.proof.model import build, policies, selectors, workloads


class Change(msgspec.Struct, frozen=True):
    """What to write, and where."""

    policy: str
    path: tuple[str | int, ...]
    """The list to add to, or the item that the YAML takes the place of; empty: the YAML is an object of its own."""
    place: findings.Place
    """Where that stands; of an object of its own, the policy beside which it goes."""
    yaml: str
    """Empty: nothing can be added that helps, and what is at `path` has to be narrowed."""
    kind: str = "NetworkPolicy"
    at: int | None = None
    """Before which item, where the order counts; at the end otherwise."""
    instead: bool = False
    """Whether the YAML's items take the place of the one at `path`."""
    subjects: tuple[str, ...] = ()
    """Others that this side opens for, since whatever selects the pod selects them."""
    peers: tuple[str, ...] = ()
    """Others that it opens to, since whatever selects the other end selects them."""

    @property
    def what(self) -> str:
        """In words."""
        words = fields.dotted(self.path)
        if not self.path:
            return f"add {self.kind} {self.policy}"
        if not self.yaml:
            return f"remove {words} of {self.kind} {self.policy}, or let it match less"
        if self.instead:
            return f"write in place of {words} of {self.kind} {self.policy}"
        before = "" if self.at is None else f", before item {self.at},"
        return f"add to {words}{before} of {self.kind} {self.policy}"

    @property
    def opens(self) -> str:
        """What else it opens, in words; empty for nothing."""
        both = ((self.subjects, "for"), (self.peers, "to"))
        return ", and ".join(f"{word} {_some(names)}" for names, word in both if names)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def titles(some: Iterable[workloads.Workload], *but: workloads.Workload | None) -> tuple[str, ...]:
    """The titles of workloads that are none of some others."""
    return tuple(sorted({each.title for each in some if not any(each is one for one in but)}))


def change(whole: cluster.Cluster, side: sides.Side, other: ends.End, missing: intervals.Intervals) -> Change:
    """For a side that isolates and does not allow `missing`."""
    word = "to" if side.direction == policies.EGRESS else "from"
    held = {id(view): _held(whole, side, view.policy) for view in side.policies if view.holds}
    sure = sorted((view for view in side.policies if view.holds), key=lambda view: len(held[id(view)]))
    labels = distinguishing(whole, side.subject)
    near = titles(alike(whole, side.subject, labels), side.subject)
    # A policy that holds others too would open for them: then the pod gets one of its own.
    own = [view for view in sure if set(near) >= set(held[id(view)])]
    peer, towards = _peer(whole, side.subject, other)
    for view in own:
        for rule in view.rules:
            if rule.matches and rule.ports and _only(whole, view.policy, side.direction, rule, other, set(towards)):
                path = ("spec", side.direction.lower(), rule.number, "ports")
                return _told(view, path, rule.place, _ports(missing), held[id(view)], towards)
    for view in own:
        for rule in view.rules:
            # Only where its ports are just these: the peer should get no others.
            if missing == rule.ports and rule.matches is False:
                path = ("spec", side.direction.lower(), rule.number, word)
                return _told(view, path, rule.place, peer, held[id(view)], towards)
    made: dict[str, Any] = {word: peer}
    if missing != connections.ALL:
        made["ports"] = _ports(missing)
    if own:
        return _told(own[0], ("spec", side.direction.lower()), own[0].place, [made], held[id(own[0])], towards)
    namespace, name = side.subject.namespace, _free(whole, side, other)
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": [side.direction], side.direction.lower(): [made]}
    document = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace}, "spec": spec,
    }  # fmt: skip
    return Change(f"{namespace}/{name}", (), sure[0].place, text(document), subjects=near, peers=towards)


def _told(
    view: sides.Policy, path: tuple[str | int, ...], place: findings.Place, made: list[dict[str, Any]],
    subjects: tuple[str, ...], towards: tuple[str, ...],
) -> Change:  # fmt: skip
    return Change(view.policy.title, path, place, text(made), subjects=subjects, peers=towards)


def _held(whole: cluster.Cluster, side: sides.Side, policy: policies.Policy) -> tuple[str, ...]:
    """Whom else a policy is, or may be, for."""
    near = whole.around(side.subject.namespace).selected(policy.subjects)
    some = (each for each in near if selectors.matches(policy.subjects, each.labels) is not False)
    return titles(some, side.subject)


def _only(
    whole: cluster.Cluster, policy: policies.Policy, direction: str, rule: sides.Rule, other: ends.End,
    towards: set[str],
) -> bool:  # fmt: skip
    """Does a rule have this one peer, and nobody beside it: the port should open for nobody else."""
    peers = (policy.rules(direction) or ())[rule.number].peers or ()
    if len(peers) != 1:
        return False
    peer = peers[0]
    if peer.block is not None or other.workload is None:
        return peer.block is not None and peer.block.covers == other.addresses
    here = selectors.Term(build.NAME_LABEL, "In", (other.workload.namespace,))
    if peer.namespaces is not None and here not in peer.namespaces:
        return False
    near = whole.around(other.workload.namespace).selected(peer.pods)
    matched = [each for each in near if selectors.matches(peer.pods, each.labels) is not False]
    return towards >= set(titles(matched, other.workload))


def _free(whole: cluster.Cluster, side: sides.Side, other: ends.End) -> str:
    """A name that no policy of the namespace has."""
    taken = {each.name for each in whole.near(side.subject.namespace)}
    return free(side.subject, side.direction, other, taken)


def free(subject: workloads.Workload, direction: str, other: ends.End, taken: set[str]) -> str:
    """A name for a policy that says what it is for."""
    end = other.workload.name if other.workload is not None else "outside"
    name = f"{subject.name}-{'to' if direction == policies.EGRESS else 'from'}-{end}"[:240].lower()
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in taken)


def text(value: Any) -> str:
    """As YAML, in which nothing is an alias of something else."""
    plain = msgspec.json.decode(msgspec.json.encode(value))
    return str(yaml.safe_dump(plain, sort_keys=False, default_flow_style=None)).rstrip()


def _ports(missing: intervals.Intervals) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for protocol, first, last in connections.triples(missing):
        port: dict[str, Any] = {"protocol": protocol}
        if (first, last) != (1, connections.LAST):
            port["port"] = first
            if last > first:
                port["endPort"] = last
        found.append(port)
    return found


def _peer(
    whole: cluster.Cluster, own: workloads.Workload, other: ends.End
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The other end as a peer, and whom else that selects."""
    if other.workload is None:
        return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs(other)], ()
    found: dict[str, Any] = {}
    if other.workload.namespace != own.namespace:
        found["namespaceSelector"] = {"matchLabels": {build.NAME_LABEL: other.workload.namespace}}
    labels = distinguishing(whole, other.workload)
    found["podSelector"] = {"matchLabels": labels}
    return [found], titles(alike(whole, other.workload, labels), other.workload)


def cidrs(end: ends.End) -> list[str]:
    """The addresses of an end outside."""
    return [cidr for low, high in end.addresses for cidr in addresses.cidrs(low, high)]


def every(_: str) -> bool:
    """Any key will do."""
    return True


def distinguishing(
    whole: cluster.Cluster, workload: workloads.Workload, usable: Callable[[str], bool] = every
) -> dict[str, str]:
    """The fewest labels that select a workload and as little else of its namespace as can be; of `usable` keys."""
    labels = {key: value for key, value in workload.labels.items() if value != selectors.UNKNOWN and usable(key)}
    near = whole.around(workload.namespace)
    for size in (1, 2):
        for chosen in itertools.combinations(sorted(labels.items()), size):
            # Only what all of them together select can be selected by fewer of them at best: no more are to be let in.
            some = (each.labels.items() for each in min((near.labelled(*pair) for pair in chosen), key=len))
            if all(labels.items() <= each for each in some if dict(chosen).items() <= each):
                return dict(chosen)
    return labels


def alike(whole: cluster.Cluster, workload: workloads.Workload, labels: dict[str, str]) -> list[workloads.Workload]:
    """All of its namespace that labels select."""
    terms = selectors.of_labels(labels)
    near = whole.around(workload.namespace).selected(terms)
    return [each for each in near if selectors.matches(terms, each.labels) is not False]
