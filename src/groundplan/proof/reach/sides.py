"""One side of every connection: for whom (subjects), with whom (peers), on which ports.

A side is a list of pieces whose union it is. Pods that no policy isolates have one piece that allows everything, and
so have addresses outside, since policies hold only pods.
"""

from __future__ import annotations

import enum

import msgspec

from groundplan.proof import connections, intervals
from groundplan.proof.model import policies
from groundplan.proof.reach import index

Origin = tuple[int, int]
"""Number of the policy, number of its rule."""


class Reading(enum.Enum):
    """How to take what is not decidable: as it usually is, or at the fewest or the most connections."""

    USUAL = "usual"
    FEWEST = "fewest"
    MOST = "most"


class Piece(msgspec.Struct, eq=False):
    """Each subject and each peer may connect on these ports; origins are the rules that say so."""

    ports: intervals.Intervals
    peers: int
    subjects: int
    origins: list[Origin]


class Side(msgspec.Struct, eq=False):
    """All pieces of one direction, and whom policies isolate."""

    direction: str
    pieces: list[Piece]
    isolated: int


def side(table: index.Index, some: tuple[policies.Policy, ...], direction: str, reading: Reading) -> Side:
    """One direction under NetworkPolicy v1: the union of what rules allow, and everything for whom none isolates."""
    work = _Work(table, direction, reading)
    for number, policy in enumerate(some):
        rules = policy.rules(direction)
        if rules is not None:
            work.policy(number, policy, rules)
    return Side(direction, [*work.merged.values(), *work.open()], work.isolated)


Holders = list[tuple[intervals.Intervals, int]]
"""The numbers that a port name stands for, each with those who have it under that number."""


class _Work:
    """Pieces come together by their ports and the value of their peers, however rules say these.

    Values are numbered, since comparing sets of all ends again and again would be most of the work.
    """

    def __init__(self, table: index.Index, direction: str, reading: Reading) -> None:
        self.table, self.direction, self.reading = table, direction, reading
        self.everybody = table.universe.pods | table.universe.outside
        self.isolated = 0
        self.merged: dict[tuple[intervals.Intervals, int], Piece] = {}
        self.sets: list[int] = []
        self.numbers: dict[int, int] = {}
        self._said: dict[object, int] = {None: self.number(self.everybody)}
        self._named: dict[tuple[int, policies.Named], Holders] = {}

    def number(self, some: int) -> int:
        """Of a set, among all there are."""
        known = self.numbers.setdefault(some, len(self.sets))
        if known == len(self.sets):
            self.sets.append(some)
        return known

    def policy(self, number: int, policy: policies.Policy, rules: tuple[policies.Rule, ...]) -> None:
        certain, possible = self.table.own(policy.namespace, policy.subjects)
        self.isolated |= possible if self.reading is Reading.FEWEST else certain
        subjects = possible if self.reading is Reading.MOST else certain
        if subjects:
            for place, rule in enumerate(rules):
                self.rule((number, place), policy.namespace, rule, subjects)

    def rule(self, origin: Origin, namespace: str, rule: policies.Rule, subjects: int) -> None:
        peers = self.peers(namespace, rule.peers)
        if not self.sets[peers]:
            return
        if rule.ports.numbers:
            self.add(rule.ports.numbers, peers, subjects, origin)
        for name in rule.ports.names:
            if self.direction == policies.INGRESS:
                for ports, holders in self.holders(name, subjects):
                    self.add(ports, peers, holders, origin)
            else:
                for ports, number in self.named(peers, name):
                    self.add(ports, number, subjects, origin)

    def add(self, ports: intervals.Intervals, peers: int, subjects: int, origin: Origin) -> None:
        piece = self.merged.get((ports, peers))
        if piece is None:
            self.merged[ports, peers] = Piece(ports, self.sets[peers], subjects, [origin])
        else:
            piece.subjects |= subjects
            piece.origins.append(origin)

    def holders(self, name: policies.Named, among: int) -> Holders:
        """Who of a set has a port of this name, by number."""
        most = self.reading is Reading.MOST
        found = self.table.ports.get((name.name, name.protocol), {}).items()
        pairs = ((number, among & (possible if most else certain)) for number, (certain, possible) in found)
        return [(connections.of(name.protocol, number, number), holders) for number, holders in pairs if holders]

    def named(self, peers: int, name: policies.Named) -> Holders:
        """As `holders`, of peers by the number of their set."""
        known = self._named.get((peers, name))
        if known is None:
            found = self.holders(name, self.sets[peers])
            known = self._named[peers, name] = [(ports, self.number(holders)) for ports, holders in found]
        return known

    def peers(self, namespace: str, peers: tuple[policies.Peer, ...] | None) -> int:
        """The number of the set that the peers of a rule are."""
        said: object = peers
        for each in peers or ():
            if each.namespaces is None and each.block is None:
                said = (namespace, peers)
                break
        known = self._said.get(said)
        if known is None:
            certain, possible = self.table.peers(namespace, peers or ())
            known = self._said[said] = self.number(possible if self.reading is Reading.MOST else certain)
        return known

    def open(self) -> list[Piece]:
        universe = self.table.universe
        free = universe.pods & ~self.isolated
        found = [
            Piece(connections.ALL, self.everybody, free, []),
            Piece(connections.ALL, universe.pods, universe.outside, []),
        ]
        if self.reading is Reading.MOST and self.isolated:
            # A pod's own node always reaches it, and whatever uses that node's network comes from the node.
            found.append(Piece(connections.ALL, self.table.nodes, self.isolated, []))
        return [piece for piece in found if piece.subjects and piece.peers]
