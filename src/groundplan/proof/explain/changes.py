"""The smallest change that would allow a connection, on one side: a port, a peer, or a rule."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import yaml

from groundplan.proof import addresses, connections, ends, fields, findings, intervals
from groundplan.proof.explain import sides
from groundplan.proof.model import build, policies, selectors, workloads

Near = Callable[[str], list[workloads.Workload]]
"""The workloads of a namespace."""


class Change(msgspec.Struct, frozen=True):
    """What to add, and where."""

    policy: str
    path: tuple[str | int, ...]
    """The list to add to."""
    place: findings.Place
    yaml: str
    """Empty: nothing can be added that helps, and what is at `path` has to be narrowed."""
    kind: str = "NetworkPolicy"
    at: int | None = None
    """Before which item, where the order counts; at the end otherwise."""

    @property
    def what(self) -> str:
        """In words."""
        words = fields.dotted(self.path)
        if not self.yaml:
            return f"remove {words} of {self.kind} {self.policy}, or let it match less"
        before = "" if self.at is None else f", before item {self.at},"
        return f"add to {words}{before} of {self.kind} {self.policy}"


def change(near: Near, side: sides.Side, other: ends.End, missing: intervals.Intervals) -> Change:
    """For a side that isolates and does not allow `missing`."""
    word = "to" if side.direction == policies.EGRESS else "from"
    for view in _sure(side):
        for rule in view.rules:
            # Only where the rule has this one peer: the port should open for nobody else.
            if rule.matches and rule.ports and rule.peers == 1:
                path = ("spec", side.direction.lower(), rule.number, "ports")
                return Change(view.policy.title, path, rule.place, text(_ports(missing)))
    for view in _sure(side):
        for rule in view.rules:
            # And only where its ports are just these: the peer should get no others.
            if missing == rule.ports and rule.matches is False:
                path = ("spec", side.direction.lower(), rule.number, word)
                return Change(view.policy.title, path, rule.place, text(_peer(near, side.subject, other)))
    view = _narrowest(side)
    rule_: dict[str, Any] = {word: _peer(near, side.subject, other)}
    if missing != connections.ALL:
        rule_["ports"] = _ports(missing)
    return Change(view.policy.title, ("spec", side.direction.lower()), view.place, text([rule_]))


def _sure(side: sides.Side) -> list[sides.Policy]:
    # A policy that only a controller's label selects may not be there for this pod.
    return [view for view in side.policies if view.holds]


def _narrowest(side: sides.Side) -> sides.Policy:
    # A policy of the pod's own before one for the whole namespace: the change should open nothing for others.
    return max(_sure(side), key=lambda view: len(view.policy.subjects))


def text(value: Any) -> str:
    """As YAML."""
    return str(yaml.safe_dump(value, sort_keys=False, default_flow_style=None)).rstrip()


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


def _peer(near: Near, own: workloads.Workload, other: ends.End) -> list[dict[str, Any]]:
    if other.workload is None:
        return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs(other)]
    found: dict[str, Any] = {}
    if other.workload.namespace != own.namespace:
        found["namespaceSelector"] = {"matchLabels": {build.NAME_LABEL: other.workload.namespace}}
    found["podSelector"] = {"matchLabels": distinguishing(near, other.workload)}
    return [found]


def cidrs(end: ends.End) -> list[str]:
    """The addresses of an end outside."""
    return [cidr for low, high in end.addresses for cidr in addresses.cidrs(low, high)]


def distinguishing(near: Near, workload: workloads.Workload) -> dict[str, str]:
    """The fewest labels that select a workload and as little else of its namespace as can be."""
    labels = {key: value for key, value in workload.labels.items() if value != selectors.UNKNOWN}
    others = [each.labels for each in near(workload.namespace) if each is not workload]
    best, fewest = labels, sum(1 for each in others if labels.items() <= each.items())
    for size in (1, 2):
        for chosen in itertools.combinations(sorted(labels.items()), size):
            if sum(1 for each in others if set(chosen) <= each.items()) <= fewest:
                return dict(chosen)
    return best
