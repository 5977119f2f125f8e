"""One side of a connection: which policies hold the pod, and what each of their rules says of the other end."""

from __future__ import annotations

import functools

import msgspec

from groundplan.proof import connections, ends, findings, intervals
from groundplan.proof.explain import peers
from groundplan.proof.model import policies, workloads


class Rule(msgspec.Struct, frozen=True):
    """One rule: what it allows of this connection, and why not the rest."""

    number: int
    place: findings.Place
    peers: int
    """How many peers it lists; 0: everybody."""
    matches: bool | None
    """Does one of its peers match the other end?"""
    ports: intervals.Intervals
    """Its ports at the destination."""
    possible: intervals.Intervals
    """And those that it may mean there."""
    why: str


class Policy(msgspec.Struct, frozen=True):
    """One policy that holds the pod in this direction."""

    policy: policies.Policy
    place: findings.Place
    holds: bool | None
    """None: only a controller knows."""
    rules: tuple[Rule, ...]


class Side(msgspec.Struct, frozen=True):
    """Egress at the source, or ingress at the destination."""

    direction: str
    subject: workloads.Workload
    policies: tuple[Policy, ...]
    """Those that isolate it; none: everything passes."""
    allowed: intervals.Intervals
    """What certainly passes."""
    possible: intervals.Intervals
    """What may pass."""


def side(judge: peers.Judge, direction: str, own: ends.End, other: ends.End) -> Side | None:
    """The side of `own`; None for an end that policies do not hold: an address outside, a pod on a node's network."""
    subject = own.workload
    if subject is None or subject.host_network:
        return None
    destination = other if direction == policies.EGRESS else own
    views = []
    for policy in judge.around(subject.namespace).holding(ends.labels(own)):
        holds = _holds(policy, direction, own)
        if holds is not False:
            views.append(_policy(judge, policy, holds, direction, other, destination))
    return Side(direction, subject, tuple(views), _allowed(views), _possible(judge, views, other))


def _allowed(views: list[Policy]) -> intervals.Intervals:
    if not views:
        return connections.ALL
    rules = (rule for view in views if view.holds for rule in view.rules if rule.matches)
    return functools.reduce(intervals.union, (rule.ports for rule in rules), intervals.NONE)


def _possible(judge: peers.Judge, views: list[Policy], other: ends.End) -> intervals.Intervals:
    if not any(view.holds for view in views) or judge.node(other):
        return connections.ALL
    rules = (rule for view in views for rule in view.rules if rule.matches is not False)
    return functools.reduce(intervals.union, (rule.possible for rule in rules), intervals.NONE)


def _holds(policy: policies.Policy, direction: str, own: ends.End) -> bool | None:
    if own.workload is None or policy.namespace != own.workload.namespace or policy.rules(direction) is None:
        return False
    return peers.selected(ends.labels(own), policy.subjects, "")[0]


def _policy(
    judge: peers.Judge, policy: policies.Policy, holds: bool | None, direction: str, other: ends.End,
    destination: ends.End,
) -> Policy:  # fmt: skip
    rules = tuple(
        _rule(judge, policy, direction, number, rule, other, destination)
        for number, rule in enumerate(policy.rules(direction) or ())
    )
    return Policy(policy, policy.document.place("metadata", "name"), holds, rules)


def _rule(
    judge: peers.Judge, policy: policies.Policy, direction: str, number: int, rule: policies.Rule, other: ends.End,
    destination: ends.End,
) -> Rule:  # fmt: skip
    place = policy.document.place("spec", direction.lower(), number)
    ports, possible, missing = resolved(rule.ports, destination)
    matches, why = _peers(judge, policy, rule, other)
    return Rule(
        number,
        place,
        len(rule.peers or ()),
        matches,
        ports,
        possible,
        "; ".join(each for each in (why, *missing) if each),
    )


def _peers(judge: peers.Judge, policy: policies.Policy, rule: policies.Rule, other: ends.End) -> peers.Match:
    if rule.peers is None:
        return True, "for every peer"
    found = [judge.peer(each, policy.namespace, other) for each in rule.peers]
    for wanted in (True, None):
        for matches, why in found:
            if matches is wanted:
                return matches, why
    return False, "; ".join(dict.fromkeys(why for _, why in found))


def resolved(
    ports: policies.Ports, destination: ends.End
) -> tuple[intervals.Intervals, intervals.Intervals, list[str]]:
    """Ports as numbers at a destination: certain ones, possible ones, and what could not be resolved there."""
    found, possible, missing = ports.numbers, ports.numbers, []
    for name in ports.names:
        numbers = _numbers(name, destination)
        for number in numbers:
            possible = intervals.union(possible, connections.of(name.protocol, number, number))
        if len(numbers) == 1 and not (destination.workload and destination.workload.host_network):
            found = intervals.union(found, connections.of(name.protocol, *numbers, *numbers))
        elif numbers:
            missing.append(f"what {name.name} means at {destination} is not decidable")
        else:
            missing.append(f"no {name.protocol} port of {destination} is called {name.name}")
    return found, possible, missing


def _numbers(name: policies.Named, destination: ends.End) -> set[int]:
    held = destination.workload.ports if destination.workload else ()
    return {number for other, protocol, number in held if (other, protocol) == (name.name, name.protocol)}
