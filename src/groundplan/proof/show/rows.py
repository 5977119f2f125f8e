"""Rows: one allowed pair of ends each, between workloads, between pods, or with ranges of addresses outside."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Callable, Iterator

import msgspec

from groundplan.proof import addresses, connections, ends, intervals
from groundplan.proof.model import build, workloads
from groundplan.proof.reach import bits, classes, result


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """`source` reaches `destination`; with `replicas` both are one workload, and its pods reach each other."""

    source: str
    destination: str
    connections: str
    replicas: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """What to narrow rows to. Patterns are titles, names or globs; addresses are addresses."""

    source: str | None = None
    destination: str | None = None
    ports: intervals.Intervals | None = None
    pods: bool = False
    inside: intervals.Intervals = ()
    """Addresses that are pods', and so not outside."""


EVERYTHING = Wanted()


def rows(model: build.Model, reach: result.Reach, wanted: Wanted = EVERYTHING) -> Iterator[Row]:
    """All rows, sorted by source and then by destination. Raises UnknownEnd for a pattern that names nothing."""
    work = _Work(model, reach.universe, wanted)
    by_title: dict[str, tuple[_Source, tuple[result.Part, ...]]] = {}
    arriving: dict[tuple[int, intervals.Intervals], int] = {}
    for number, found in reach.rows():
        if number < len(reach.universe.classes):
            by_title.update((each.title, (each, found)) for each in work.sources(number))
        else:
            work.arrive(number, found, arriving)
    yield from sorted(work.outside(arriving), key=lambda row: (row.source, row.destination))
    for title in sorted(by_title):
        yield from sorted(work.of(*by_title[title]), key=lambda row: row.destination)


class _Source(msgspec.Struct, frozen=True, eq=False):
    title: str
    workload: workloads.Workload | None
    pod: int


class _Work:
    def __init__(self, model: build.Model, universe: classes.Universe, wanted: Wanted) -> None:
        self.universe, self.wanted = universe, wanted
        self.from_ = matcher(model, wanted.source)
        self.to = matcher(model, wanted.destination)
        self._titles: dict[int, list[_Source]] = {}
        self._reached: dict[int, list[_Source]] = {}

    def sources(self, number: int) -> Iterator[_Source]:
        return (each for each in self.titles(number) if self.from_.workload(each.workload))

    def arrive(
        self, atom: int, parts: tuple[result.Part, ...], arriving: dict[tuple[int, intervals.Intervals], int]
    ) -> None:
        """Gathers, for each class and its connections, the addresses that they come from."""
        for found, ports in parts:
            for number in bits.members(found & self.universe.pods):
                arriving[number, ports] = arriving.get((number, ports), 0) | 1 << atom

    def outside(self, arriving: dict[tuple[int, intervals.Intervals], int]) -> Iterator[Row]:
        for (number, ports), atoms in arriving.items():
            kept = self.kept(ports)
            for low, high in self.from_.addresses(self.ranges(atoms)) if kept else ():
                for each in self.reached(number):
                    yield Row(addresses.text(low, high), each.title, connections.text(kept))

    @functools.cached_property
    def goals(self) -> int:
        """The classes with somebody whom the rows are to lead to."""
        return bits.of(number for number in range(len(self.universe.classes)) if self.reached(number))

    def reached(self, number: int) -> list[_Source]:
        """Those of a class whom the rows are to lead to."""
        if number not in self._reached:
            self._reached[number] = [each for each in self.titles(number) if self.to.workload(each.workload)]
        return self._reached[number]

    def ranges(self, atoms: int) -> intervals.Intervals:
        return intervals.difference(self.universe.ranges(atoms), self.wanted.inside)

    def kept(self, ports: intervals.Intervals) -> intervals.Intervals:
        return ports if self.wanted.ports is None else intervals.intersection(ports, self.wanted.ports)

    def titles(self, number: int) -> list[_Source]:
        if number not in self._titles:
            members = self.universe.classes[number].members
            self._titles[number] = [each for member in members for each in self.pods(member)]
        return self._titles[number]

    def pods(self, member: workloads.Workload) -> Iterator[_Source]:
        if not self.wanted.pods or member.count <= 1:
            yield _Source(member.title, member, 0)
        else:
            for pod in range(member.count):
                yield _Source(f"{member.title}#{pod}", member, pod)

    def of(self, source: _Source, parts: tuple[result.Part, ...]) -> Iterator[Row]:
        for found, ports in parts:
            if kept := self.kept(ports):
                yield from self.part(source, found, connections.text(kept))

    def part(self, source: _Source, found: int, words: str) -> Iterator[Row]:
        for low, high in self.to.addresses(self.ranges(found)):
            yield Row(source.title, addresses.text(low, high), words)
        for number in bits.members(found & self.goals):
            for each in self.reached(number):
                if each.workload is not source.workload or each.pod != source.pod:
                    yield Row(source.title, each.title, words)
                elif source.workload and source.workload.many and not self.wanted.pods:
                    yield Row(source.title, source.title, words, True)


class Matcher(msgspec.Struct, frozen=True):
    """Which ends are wanted: workloads by a test, addresses by a set."""

    workload: Callable[[workloads.Workload | None], bool]
    addresses: Callable[[intervals.Intervals], intervals.Intervals]


def matcher(model: build.Model, words: str | None) -> Matcher:
    """The matcher of a pattern; raises UnknownEnd where it names nothing."""
    if words is None:
        return Matcher(lambda _: True, lambda some: some)
    if any(each in words for each in "*?"):
        found = [each for each in model.workloads if _fits(each, words)]
        if not found:
            raise ends.UnknownEnd(f"no workload matches {words!r}")
        return _only(found)
    end = ends.find(model, words)
    if end.workload is not None:
        return _only([end.workload])
    return Matcher(lambda _: False, lambda some: intervals.intersection(some, end.addresses))


def _only(found: list[workloads.Workload]) -> Matcher:
    kept = {(each.namespace, each.name, each.kind) for each in found}
    return Matcher(lambda one: one is not None and _origin(one) in kept, lambda _: ())


def _origin(one: workloads.Workload) -> tuple[str, str, str]:
    # A pod that was told apart from its siblings by a numbered label still answers to its workload's name.
    name = one.document.name if one.kind != "Pod" else one.name
    return one.namespace, name, one.kind


def _fits(workload: workloads.Workload, pattern: str) -> bool:
    return fnmatch.fnmatchcase(workload.title, pattern) or fnmatch.fnmatchcase(
        f"{workload.namespace}/{workload.name}", pattern
    )
