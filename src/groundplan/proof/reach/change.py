"""One policy changed: what is gained and lost, without computing the rest again.

A policy holds only pods of its own namespace, so only their rows can change. Both sides are patched there, and what a
side gained is met with the whole of the other side after, what it lost with the whole of the other before.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import msgspec

from groundplan.proof import intervals
from groundplan.proof.model import policies
from groundplan.proof.reach import bits, index, join, sides, table


class Changed(msgspec.Struct):
    """Connections that are new, and those that are gone."""

    gained: tuple[join.Rectangle, ...]
    lost: tuple[join.Rectangle, ...]


class View(msgspec.Struct):
    """A side, but for the pods `touched`, whose pieces are `mine`."""

    reach: Mapping[int, list[sides.Piece]]
    """The pieces of the whole side by subject."""
    pieces: list[sides.Piece]
    touched: int
    mine: list[sides.Piece]

    def holding(self, subjects: int) -> Iterator[tuple[sides.Piece, int]]:
        """Pieces with those of their subjects that are among these."""
        rest, near = subjects & ~self.touched, subjects & self.touched
        if rest.bit_count() > FEW:
            yield from ((piece, found) for piece in self.pieces if (found := piece.subjects & rest))
        else:
            yield from ((piece, 1 << each) for each in bits.members(rest) for piece in self.reach.get(each, ()))
        yield from ((piece, found) for piece in self.mine if (found := piece.subjects & near))


class Patched(msgspec.Struct):
    """A side before and after, and between them."""

    before: View
    after: View
    more: list[sides.Piece]
    less: list[sides.Piece]


FEW = 2000
"""Subjects up to which pieces are looked up one subject at a time."""


def changed(egress: Patched, ingress: Patched, pods: int) -> Changed:
    """Everything that differs between two answers."""
    gained = itertools.chain(_met(egress.more, ingress.after, pods), _met_in(egress.after, ingress.more, pods))
    lost = itertools.chain(_met(egress.less, ingress.before, pods), _met_in(egress.before, ingress.less, pods))
    return Changed(tuple(gained), tuple(lost))


def patch(
    table_: index.Index, side: sides.Side, by_subject: Mapping[int, list[sides.Piece]],
    old: tuple[policies.Policy, ...], new: tuple[policies.Policy, ...], touched: int,
) -> Patched:  # fmt: skip
    """A side with the pods `touched` held by `new` instead of `old`, the policies of their namespace."""
    whole = View(by_subject, side.pieces, 0, [])
    if not touched:
        return Patched(whole, whole, [], [])
    before, after = (sides.side(table_, some, side.direction, sides.Reading.USUAL).pieces for some in (old, new))
    more, less = _between(before, after, touched)
    return Patched(whole, View(by_subject, side.pieces, touched, after), more, less)


def _between(
    before: list[sides.Piece], after: list[sides.Piece], touched: int
) -> tuple[list[sides.Piece], list[sides.Piece]]:
    grouped: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    for subject in bits.members(touched):
        mark = (_holding(before, subject), _holding(after, subject))
        grouped[mark] = grouped.get(mark, 0) | 1 << subject
    more: list[sides.Piece] = []
    less: list[sides.Piece] = []
    for (one, other), subjects in grouped.items():
        had, has = _row(before, one), _row(after, other)
        more.extend(sides.Piece(ports, peers, subjects, []) for ports, peers in table.difference(has, had).items())
        less.extend(sides.Piece(ports, peers, subjects, []) for ports, peers in table.difference(had, has).items())
    return more, less


def _holding(pieces: list[sides.Piece], subject: int) -> tuple[int, ...]:
    return tuple(number for number, piece in enumerate(pieces) if piece.subjects >> subject & 1)


def _row(pieces: list[sides.Piece], numbers: tuple[int, ...]) -> table.Table:
    found: table.Table = {}
    for number in numbers:
        found = table.union(found, table.of(pieces[number].peers, pieces[number].ports))
    return found


def _met(outs: list[sides.Piece], ingress: View, pods: int) -> Iterator[join.Rectangle]:
    """What few pieces of egress have in common with all of ingress."""
    for out in outs:
        sources, reached = out.subjects & pods, out.peers & pods
        if outside := out.peers & ~pods:
            yield join.rectangle(sources, outside, out.ports)
        for into, found in ingress.holding(reached):
            some = into.peers & sources
            if some and (ports := intervals.intersection(out.ports, into.ports)):
                yield join.rectangle(some, found, ports)


def _met_in(egress: View, intos: list[sides.Piece], pods: int) -> Iterator[join.Rectangle]:
    """What all of egress has in common with few pieces of ingress."""
    for into in intos:
        found, admitted = into.subjects & pods, into.peers & pods
        if outside := into.peers & ~pods:
            yield join.rectangle(outside, found, into.ports)
        for out, some in egress.holding(admitted):
            reached = out.peers & found
            if reached and (ports := intervals.intersection(out.ports, into.ports)):
                yield join.rectangle(some, reached, ports)
