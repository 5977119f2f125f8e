"""Both sides joined: a connection passes where a piece of egress and a piece of ingress agree.

Pieces are joined from whichever side is narrow, and the other is looked up in a table; wide ones are met set by set,
with their ports gathered. Nothing is expanded to pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from groundplan.proof import intervals
from groundplan.proof.reach import bits, sides

NARROW = 64
"""Peers up to which a piece is expanded."""


class Half(msgspec.Struct, eq=False, gc=False):
    """A piece of one side, as far as it is joined."""

    number: int
    """Of the piece; -1 for what no piece says: an address outside."""
    ports: int
    """The number of its ports among all that are met."""
    peers: int
    subjects: int


class Rectangle(msgspec.Struct, eq=False, gc=False):
    """Every source reaches every destination on these ports.

    The sets are made when they are asked for: most questions need few of them, and a large cluster's would fill
    memory faster than they can be computed.
    """

    out: Half
    into: Half
    ports: intervals.Intervals

    @property
    def sources(self) -> int:
        """Whom the one holds and the other admits."""
        return self.out.subjects & self.into.peers

    @property
    def destinations(self) -> int:
        """Whom the one may reach and the other holds."""
        return self.out.peers & self.into.subjects

    @property
    def egress(self) -> int:
        """The number of the piece that lets it out; -1 where an address outside sends."""
        return self.out.number

    @property
    def ingress(self) -> int:
        """The number of the piece that lets it in; -1 where an address outside receives."""
        return self.into.number


def rectangle(sources: int, destinations: int, ports: intervals.Intervals) -> Rectangle:
    """One whose sets are known and whose pieces do not matter."""
    return Rectangle(Half(-1, 0, destinations, sources), Half(-1, 0, sources, destinations), ports)


def rectangles(egress: sides.Side, ingress: sides.Side, pods: int) -> Iterator[Rectangle]:
    """What passes both sides, as rectangles that may overlap. Between two addresses outside there is none."""
    yield from _leaving(egress, pods)
    yield from _entering(ingress, pods)
    work = _Inside(egress, ingress, pods)
    yield from work.narrow_egress()
    yield from work.narrow_ingress()
    yield from work.wide()


def _leaving(egress: sides.Side, pods: int) -> Iterator[Rectangle]:
    for number, piece in enumerate(egress.pieces):
        if piece.peers > pods and (sources := piece.subjects & pods):
            outside = piece.peers & ~pods
            yield Rectangle(Half(number, 0, outside, sources), Half(-1, 0, pods, outside), piece.ports)


def _entering(ingress: sides.Side, pods: int) -> Iterator[Rectangle]:
    for number, piece in enumerate(ingress.pieces):
        if piece.peers > pods and (destinations := piece.subjects & pods):
            outside = piece.peers & ~pods
            yield Rectangle(Half(-1, 0, pods, outside), Half(number, 0, outside, destinations), piece.ports)


Table = dict[int, dict[int, Half]]
"""Halves by subject, and then by their own number."""


class _Inside:
    def __init__(self, egress: sides.Side, ingress: sides.Side, pods: int) -> None:
        self.ports: dict[intervals.Intervals, int] = {}
        self.out_narrow, self.out_wide = self.halves(egress, pods)
        self.in_narrow, self.in_wide = self.halves(ingress, pods)
        self.common = _Common(list(self.ports))

    def halves(self, side: sides.Side, pods: int) -> tuple[list[Half], list[Half]]:
        narrow: list[Half] = []
        wide: list[Half] = []
        for number, piece in enumerate(side.pieces):
            # A set without a bit beyond the pods is one of pods: most are, and stay as they are.
            peers = piece.peers if piece.peers <= pods else piece.peers & pods
            subjects = piece.subjects if piece.subjects <= pods else piece.subjects & pods
            if peers and subjects:
                ports = self.ports.setdefault(piece.ports, len(self.ports))
                half = Half(number, ports, peers, subjects)
                (narrow if peers.bit_count() <= NARROW else wide).append(half)
        return narrow, wide

    def narrow_egress(self) -> Iterator[Rectangle]:
        table, common = _table([*self.in_narrow, *self.in_wide], _peers(self.out_narrow)), self.common
        for reached, outs in _by_peers(self.out_narrow).items():
            intos = _found(table, reached)
            for out in outs:
                row, subjects = common[out.ports], out.subjects
                for into in intos:
                    if (ports := row[into.ports]) and subjects & into.peers:
                        yield Rectangle(out, into, ports)

    def narrow_ingress(self) -> Iterator[Rectangle]:
        table, common = _table(self.out_wide, _peers(self.in_narrow)), self.common
        for admitted, intos in _by_peers(self.in_narrow).items():
            outs = _found(table, admitted)
            for into in intos:
                row, subjects = common[into.ports], into.subjects
                for out in outs:
                    if (ports := row[out.ports]) and out.peers & subjects:
                        yield Rectangle(out, into, ports)

    def wide(self) -> Iterator[Rectangle]:
        wide = _by_peers(self.in_wide)
        for reached, outs in _by_peers(self.out_wide).items():
            for admitted, intos in wide.items():
                left = [out for out in outs if out.subjects & admitted]
                right = [into for into in intos if into.subjects & reached] if left else []
                yield from self.met(left, right)

    def met(self, left: list[Half], right: list[Half]) -> Iterator[Rectangle]:
        for out in left:
            row = self.common[out.ports]
            for into in right:
                if ports := row[into.ports]:
                    yield Rectangle(out, into, ports)


class _Common(dict[int, list[intervals.Intervals]]):
    """For each set of ports, by number, what it has in common with every other."""

    def __init__(self, some: list[intervals.Intervals]) -> None:
        super().__init__()
        self.some = some

    def __missing__(self, number: int) -> list[intervals.Intervals]:
        mine = self.some[number]
        row = self[number] = [intervals.intersection(mine, each) for each in self.some]
        return row


def _peers(halves: Iterable[Half]) -> int:
    found = 0
    for each in halves:
        found |= each.peers
    return found


def _table(halves: Iterable[Half], wanted: int) -> Table:
    table: Table = {}
    for half in halves:
        for subject in bits.members(half.subjects & wanted):
            row = table.get(subject)
            if row is None:
                table[subject] = {half.number: half}
            else:
                row[half.number] = half
    return table


def _found(table: Table, peers: int) -> list[Half]:
    found: dict[int, Half] = {}
    for each in bits.members(peers):
        if each in table:
            found.update(table[each])
    return list(found.values())


def _by_peers(halves: list[Half]) -> dict[int, list[Half]]:
    grouped: dict[int, list[Half]] = {}
    for half in halves:
        grouped.setdefault(half.peers, []).append(half)
    return grouped
