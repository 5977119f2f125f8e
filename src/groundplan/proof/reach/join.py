"""Both sides joined: a connection passes where a piece of egress and a piece of ingress agree.

They agree where the one admits a subject of the other, and the other a subject of the one. Both are asked namespace by
namespace, where sets are small and many pieces have the same: for each pod there, which pieces of ingress admit it,
and which hold it, as sets of pieces. What a piece of egress meets is a union of these. Nothing is expanded to pairs.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator

import msgspec

from groundplan.proof import intervals
from groundplan.proof.reach import bits, classes, sides


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


def rectangles(egress: sides.Side, ingress: sides.Side, universe: classes.Universe) -> Iterator[Rectangle]:
    """What passes both sides, as rectangles that may overlap. Between two addresses outside there is none."""
    pods = universe.pods
    yield from _leaving(egress, pods)
    yield from _entering(ingress, pods)
    yield from _inside(egress, ingress, universe)


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


def _inside(egress: sides.Side, ingress: sides.Side, universe: classes.Universe) -> Iterator[Rectangle]:
    numbers: dict[intervals.Intervals, int] = {}
    outs, intos = (_halves(side, universe.pods, numbers) for side in (egress, ingress))
    common = _Common(list(numbers))
    fitting: dict[int, int] = {}
    for out, some in zip(outs, _meetings(outs, intos, universe), strict=True):
        row = common[out.ports]
        if some and out.ports not in fitting:
            fitting[out.ports] = bits.of(number for number, into in enumerate(intos) if row[into.ports])
        for number in bits.members(some & fitting[out.ports]) if some else ():
            into = intos[number]
            yield Rectangle(out, into, row[into.ports])


def _halves(side: sides.Side, pods: int, numbers: dict[intervals.Intervals, int]) -> list[Half]:
    found: list[Half] = []
    for number, piece in enumerate(side.pieces):
        # A set without a bit beyond the pods is one of pods: most are, and stay as they are.
        peers = piece.peers if piece.peers <= pods else piece.peers & pods
        subjects = piece.subjects if piece.subjects <= pods else piece.subjects & pods
        if peers and subjects:
            found.append(Half(number, numbers.setdefault(piece.ports, len(numbers)), peers, subjects))
    return sorted(found, key=_first)


def _first(half: Half) -> int:
    return half.subjects & -half.subjects


def _meetings(outs: list[Half], intos: list[Half], universe: classes.Universe) -> list[int]:
    """For each piece of egress, the set of the pieces of ingress that admit it and that it may reach."""
    spaces = list(universe.first.values())
    admitted, reached = [0] * len(outs), [0] * len(outs)
    leaving, entering = Parts(outs, spaces, len(universe.classes)), Parts(intos, spaces, len(universe.classes))
    for space in range(len(spaces)):
        _meet(leaving.subjects[space], entering.peers[space], admitted)
        _meet(leaving.peers[space], entering.subjects[space], reached)
    return [one & other for one, other in zip(admitted, reached, strict=True)]


Local = dict[int, list[int]]
"""Sets of pods within one namespace, with the numbers of the halves that have just this part of it."""


class Parts:
    """The sets of all halves, taken apart by namespace."""

    def __init__(self, halves: list[Half], spaces: list[int], last: int) -> None:
        self.spaces, self.ends = spaces, [*spaces[1:], last]
        self.peers: list[Local] = [{} for _ in spaces]
        self.subjects: list[Local] = [{} for _ in spaces]
        self.fill(self.peers, [each.peers for each in halves])
        self.fill(self.subjects, [each.subjects for each in halves])

    def fill(self, where: list[Local], sets: list[int]) -> None:
        alike: dict[int, list[int]] = {}
        for number, some in enumerate(sets):
            alike.setdefault(some, []).append(number)
        for some, numbers in alike.items():
            for space, part in self.parts(some):
                where[space].setdefault(part, []).extend(numbers)

    def parts(self, some: int) -> Iterator[tuple[int, int]]:
        low, high = (some & -some).bit_length() - 1, some.bit_length() - 1
        first, last = (bisect.bisect_right(self.spaces, each) - 1 for each in (low, high))
        if first == last:
            yield first, some >> self.spaces[first]
            return
        octets = some.to_bytes((high >> 3) + 1, "little")
        while low >= 0:
            space = bisect.bisect_right(self.spaces, low) - 1
            begin, end = self.spaces[space], self.ends[space]
            near = int.from_bytes(octets[begin >> 3 : (end + 7) >> 3], "little") >> (begin & 7)
            yield space, near & ((1 << (end - begin)) - 1)
            low = _next(octets, end)


_SOME = re.compile(rb"[^\0]")


def _next(octets: bytes, bit: int) -> int:
    """The number of the lowest bit that is set from `bit` on; -1 where there is none."""
    place = bit >> 3
    rest = octets[place] >> (bit & 7) << (bit & 7) if place < len(octets) else 0
    if not rest:
        found = _SOME.search(octets, place + 1)
        if found is None:
            return -1
        place = found.start()
        rest = octets[place]
    return (place << 3) + (rest & -rest).bit_length() - 1


def _meet(mine: Local, theirs: Local, found: list[int]) -> None:
    """Adds to `found`, for each of mine, everybody of theirs who has a pod in common with it."""
    if not mine or not theirs:
        return
    # Who holds pods of one namespace stands close together, so what is added up here is mostly small.
    base = min(map(min, theirs.values()))
    having: dict[int, int] = {}
    for part, numbers in theirs.items():
        who = bits.of([number - base for number in numbers])
        for pod in bits.members(part):
            having[pod] = having.get(pod, 0) | who
    for part, numbers in mine.items():
        met = 0
        for pod in bits.members(part):
            if pod in having:
                met |= having[pod]
        if met:
            met <<= base
            for number in numbers:
                found[number] |= met


class _Common(dict[int, list[intervals.Intervals]]):
    """For each set of ports, by number, what it has in common with every other."""

    def __init__(self, some: list[intervals.Intervals]) -> None:
        super().__init__()
        self.some = some
        cuts = sorted({end for each in some for low, high in each for end in (low, high + 1)})
        place = {cut: number for number, cut in enumerate(cuts)}
        self.atoms = [_spans((place[low], place[high + 1]) for low, high in each) for each in some]
        """Each as the set of the spans between two ends, since most have nothing in common, and it shows there."""

    def __missing__(self, number: int) -> list[intervals.Intervals]:
        mine, atoms = self.some[number], self.atoms[number]
        row = self[number] = [
            intervals.intersection(mine, each) if atoms & others else intervals.NONE
            for each, others in zip(self.some, self.atoms, strict=True)
        ]
        return row


def _spans(some: Iterable[tuple[int, int]]) -> int:
    found = 0
    for begin, end in some:
        found |= bits.span(begin, end - 1)
    return found
