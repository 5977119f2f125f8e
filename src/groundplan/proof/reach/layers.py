"""One side of every connection where policies of kinds beside NetworkPolicy v1 hold too.

Order, as their sources have it: the Admin tier; then NetworkPolicies and Cilium's policies together, deny before allow;
then, for pods that those do not isolate, the Baseline tier; then everything passes. Istio takes away at the end.

What is not decidable is kept as what may be allowed and what may be denied: where both hold, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from groundplan.proof import connections, intervals
from groundplan.proof.model import policies, statements
from groundplan.proof.reach import bits, index, mesh, sides, table

Table = table.Table


class Said(msgspec.Struct, frozen=True):
    """A statement over a universe: peers and ports that certainly, and that possibly, match."""

    action: str
    certain: Table
    possible: Table


class Holder(msgspec.Struct, eq=False):
    """A policy over a universe. Its named ports may differ from subject to subject, so it may come in several."""

    layer: str
    priority: int
    policy: int
    subjects: index.Pair
    isolates: bool
    said: tuple[Said, ...]
    older: bool = False
    """Of an older spelling of its kind."""


class Outcome(msgspec.Struct):
    """What may become of connections."""

    allowed: Table
    denied: Table
    passed: Table
    rest: Table


def side(
    index_: index.Index, v1: tuple[policies.Policy, ...], beside: tuple[statements.Policy, ...], mesh_: mesh.Mesh,
    direction: str, reading: sides.Reading,
) -> sides.Side:  # fmt: skip
    """One direction, in one reading."""
    work = Work(index_, direction, reading)
    holders = [*work.network_policies(v1), *work.others(beside)]
    groups: dict[tuple[tuple[int, bool], ...], int] = {}
    for subject, mark in enumerate(_marks(holders, index_)):
        groups[mark] = groups.get(mark, 0) | 1 << subject
    pieces: dict[tuple[intervals.Intervals, int], sides.Piece] = {}
    isolated = 0
    for mark, subjects in groups.items():
        allowed, denied = work.decided([(holders[number], sure) for number, sure in mark])
        if mark:
            isolated |= subjects
        for some, narrowed in mesh_.narrowed(subjects, direction, reading, allowed, denied):
            _collect(pieces, narrowed, some)
    pods, outside = index_.universe.pods, index_.universe.outside
    found = [*pieces.values(), sides.Piece(connections.ALL, pods, outside, [])]
    return sides.Side(direction, [each for each in found if each.peers and each.subjects], isolated)


def _collect(pieces: dict[tuple[intervals.Intervals, int], sides.Piece], allowed: Table, subjects: int) -> None:
    for ports, peers in allowed.items():
        piece = pieces.setdefault((ports, peers), sides.Piece(ports, peers, 0, []))
        piece.subjects |= subjects


def _marks(holders: list[Holder], index_: index.Index) -> Iterator[tuple[tuple[int, bool], ...]]:
    marks: list[list[tuple[int, bool]]] = [[] for _ in index_.universe.classes]
    for number, holder in enumerate(holders):
        certain, possible = holder.subjects
        for subject in bits.members(possible):
            marks[subject].append((number, bool(certain >> subject & 1)))
    return (tuple(mark) for mark in marks)


class Work:
    """Policies over a universe, in one direction and one reading."""

    def __init__(self, index_: index.Index, direction: str, reading: sides.Reading) -> None:
        self.index, self.direction, self.reading = index_, direction, reading
        self.universe = index_.universe
        self.everybody = self.universe.pods | self.universe.outside

    def network_policies(self, some: tuple[policies.Policy, ...]) -> Iterator[Holder]:
        for number, policy in enumerate(some):
            rules = policy.rules(self.direction)
            if rules is None:
                continue
            subjects = self.pair(self.index.own(policy.namespace, policy.subjects))
            yield Holder(statements.CILIUM, 0, number, subjects, True, ())
            for rule in rules:
                peers = (self.everybody,) * 2 if rule.peers is None else self.index.peers(policy.namespace, rule.peers)
                names = tuple((name.name, name.protocol) for name in rule.ports.names)
                ports = statements.Ports(rule.ports.numbers, names)
                for held, said in self.said(statements.ALLOW, self.pair(peers), ports, subjects, False):
                    yield Holder(statements.CILIUM, 0, number, held, False, (said,))

    def others(self, some: tuple[statements.Policy, ...]) -> Iterator[Holder]:
        for number, policy in enumerate(some):
            subjects = self.pair(self.pods(policy.subjects))
            if self.direction in policy.isolates:
                yield Holder(policy.layer, 0, -1 - number, subjects, True, ())
            mine = [each for each in policy.statements if each.direction == self.direction]
            yield from self.ordered(policy, -1 - number, mine, subjects)

    def ordered(
        self, policy: statements.Policy, number: int, mine: list[statements.Statement], subjects: index.Pair
    ) -> Iterator[Holder]:
        # Statements keep their order for each subject: only those that a subject's port names touch are its own.
        apart: dict[index.Pair, list[Said]] = {}
        for each in mine:
            for held, said in self.said(each.action, self.peers(each.peers), each.ports, subjects, each.conditional):
                apart.setdefault(held, []).append(said)
        if policy.layer == statements.CILIUM or set(apart) <= {subjects}:
            for held, said_ in apart.items():
                yield Holder(policy.layer, policy.priority, number, held, False, tuple(said_), policy.older)
            return
        for subject in bits.members(subjects[1]):
            one = 1 << subject
            own = (subjects[0] & one, one)
            said_ = [said for each in mine for said in self.own(each, own)]
            yield Holder(policy.layer, policy.priority, number, own, False, tuple(said_), policy.older)

    def own(self, statement: statements.Statement, subject: index.Pair) -> Iterator[Said]:
        peers = self.peers(statement.peers)
        for held, said in self.said(statement.action, peers, statement.ports, subject, statement.conditional):
            if held[1]:
                yield said

    def said(
        self, action: str, peers: index.Pair, ports: statements.Ports, subjects: index.Pair, conditional: bool
    ) -> Iterator[tuple[index.Pair, Said]]:
        """The statement for all its subjects, and for each number that a port's name stands for at a destination."""
        lenient = self.reading is sides.Reading.USUAL and action == statements.ALLOW
        sure = 0 if conditional and not lenient else peers[1] if conditional else peers[0]
        if ports.numbers:
            yield subjects, Said(action, table.of(sure, ports.numbers), table.of(peers[1], ports.numbers))
        for name in ports.names:
            for number, holders in self.index.ports.get(name, {}).items():
                held = self.pair(holders)
                one = connections.of(name[1], number, number)
                if self.direction == policies.INGRESS:
                    # For whom the name may mean another number, this one is possible at most.
                    certain, possible = subjects[0] & held[0], subjects[1] & held[1]
                    if certain:
                        yield (certain, certain), Said(action, table.of(sure, one), table.of(peers[1], one))
                    if possible & ~certain:
                        rest = possible & ~certain
                        yield (subjects[0] & rest, rest), Said(action, {}, table.of(peers[1], one))
                else:
                    yield subjects, Said(action, table.of(sure & held[0], one), table.of(peers[1] & held[1], one))

    def pair(self, some: index.Pair) -> index.Pair:
        return (some[0], some[0]) if self.reading is sides.Reading.USUAL else some

    def pods(self, some: statements.Pods) -> index.Pair:
        """Those that are surely meant, and those that may be."""
        certain, possible = self.index.pods(some.namespaces, some.pods)
        return (0, possible) if some.unsure else (certain, possible)

    def peers(self, some: Iterable[statements.Peer]) -> index.Pair:
        """Any of several peers."""
        certain = possible = 0
        for each in some:
            must, may = self.peer(each)
            certain, possible = certain | must, possible | may
        return self.pair((certain, possible))

    def peer(self, some: statements.Peer) -> index.Pair:
        if isinstance(some, statements.Pods):
            return self.pods(some)
        if isinstance(some, statements.Everywhere):
            return self.everybody, self.everybody
        if isinstance(some, statements.Nodes):
            known = self.index.nodes
            unknown = 0 if self.index.node_ranges or some.known else self.universe.outside
            return (known, known) if some.all else (0, known | unknown)
        certain, possible = self.index.networks(some.covers, some.pods)
        return (0, possible) if some.unsure else (certain, possible)

    def decided(self, held: list[tuple[Holder, bool]]) -> tuple[Table, Table]:
        """What may be allowed, and what may be denied, for subjects that these hold (certainly or possibly)."""
        admin, middle, baseline = (
            [(each, sure) for each, sure in held if each.layer == layer]
            for layer in (statements.ADMIN, statements.CILIUM, statements.BASELINE)
        )
        whole = table.everything(self.everybody)
        first = _tier(admin, whole)
        allowed, denied, free = _middle(middle, table.union(first.passed, first.rest))
        allowed, denied = table.union(allowed, first.allowed), table.union(denied, first.denied)
        last = _tier(baseline, free)
        allowed = table.union(table.union(allowed, last.allowed), table.union(last.passed, last.rest))
        denied = table.union(denied, last.denied)
        if admin and any(each.policy < 0 for each, _ in middle):
            # No source says whether Cilium's own policies come before or after the Admin tier.
            early, refused, _ = _middle(middle, whole)
            allowed, denied = table.union(allowed, early), table.union(denied, refused)
        if self.reading is sides.Reading.MOST:
            allowed = table.union(allowed, table.everything(self.index.nodes))
        return allowed, denied


