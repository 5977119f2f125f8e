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


class Rectangle(msgspec.Struct, eq=False):
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


class _Half(msgspec.Struct):
    """A piece with its pods only."""

    number: int
    ports: intervals.Intervals
    peers: int
    subjects: int


class _Inside:
    def __init__(self, egress: sides.Side, ingress: sides.Side, pods: int) -> None:
        self.out_narrow, self.out_wide = _halves(egress, pods)
        self.in_narrow, self.in_wide = _halves(ingress, pods)

    def narrow_egress(self) -> Iterator[Rectangle]:
        wanted = 0
        for out in self.out_narrow:
            wanted |= out.peers
        table = _table([*self.in_narrow, *self.in_wide], wanted)
        for out in self.out_narrow:
            for into in _found(table, out.peers):
                if (ports := intervals.intersection(out.ports, into.ports)) and (sources := out.subjects & into.peers):
                    yield Rectangle(sources, out.peers & into.subjects, ports, out.number, into.number)

    def narrow_ingress(self) -> Iterator[Rectangle]:
        wanted = 0
        for into in self.in_narrow:
            wanted |= into.peers
        table = _table(self.out_wide, wanted)
        for into in self.in_narrow:
            for out in _found(table, into.peers):
                if (ports := intervals.intersection(out.ports, into.ports)) and (found := out.peers & into.subjects):
                    yield Rectangle(out.subjects & into.peers, found, ports, out.number, into.number)

    def wide(self) -> Iterator[Rectangle]:
        for reached, outs in _by_peers(self.out_wide).items():
            for admitted, intos in _by_peers(self.in_wide).items():
                left = [(out, sources) for out in outs if (sources := out.subjects & admitted)]
                right = [(into, found) for into in intos if (found := into.subjects & reached)] if left else []
                yield from _met(left, right)


def _met(left: list[tuple[_Half, int]], right: list[tuple[_Half, int]]) -> Iterator[Rectangle]:
    for out, sources in left:
        for into, found in right:
            if ports := intervals.intersection(out.ports, into.ports):
                yield Rectangle(sources, found, ports, out.number, into.number)


def _halves(side: sides.Side, pods: int) -> tuple[list[_Half], list[_Half]]:
    halves = [
        _Half(number, piece.ports, piece.peers & pods, piece.subjects & pods)
        for number, piece in enumerate(side.pieces)
    ]
    kept = [half for half in halves if half.peers and half.subjects]
    narrow = [half for half in kept if half.peers.bit_count() <= NARROW]
    return narrow, [half for half in kept if half.peers.bit_count() > NARROW]


def _table(halves: Iterable[_Half], wanted: int) -> dict[int, list[_Half]]:
    table: dict[int, list[_Half]] = {}
    for half in halves:
        for subject in bits.members(half.subjects & wanted):
            table.setdefault(subject, []).append(half)
    return table


def _found(table: dict[int, list[_Half]], peers: int) -> Iterable[_Half]:
    numbers = list(bits.members(peers))
    if len(numbers) == 1:
        return table.get(numbers[0], ())
    found: dict[int, _Half] = {}
    for each in numbers:
        for half in table.get(each, ()):
            found[half.number] = half
    return found.values()


def _by_peers(halves: list[_Half]) -> dict[int, list[_Half]]:
    grouped: dict[int, list[_Half]] = {}
    for half in halves:
        grouped.setdefault(half.peers, []).append(half)
    return grouped
