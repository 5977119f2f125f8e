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


class Rectangle(msgspec.Struct, eq=False, gc=False):
    """Every source reaches every destination on these ports, by these two pieces (-1: an address outside)."""

    sources: int
    destinations: int
    ports: intervals.Intervals
    egress: int
    ingress: int


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
        sources, outside = piece.subjects & pods, piece.peers & ~pods
        if sources and outside:
            yield Rectangle(sources, outside, piece.ports, number, -1)


def _entering(ingress: sides.Side, pods: int) -> Iterator[Rectangle]:
    for number, piece in enumerate(ingress.pieces):
        destinations, outside = piece.subjects & pods, piece.peers & ~pods
        if destinations and outside:
            yield Rectangle(outside, destinations, piece.ports, -1, number)


class _Half(msgspec.Struct, eq=False, gc=False):
    """A piece with its pods only."""

    number: int
    ports: int
    """The number of its ports among all that are met."""
    peers: int
    subjects: int


Table = dict[int, dict[int, _Half]]
"""Halves by subject, and then by their own number."""


class _Inside:
    def __init__(self, egress: sides.Side, ingress: sides.Side, pods: int) -> None:
        self.ports: dict[intervals.Intervals, int] = {}
        self.out_narrow, self.out_wide = self.halves(egress, pods)
        self.in_narrow, self.in_wide = self.halves(ingress, pods)
        self.common = _Common(list(self.ports))

    def halves(self, side: sides.Side, pods: int) -> tuple[list[_Half], list[_Half]]:
        narrow: list[_Half] = []
        wide: list[_Half] = []
        for number, piece in enumerate(side.pieces):
            peers, subjects = piece.peers & pods, piece.subjects & pods
            if peers and subjects:
                ports = self.ports.setdefault(piece.ports, len(self.ports))
                half = _Half(number, ports, peers, subjects)
                (narrow if peers.bit_count() <= NARROW else wide).append(half)
        return narrow, wide

    def narrow_egress(self) -> Iterator[Rectangle]:
        table, common = _table([*self.in_narrow, *self.in_wide], _peers(self.out_narrow)), self.common
        for out in self.out_narrow:
            row, subjects = common[out.ports], out.subjects
            for into in _found(table, out.peers):
                if (ports := row[into.ports]) and (sources := subjects & into.peers):
                    yield Rectangle(sources, out.peers & into.subjects, ports, out.number, into.number)

    def narrow_ingress(self) -> Iterator[Rectangle]:
        table, common = _table(self.out_wide, _peers(self.in_narrow)), self.common
        for into in self.in_narrow:
            row, subjects = common[into.ports], into.subjects
            for out in _found(table, into.peers):
                if (ports := row[out.ports]) and (found := out.peers & subjects):
                    yield Rectangle(out.subjects & into.peers, found, ports, out.number, into.number)

    def wide(self) -> Iterator[Rectangle]:
        wide = _by_peers(self.in_wide)
        for reached, outs in _by_peers(self.out_wide).items():
            for admitted, intos in wide.items():
                left = [(out, sources) for out in outs if (sources := out.subjects & admitted)]
                right = [(into, found) for into in intos if (found := into.subjects & reached)] if left else []
                yield from self.met(left, right)

    def met(self, left: list[tuple[_Half, int]], right: list[tuple[_Half, int]]) -> Iterator[Rectangle]:
        for out, sources in left:
            row = self.common[out.ports]
            for into, found in right:
                if ports := row[into.ports]:
                    yield Rectangle(sources, found, ports, out.number, into.number)


class _Common(dict[int, list[intervals.Intervals]]):
    """For each set of ports, by number, what it has in common with every other."""

    def __init__(self, some: list[intervals.Intervals]) -> None:
        super().__init__()
        self.some = some

    def __missing__(self, number: int) -> list[intervals.Intervals]:
        mine = self.some[number]
        row = self[number] = [intervals.intersection(mine, each) for each in self.some]
        return row


def _peers(halves: Iterable[_Half]) -> int:
    found = 0
    for each in halves:
        found |= each.peers
    return found


def _table(halves: Iterable[_Half], wanted: int) -> Table:
    table: Table = {}
    for half in halves:
        for subject in bits.members(half.subjects & wanted):
            row = table.get(subject)
            if row is None:
                table[subject] = {half.number: half}
            else:
                row[half.number] = half
    return table


def _found(table: Table, peers: int) -> Iterable[_Half]:
    numbers = list(bits.members(peers))
    if len(numbers) == 1:
        return table.get(numbers[0], {}).values()
    found: dict[int, _Half] = {}
    for each in numbers:
        if each in table:
            found.update(table[each])
    return found.values()


def _by_peers(halves: list[_Half]) -> dict[int, list[_Half]]:
    grouped: dict[int, list[_Half]] = {}
    for half in halves:
        grouped.setdefault(half.peers, []).append(half)
    return grouped