def _tier(held: list[tuple[Holder, bool]], here: Table) -> Outcome:
    spellings = [[(each, sure) for each, sure in held if each.older == older] for older in (True, False)]
    groups = [group for group in spellings if group]
    if len(groups) < 2:
        return _in_turn(groups, here)
    # No source says how policies of v1alpha1 and v1alpha2 are ordered among each other: either may come first.
    one, other = _in_turn(groups, here), _in_turn(groups[::-1], here)
    return Outcome(
        table.union(one.allowed, other.allowed),
        table.union(one.denied, other.denied),
        table.union(one.passed, other.passed),
        table.union(one.rest, other.rest),
    )


def _in_turn(groups: list[list[tuple[Holder, bool]]], here: Table) -> Outcome:
    outcome = Outcome({}, {}, {}, here)
    for held in groups:
        for priority in sorted({each.priority for each, _ in held}):
            before = outcome.rest
            for number in dict.fromkeys(each.policy for each, _ in held if each.priority == priority):
                mine = [(each, sure) for each, sure in held if each.policy == number]
                # Policies of one priority come in an order that is not defined: each may be first.
                after = _first_match(mine, before, outcome)
                outcome.rest = table.intersection(outcome.rest, after)
    return outcome


def _first_match(held: list[tuple[Holder, bool]], here: Table, outcome: Outcome) -> Table:
    for holder, sure in held:
        for said in holder.said:
            hit = table.intersection(here, said.possible)
            if said.action == statements.ALLOW:
                outcome.allowed = table.union(outcome.allowed, hit)
            elif said.action == statements.DENY:
                outcome.denied = table.union(outcome.denied, hit)
            else:
                outcome.passed = table.union(outcome.passed, hit)
            if sure:
                here = table.difference(here, said.certain)
    return here


def _middle(held: list[tuple[Holder, bool]], here: Table) -> tuple[Table, Table, Table]:
    """May be allowed, may be denied, and may be free of isolation."""
    certain: dict[str, Table] = {statements.ALLOW: {}, statements.DENY: {}}
    possible: dict[str, Table] = {statements.ALLOW: {}, statements.DENY: {}}
    for holder, sure in held:
        for said in holder.said:
            possible[said.action] = table.union(possible[said.action], said.possible)
            if sure:
                certain[said.action] = table.union(certain[said.action], said.certain)
    isolated = any(holder.isolates and sure for holder, sure in held)
    maybe = any(holder.isolates for holder, _ in held)
    denied = table.intersection(here, possible[statements.DENY])
    left = table.difference(here, certain[statements.DENY])
    allowed = table.intersection(left, possible[statements.ALLOW]) if maybe else {}
    if maybe:
        denied = table.union(denied, table.difference(left, certain[statements.ALLOW]))
    return allowed, denied, {} if isolated else left
