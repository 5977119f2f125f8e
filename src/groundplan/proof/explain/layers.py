"""One side of a connection where policies of kinds beside NetworkPolicy v1 hold too: which rule decides which ports.

Rules are asked in the order that `groundplan.proof.reach.layers` has them in, each until it decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from groundplan.proof import cluster, connections, ends, findings, intervals
from groundplan.proof.explain import peers, sides
from groundplan.proof.model import istio, policies, selectors, statements
from groundplan.proof.reach import layers, mesh
from groundplan.proof.reach import sides as reach_sides

ISOLATION, NOTHING, MESH = "isolation", "nothing", "mesh"


class Rule(msgspec.Struct, frozen=True):
    """One rule of a policy that holds the pod."""

    policy: statements.Policy | istio.Authorization
    path: tuple[str | int, ...]
    action: str
    matches: bool | None
    """Does it match the other end, surely? None: not decidable, or decided request by request."""
    ports: intervals.Intervals
    why: str
    decides: intervals.Intervals
    """The ports that nothing before it has decided."""

    @property
    def place(self) -> findings.Place:
        """Where it is written."""
        return self.policy.document.place(*self.path)


class Step(msgspec.Struct, frozen=True):
    """What becomes of some ports, and by what."""

    ports: intervals.Intervals
    allowed: bool
    by: str
    """A layer, or `isolation`, `mesh`, `nothing`."""
    rule: Rule | None = None


class Side(msgspec.Struct, frozen=True):
    """One direction at one end."""

    direction: str
    subject: ends.End
    other: ends.End
    rules: tuple[Rule, ...]
    steps: tuple[Step, ...]
    closers: tuple[statements.Policy, ...]
    """Cilium's policies that isolate it."""
    guards: tuple[istio.Authorization, ...] = ()
    """Istio's policies that allow, so that what none of them names is denied; they may name nobody."""
    identified: bool = False
    """Whether the other end is surely in the mesh, and has an identity there."""

    @property
    def sure(self) -> bool:
        """Is there no rule that may or may not match?"""
        return all(each.matches is not None for each in self.rules)


class _Walk:
    def __init__(self, whole: cluster.Cluster, direction: str, own: ends.End, other: ends.End) -> None:
        self.whole, self.direction, self.own, self.other = whole, direction, own, other
        self.destination = other if direction == policies.EGRESS else own
        self.work = layers.Work(whole.index, direction, reach_sides.Reading.FEWEST)
        self.mine, self.theirs = whole.numbers(own), whole.numbers(other)
        self.rules: list[Rule] = []
        self.steps: list[Step] = []
        self.guards: tuple[istio.Authorization, ...] = ()
        self.identified = False

    def holding(self, layer: str) -> Iterator[tuple[statements.Policy, bool]]:
        """The policies of a layer that hold the end, first ones first, and whether they surely do."""
        for each in sorted(self.whole.model.beside, key=lambda one: one.priority):
            found = self.among(self.work.pods(each.subjects), self.mine)
            if each.layer == layer and found is not False:
                yield each, found is True

    def among(self, pair: tuple[int, int], numbers: list[int]) -> bool | None:
        certain, possible = (sum(some >> number & 1 for number in numbers) for some in pair)
        return True if certain == len(numbers) else None if possible else False

    def tier(self, layer: str, left: intervals.Intervals) -> tuple[intervals.Intervals, intervals.Intervals]:
        """First match first. What is passed on, and what no rule has decided."""
        passed = intervals.NONE
        for policy, sure in self.holding(layer):
            for each in self.said(policy):
                rule = self.judged(policy, each, sure, left)
                if rule.matches and rule.action == statements.PASS:
                    passed = intervals.union(passed, rule.decides)
                left = self.decide(rule, layer, left)
        return passed, left

    def said(self, policy: statements.Policy) -> list[statements.Statement]:
        return [each for each in policy.statements if each.direction == self.direction]

    def judged(
        self, policy: statements.Policy, each: statements.Statement, sure: bool, left: intervals.Intervals
    ) -> Rule:
        found = self.among(self.work.peers(each.peers), self.theirs)
        named = tuple(policies.Named(name, protocol) for name, protocol in each.ports.names)
        ports, possible, _ = sides.resolved(policies.Ports(each.ports.numbers, named), self.destination)
        held = {name for name, _, _ in self.destination.workload.ports} if self.destination.workload else set()
        missing = [f"no port of {self.destination} is called {name}" for name in {one.name for one in named} - held]
        why = _words(each, self.other, found, self.whole)
        if found and (not sure or each.conditional):
            found = None
            why += "; a request, or what only a controller knows, decides" if each.conditional else ""
        if found and possible != ports:
            found = None
        rule = Rule(
            policy,
            each.path,
            each.action,
            found,
            ports,
            "; ".join([why, *missing]),
            intervals.intersection(left, ports),
        )
        self.rules.append(rule)
        return rule

    def decide(self, rule: Rule, by: str, left: intervals.Intervals) -> intervals.Intervals:
        """Notes what a rule that matches decides; returns what it leaves."""
        if not rule.matches or not rule.decides:
            return left
        if rule.action != statements.PASS:
            self.steps.append(Step(rule.decides, rule.action == statements.ALLOW, by, rule))
        return intervals.difference(left, rule.decides)

    def middle(
        self, left: intervals.Intervals, plain: sides.Side | None
    ) -> tuple[intervals.Intervals, tuple[statements.Policy, ...]]:
        """Deny before allow, and isolation at the end. What is left to the Baseline tier, and whose isolation it is."""
        held = list(self.holding(statements.CILIUM))
        for action in (statements.DENY, statements.ALLOW):
            for policy, sure in held:
                for each in self.said(policy):
                    if each.action == action:
                        left = self.decide(self.judged(policy, each, sure, left), statements.CILIUM, left)
        closers = tuple(policy for policy, _ in held if self.direction in policy.isolates)
        if plain is not None and plain.policies:
            known = intervals.intersection(left, plain.allowed)
            self.close(known, True)
            left = intervals.difference(left, known)
        elif not closers:
            return left, ()
        self.close(left, False)
        return intervals.NONE, closers

    def close(self, ports: intervals.Intervals, allowed: bool) -> None:
        if ports:
            self.steps.append(Step(ports, allowed, ISOLATION))

    def narrowed(self) -> None:
        """What Istio takes away again at a destination."""
        around = mesh.Mesh(self.whole.index, self.whole.model.mesh)
        end = self.whole.universe.classes[self.mine[0]]
        mine = [(each, around.selects(each, end)) for each in self.whole.model.mesh]
        mine = [(each, found) for each, found in mine if found is not False]
        if not mine or around.inside(end) is False:
            return
        sure = around.inside(end) is True
        left = istio.TCP
        for action in ("DENY", "CUSTOM", "ALLOW"):
            for policy, found in mine:
                for number, rule in enumerate(policy.rules if policy.action == action else ()):
                    left = self.mesh_rule(around, policy, number, rule, bool(found) and sure, left)
        self.guards = tuple(each for each, found in mine if each.action == "ALLOW" and found is True)
        if self.other.workload is not None:
            self.identified = around.inside(self.whole.universe.classes[self.theirs[0]]) is True
        if self.guards and sure and left:
            self.steps.append(Step(left, False, MESH))

    def mesh_rule(
        self, around: mesh.Mesh, policy: istio.Authorization, number: int, rule: istio.Rule, sure: bool,
        left: intervals.Intervals,
    ) -> intervals.Intervals:  # fmt: skip
        found = self.among(around.sources(rule), self.theirs)
        if found and (rule.conditional or not sure or rule.sure != rule.ports):
            found = None
        matched = {True: "its sources match", False: "its sources do not match", None: "a request decides"}[found]
        ports = intervals.intersection(left, rule.ports)
        told = Rule(policy, ("spec", "rules", number), policy.action.lower(), found, rule.ports, matched, ports)
        self.rules.append(told)
        if not found or not ports or policy.action == "CUSTOM":
            return left
        if policy.action == "DENY":
            self.steps.append(Step(ports, False, MESH, told))
        return intervals.difference(left, ports)


