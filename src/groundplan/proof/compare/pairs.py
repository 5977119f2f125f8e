"""Connections that two clusters do not share, pair by pair of workloads, and with common ranges of addresses."""

from __future__ import annotations

import bisect
from collections.abc import Iterator

import msgspec

from groundplan.proof import addresses, cluster, connections, intervals
from groundplan.proof.model import workloads
from groundplan.proof.reach import bits, result

ADDED, REMOVED, WIDENED, NARROWED, CHANGED = "added", "removed", "widened", "narrowed", "changed"
KINDS = (ADDED, REMOVED, WIDENED, NARROWED, CHANGED)
"""In the order they are shown; `changed` has gained some connections and lost others."""


class Difference(msgspec.Struct, frozen=True):
    """One pair of ends whose connections are not the same before and after."""

    kind: str
    source: str
    destination: str
    before: str
    after: str


Key = tuple[str, str]


def differences(old: cluster.Cluster, new: cluster.Cluster) -> Iterator[Difference]:
    """Every difference, by kind, then by source and destination."""
    cuts = tuple(sorted({*old.universe.cuts, *new.universe.cuts}))
    found = sorted(_differences(old, new, cuts))
    yield from (Difference(KINDS[kind], *rest) for kind, *rest in found)


def _differences(
    old: cluster.Cluster, new: cluster.Cluster, cuts: tuple[int, ...]
) -> Iterator[tuple[int, str, str, str, str]]:
    before, after = _table(old, cuts), _table(new, cuts)
    for title in before.keys() | after.keys():
        one, other = before.get(title, {}), after.get(title, {})
        if one is other or one == other:
            continue
        changed: dict[tuple[str, intervals.Intervals, intervals.Intervals], list[int]] = {}
        for end in one.keys() | other.keys():
            pair = one.get(end, intervals.NONE), other.get(end, intervals.NONE)
            if pair[0] != pair[1]:
                yield from _told(title, end, pair, changed)
        for (name, had, has), atoms in changed.items():
            for source, destination in _ranges(title, name, atoms, cuts):
                yield KINDS.index(_kind(had, has)), source, destination, connections.text(had), connections.text(has)


def _told(
    title: str, end: str | int, pair: tuple[intervals.Intervals, intervals.Intervals],
    changed: dict[tuple[str, intervals.Intervals, intervals.Intervals], list[int]],
) -> Iterator[tuple[int, str, str, str, str]]:  # fmt: skip
    if isinstance(end, str):
        yield KINDS.index(_kind(*pair)), title, end, connections.text(pair[0]), connections.text(pair[1])
        return
    # Atoms to the outside count from 0, those from the outside from -1 downwards.
    changed.setdefault(("" if end >= 0 else "from", *pair), []).append(end if end >= 0 else ~end)


def _ranges(title: str, direction: str, atoms: list[int], cuts: tuple[int, ...]) -> Iterator[Key]:
    for low, high in intervals.of(_atom(cuts, each) for each in atoms):
        words = addresses.text(low, high)
        yield (words, title) if direction else (title, words)


def _atom(cuts: tuple[int, ...], atom: int) -> tuple[int, int]:
    low = cuts[atom]
    last = addresses.ALL_V4[0][1] if low < addresses.V6 else addresses.ALL_V6[0][1]
    return low, min(last, cuts[atom + 1] - 1 if atom + 1 < len(cuts) else last)


def _kind(before: intervals.Intervals, after: intervals.Intervals) -> str:
    if not before:
        return ADDED
    if not after:
        return REMOVED
    gained, lost = intervals.difference(after, before), intervals.difference(before, after)
    return CHANGED if gained and lost else WIDENED if gained else NARROWED


Row = dict[str | int, intervals.Intervals]


def _table(whole: cluster.Cluster, cuts: tuple[int, ...]) -> dict[str, Row]:
    """For each workload what it reaches: titles and atoms of `cuts`; and, as ~atom, what reaches it from outside."""
    reach, table = whole.reach(), _Table(whole, cuts)
    for number, parts in reach.rows():
        table.row(number, parts)
    return table.rows


class _Table:
    def __init__(self, whole: cluster.Cluster, cuts: tuple[int, ...]) -> None:
        self.universe, self.cuts = whole.universe, cuts
        self.rows: dict[str, Row] = {}
        # The cuts of both clusters include its own, so each of its atoms is a run of theirs.
        own = [bisect.bisect_left(cuts, each) for each in self.universe.cuts]
        self.runs = [range(first, last) for first, last in zip(own, [*own[1:], len(cuts)], strict=True)]

    def row(self, number: int, parts: tuple[result.Part, ...]) -> None:
        pods = len(self.universe.classes)
        if number >= pods:
            atoms = tuple(self.atoms(1 << number))
            for found, ports in parts:
                for each in bits.members(found & self.universe.pods):
                    for member in self.universe.classes[each].members:
                        self.rows.setdefault(member.title, {}).update((~atom, ports) for atom in atoms)
            return
        members = self.universe.classes[number].members
        for member in members:
            self.rows.setdefault(member.title, {}).update(self.reached(member, parts))

    def reached(
        self, source: workloads.Workload, parts: tuple[result.Part, ...]
    ) -> Iterator[tuple[str | int, intervals.Intervals]]:
        for found, ports in parts:
            for number in bits.members(found & self.universe.pods):
                for member in self.universe.classes[number].members:
                    if member is not source or source.many:
                        yield member.title, ports
            for atom in self.atoms(found & ~self.universe.pods):
                yield atom, ports

    def atoms(self, some: int) -> Iterator[int]:
        for number in bits.members(some >> len(self.universe.classes)):
            yield from self.runs[number]
