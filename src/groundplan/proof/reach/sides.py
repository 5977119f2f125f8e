"""One side of every connection: for whom (subjects), with whom (peers), on which ports.

A side is a list of pieces whose union it is. Pods that no policy isolates have one piece that allows everything, and
so have addresses outside, since policies hold only pods.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

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
    work.names()
    return Side(direction, [*work.merged.values(), *work.open()], work.isolated)


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
        self.named: dict[tuple[policies.Named, int], Piece] = {}
        """What rules say by a port's name, before anybody asks which number that is."""

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
            self.add(rule.ports.numbers, peers, subjects, [origin])
        for name in rule.ports.names:
            piece = self.named.get((name, peers))
            if piece is None:
                self.named[name, peers] = Piece(intervals.NONE, 0, subjects, [origin])
            else:
                piece.subjects |= subjects
                piece.origins.append(origin)

    def names(self) -> None:
        """Adds what rules say by names: one name may be another number at each of many destinations."""
        for (name, peers), piece in self.named.items():
            entering = self.direction == policies.INGRESS
            for number, holders in self.holders(name, piece.subjects if entering else self.sets[peers]):
                ports = connections.of(name.protocol, number, number)
                if entering:
                    self.add(ports, peers, holders, piece.origins)
                else:
                    self.add(ports, self.number(holders), piece.subjects, piece.origins)

    def add(self, ports: intervals.Intervals, peers: int, subjects: int, origins: list[Origin]) -> None:
        piece = self.merged.get((ports, peers))
        if piece is None:
            self.merged[ports, peers] = Piece(ports, self.sets[peers], subjects, [*origins])
        else:
            piece.subjects |= subjects
            piece.origins += origins

    def holders(self, name: policies.Named, among: int) -> Iterator[tuple[int, int]]:
        """The numbers that some of a set have under this name, each with who has it."""
        most = self.reading is Reading.MOST
        for number, (certain, possible) in self.table.ports.get((name.name, name.protocol), {}).items():
            if holders := among & (possible if most else certain):
                yield number, holders

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
