"""The answer for all ends at once, kept as two sides and asked pair by pair, row by row, or as rectangles."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

from groundplan.proof import connections, garbage, intervals
from groundplan.proof.reach import bits, classes, join, sides

Part = tuple[int, intervals.Intervals]
"""Ends, and what connects to each of them."""


class Reach:
    """Who reaches whom, in one reading."""

    def __init__(self, universe: classes.Universe, egress: sides.Side, ingress: sides.Side) -> None:
        self.universe, self.egress, self.ingress = universe, egress, ingress

    @functools.cached_property
    def rectangles(self) -> tuple[join.Rectangle, ...]:
        """Everything that is allowed; rectangles may overlap."""
        with garbage.held():
            return tuple(join.rectangles(self.egress, self.ingress, self.universe))

    @functools.cached_property
    def leaving(self) -> dict[int, list[sides.Piece]]:
        """The pieces of egress by the class that they hold."""
        return _by_subject(self.egress, self.universe.pods)

    @functools.cached_property
    def entering(self) -> dict[int, list[sides.Piece]]:
        """The pieces of ingress by the class that they hold."""
        return _by_subject(self.ingress, self.universe.pods)

    def between(self, source: int, destination: int) -> intervals.Intervals:
        """The connections from one end to another: numbers of classes or atoms, two different pods if one class."""
        last = len(self.universe.classes)
        if source >= last and destination >= last:
            return intervals.NONE
        leaving = connections.ALL if source >= last else _allowed(self.leaving.get(source, ()), destination)
        entering = connections.ALL if destination >= last else _allowed(self.entering.get(destination, ()), source)
        return intervals.intersection(leaving, entering)

    def rows(self) -> Iterator[tuple[int, tuple[Part, ...]]]:
        """Every source (a class or atom) with what it reaches, grouped by connections."""
        by_source: dict[int, list[int]] = {}
        for number, rectangle in enumerate(self.rectangles):
            for source in bits.members(rectangle.sources):
                by_source.setdefault(source, []).append(number)
        known: dict[tuple[int, ...], tuple[Part, ...]] = {}
        for source in sorted(by_source):
            mark = tuple(by_source[source])
            if mark not in known:
                found = (self.rectangles[number] for number in mark)
                known[mark] = parts((each.destinations, each.ports) for each in found)
            yield source, known[mark]


def _by_subject(side: sides.Side, pods: int) -> dict[int, list[sides.Piece]]:
    found: dict[int, list[sides.Piece]] = {}
    for piece in side.pieces:
        for subject in bits.members(piece.subjects & pods):
            found.setdefault(subject, []).append(piece)
    return found


def _allowed(pieces: Iterable[sides.Piece], peer: int) -> intervals.Intervals:
    found = intervals.NONE
    for piece in pieces:
        if piece.peers >> peer & 1:
            found = intervals.union(found, piece.ports)
    return found


def parts(some: Iterable[Part]) -> tuple[Part, ...]:
    """Overlapping parts made disjoint, those with equal connections put together, widest connections first."""
    by_ports: dict[intervals.Intervals, int] = {}
    for ends, ports in some:
        by_ports[ports] = by_ports.get(ports, 0) | ends
    found: dict[intervals.Intervals, int] = {}
    for ports, ends in by_ports.items():
        found = _added(found, ends, ports)
    return tuple((ends, ports) for ports, ends in sorted(found.items()))


def _added(
    found: dict[intervals.Intervals, int], ends: int, ports: intervals.Intervals
) -> dict[intervals.Intervals, int]:
    after: dict[intervals.Intervals, int] = {}
    left = ends
    for other, some in found.items():
        if common := some & ends:
            both = intervals.union(other, ports)
            after[both] = after.get(both, 0) | common
            left &= ~common
        if rest := some & ~ends:
            after[other] = after.get(other, 0) | rest
    if left:
        after[ports] = after.get(ports, 0) | left
    return after
