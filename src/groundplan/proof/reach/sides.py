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


class _Work:
    def __init__(self, table: index.Index, direction: str, reading: Reading) -> None:
        self.table, self.direction, self.reading = table, direction, reading
        self.everybody = table.universe.pods | table.universe.outside
        self.isolated = 0
        self.merged: dict[tuple[intervals.Intervals, object], Piece] = {}
        self._peers: dict[object, int] = {}

    def policy(self, number: int, policy: policies.Policy, rules: tuple[policies.Rule, ...]) -> None:
        certain, possible = self.table.own(policy.namespace, policy.subjects)
        self.isolated |= possible if self.reading is Reading.FEWEST else certain
        subjects = possible if self.reading is Reading.MOST else certain
        if subjects:
            for place, rule in enumerate(rules):
                self.rule((number, place), policy.namespace, rule, subjects)

    def rule(self, origin: Origin, namespace: str, rule: policies.Rule, subjects: int) -> None:
        mark = self.mark(namespace, rule.peers)
        peers = self._peers[mark]
        if rule.ports.numbers:
            self.add(rule.ports.numbers, mark, peers, subjects, origin)
        for name in rule.ports.names:
            for number, (certain, possible) in self.table.ports.get((name.name, name.protocol), {}).items():
                holders = possible if self.reading is Reading.MOST else certain
                ports = connections.of(name.protocol, number, number)
                if self.direction == policies.INGRESS:
                    self.add(ports, mark, peers, subjects & holders, origin)
                else:
                    self.add(ports, (mark, name, number), peers & holders, subjects, origin)

    def add(self, ports: intervals.Intervals, mark: object, peers: int, subjects: int, origin: Origin) -> None:
        if not (peers and subjects):
            return
        piece = self.merged.get((ports, mark))
        if piece is None:
            self.merged[ports, mark] = Piece(ports, peers, subjects, [origin])
        else:
            piece.subjects |= subjects
            piece.origins.append(origin)

    def mark(self, namespace: str, peers: tuple[policies.Peer, ...] | None) -> object:
        """Stands for a set of peers: equal marks, equal sets."""
        mark: object = peers
        if peers and any(peer.namespaces is None and peer.block is None for peer in peers):
            mark = (namespace, peers)
        if mark not in self._peers:
            self._peers[mark] = self.everybody if peers is None else self.chosen(namespace, peers)
        return mark

    def chosen(self, namespace: str, peers: tuple[policies.Peer, ...]) -> int:
        certain, possible = self.table.peers(namespace, peers)
        return possible if self.reading is Reading.MOST else certain

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
