"""Strangers: pods that nobody has drawn and anybody could start, one for each peer that would let them in or out.

Policies name peers by labels, so whoever may start pods elsewhere may carry them. For every peer that pods beyond the
known ones can match, the pod with the fewest labels that does is taken to be there; nothing may reach it or be reached
by it. As rules only ever allow, a connection that any stranger has, one of these has.
"""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.proof import claims, cluster
from groundplan.proof.model import build, policies, selectors

ELSEWHERE = "some-other-namespace"


def of(whole: cluster.Cluster) -> tuple[claims.Assumed, ...]:
    """The strangers to a cluster's NetworkPolicies."""
    found: dict[str, claims.Assumed] = {}
    for policy in whole.model.policies:
        for peer in _peers(policy):
            labels = _labels(peer.pods)
            for namespace, own in _namespaces(whole.model, policy, peer) if labels is not None else ():
                made = claims.Assumed(namespace, _name(labels or {}), labels or {}, "", own)
                found.setdefault(f"{namespace}/{made.name}", made)
    return tuple(found.values())


def _peers(policy: policies.Policy) -> Iterator[policies.Peer]:
    for rule in (*(policy.ingress or ()), *(policy.egress or ())):
        yield from (peer for peer in rule.peers or () if peer.block is None)


def _namespaces(
    model: build.Model, policy: policies.Policy, peer: policies.Peer
) -> Iterator[tuple[str, dict[str, str]]]:
    """Namespaces, with labels, that have a matching pod that is not known: those named, where no pod of theirs that
    is known matches, and any other one that a selector without names would take."""
    labels = {} if peer.namespaces is None else _labels(peer.namespaces)
    if labels is None:
        return
    terms = [each for each in peer.namespaces or () if each.key == build.NAME_LABEL and each.operator == "In"]
    named = {value for each in terms for value in each.values} if peer.namespaces is not None else {policy.namespace}
    if peer.namespaces is not None and not terms:
        yield _name(labels, ELSEWHERE), labels
    for name in sorted(named):
        there = (each for each in model.workloads if each.namespace == name)
        if not any(selectors.matches(peer.pods, each.labels) for each in there):
            yield name, {} if name in model.declared else labels


def _name(labels: dict[str, str], first: str = "stranger") -> str:
    return "-".join([first, *(f"{key}={value}" for key, value in sorted(labels.items()))])


def _labels(selector: selectors.Selector) -> dict[str, str] | None:
    """The fewest labels that a selector selects; None where there are none."""
    chosen = {term.key: term.values[0] for term in selector if term.operator == "In"}
    made = {term.key: chosen.get(term.key, "any") for term in selector if term.operator in ("In", "Exists")}
    return made if selectors.matches(selector, made) else None