def side(
    whole: cluster.Cluster, direction: str, own: ends.End, other: ends.End, plain: sides.Side | None
) -> Side | None:
    """One direction at `own`, of which `plain` is what NetworkPolicies say; None for an end that no policy holds."""
    if own.workload is None or own.workload.host_network:
        return None
    walk = _Walk(whole, direction, own, other)
    passed, rest = walk.tier(statements.ADMIN, connections.ALL)
    left, closers = walk.middle(intervals.union(passed, rest), plain)
    # Behind the Baseline tier nothing is asked any more: what it passes on is as free as what it does not decide.
    passed, rest = walk.tier(statements.BASELINE, left)
    if left := intervals.union(passed, rest):
        walk.steps.append(Step(left, True, NOTHING))
    if direction == policies.INGRESS:
        walk.narrowed()
    return Side(direction, own, other, tuple(walk.rules), tuple(walk.steps), closers, walk.guards, walk.identified)


def allowed(side_: Side) -> intervals.Intervals:
    """What passes, as far as rules match surely."""
    found, taken = intervals.NONE, intervals.NONE
    for each in side_.steps:
        if each.allowed:
            found = intervals.union(found, each.ports)
        elif each.by == MESH:
            taken = intervals.union(taken, each.ports)
    return intervals.difference(found, taken)


def _words(each: statements.Statement, end: ends.End, found: bool | None, whole: cluster.Cluster) -> str:
    if found:
        return "one of its peers matches"
    said = [_peer(one, end, whole) for one in each.peers]
    return "; ".join(dict.fromkeys(said)) or "it has no peer"


def _peer(one: statements.Peer, end: ends.End, whole: cluster.Cluster) -> str:
    if isinstance(one, statements.Nodes):
        return "it is for nodes"
    if isinstance(one, statements.Networks):
        return "it is for other addresses" if end.workload is None else "it is for addresses, and this is a pod"
    if isinstance(one, statements.Everywhere):
        return "it is for everybody"
    if end.workload is None:
        return "selectors are for pods, and this is an address outside"
    where = end.workload.namespace
    found, why = peers.selected(whole.model.namespaces.get(where, {}), one.namespaces, f"namespace {where}")
    if found:
        found, why = peers.selected(ends.labels(end), one.pods, end.workload.title)
    return f"only some pods that {selectors.text(one.pods)} selects are meant" if found else why
