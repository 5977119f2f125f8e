"""Classes: pods that no policy can tell apart are one, and so are addresses between two ends of a block.

A pod's class is its namespace, what of its labels some selector names, the numbers behind the port names that some
rule names, and whether it uses its node's network. Classes of one namespace are numbered in a row, so that a set
within a namespace is a small number, shifted. Behind the pods come the address atoms.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator

import msgspec

from groundplan.proof import addresses, intervals
from groundplan.proof.model import build, policies, selectors, statements, workloads
from groundplan.proof.reach import bits


class Named(msgspec.Struct):
    """What selectors and rules name: keys with the values named for them, ports, address ends."""

    values: dict[str, set[str]] = msgspec.field(default_factory=dict)
    ports: set[tuple[str, str]] = msgspec.field(default_factory=set)
    ends: set[int] = msgspec.field(default_factory=set)

    def with_(self, other: Named) -> Named:
        """Everything that either names."""
        values = {key: set(some) for key, some in self.values.items()}
        for key, some in other.values.items():
            values.setdefault(key, set()).update(some)
        return Named(values, self.ports | other.ports, self.ends | other.ends)

    def within(self, other: Named) -> bool:
        """Does `other` name all of it?"""
        known = all(values <= other.values.get(key, set()) for key, values in self.values.items())
        present = self.values.keys() <= other.values.keys()
        ends = self.ends <= other.ends | {addresses.ALL_V4[0][0], addresses.ALL_V4[0][1] + 1, addresses.V6}
        return known and present and self.ports <= other.ports and ends

    def selector(self, some: selectors.Selector) -> None:
        """Takes note of a selector over pods."""
        for term in some:
            self.values.setdefault(term.key, set()).update(term.values)

    def covered(self, some: intervals.Intervals) -> None:
        """Takes note of a set of addresses."""
        for low, high in some:
            self.ends.add(low)
            self.ends.add(high + 1)

    def rules(self, rules: Iterable[policies.Rule]) -> None:
        """Takes note of everything that rules name."""
        for rule in rules:
            self.ports.update((each.name, each.protocol) for each in rule.ports.names)
            for peer in rule.peers or ():
                if peer.block:
                    self.covered(peer.block.covers)
                elif peer.pods:
                    self.selector(peer.pods)

    def statements(self, some: Iterable[statements.Policy]) -> None:
        """Takes note of everything that policies of other kinds name."""
        for policy in some:
            self.selector(policy.subjects.pods)
            for each in policy.statements:
                self.ports.update(each.ports.names)
                for peer in each.peers:
                    if isinstance(peer, statements.Networks):
                        self.covered(peer.covers)
                    elif isinstance(peer, statements.Pods):
                        self.selector(peer.pods)


def named(some: Iterable[policies.Policy]) -> Named:
    """Everything that NetworkPolicies name."""
    found = Named()
    for policy in some:
        if policy.subjects:
            found.selector(policy.subjects)
        if policy.ingress:
            found.rules(policy.ingress)
        if policy.egress:
            found.rules(policy.egress)
    return found


class Class(msgspec.Struct, frozen=True, eq=False):
    """Workloads, or single pods, that no policy can tell apart."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    """Those that matter; a value that no selector names is `OTHER`."""
    ports: tuple[workloads.Port, ...]
    host: bool
    addresses: tuple[str, ...]
    account: str
    members: list[workloads.Workload]


OTHER = "\0other"
Key = tuple[str, tuple[tuple[str, str], ...], tuple[workloads.Port, ...], bool, tuple[str, ...], str]


class Universe(msgspec.Struct, frozen=True, eq=False):
    """All ends that connections can have: classes first, then addresses outside."""

    classes: tuple[Class, ...]
    first: dict[str, int]
    """The number of each namespace's first class."""
    size: dict[str, int]
    """How many classes each namespace has."""
    cuts: tuple[int, ...]
    """Where address atoms begin, in order."""
    labels: dict[str, dict[str, str]]
    """The labels of namespaces."""
    where: dict[int, int]
    """The class of a workload, by its identity."""

    @property
    def pods(self) -> int:
        """The set of all classes."""
        return (1 << len(self.classes)) - 1

    @property
    def outside(self) -> int:
        """The set of all address atoms."""
        return ((1 << len(self.cuts)) - 1) << len(self.classes)

    def atom(self, number: int) -> int:
        """The number of the end that an address is."""
        return len(self.classes) + bisect.bisect_right(self.cuts, number) - 1

    def covering(self, some: intervals.Intervals) -> int:
        """The set of atoms of a set of addresses, whose ends are cuts."""
        found = 0
        for low, high in some:
            found |= bits.span(self.atom(low), self.atom(high))
        return found

    def ranges(self, some: int) -> intervals.Intervals:
        """The addresses of the atoms among a set."""
        outside = some >> len(self.classes)
        return intervals.of(self._range(each) for each in bits.members(outside))

    def _range(self, atom: int) -> tuple[int, int]:
        low = self.cuts[atom]
        last = addresses.ALL_V4[0][1] if low < addresses.V6 else addresses.ALL_V6[0][1]
        following = self.cuts[atom + 1] if atom + 1 < len(self.cuts) else last + 1
        return low, min(last, following - 1)

    def hosts(self) -> int:
        """The set of classes on their node's network."""
        return bits.of(number for number, each in enumerate(self.classes) if each.host)


def universe(model: build.Model, names: Named, *, by_address: bool = False, by_account: bool = False) -> Universe:
    """The ends that can be told apart by what is named."""
    grouped = _grouped(_members(model, names), names, by_address, by_account)
    order = sorted(grouped, key=lambda key: key[0])
    classes = tuple(Class(*key, grouped[key]) for key in order)
    first: dict[str, int] = {}
    size: dict[str, int] = {}
    where: dict[int, int] = {}
    for number, each in enumerate(classes):
        first.setdefault(each.namespace, number)
        size[each.namespace] = size.get(each.namespace, 0) + 1
        for member in each.members:
            where[id(member)] = number
    starts = {addresses.ALL_V4[0][0], addresses.ALL_V6[0][0]}
    ends = {end for end in names.ends if end != addresses.ALL_V4[0][1] + 1 and end <= addresses.ALL_V6[0][1]}
    return Universe(classes, first, size, tuple(sorted(starts | ends)), model.namespaces, where)


def _members(model: build.Model, names: Named) -> Iterator[workloads.Workload]:
    numbered = not workloads.NUMBERED.isdisjoint(names.values)
    if not numbered:
        return iter(model.workloads)
    return (one for each in model.workloads for one in workloads.each(each, numbered))


def _grouped(
    members: Iterable[workloads.Workload], names: Named, by_address: bool, by_account: bool
) -> dict[Key, list[workloads.Workload]]:
    grouped: dict[Key, list[workloads.Workload]] = {}
    ports = names.ports
    topology = tuple((key, selectors.MAYBE) for key in workloads.TOPOLOGY if key in names.values)
    pairs = _pairs(names)
    for each in members:
        held = each.labels
        labels = tuple([known.get(held[key], other) for key, known, other in pairs if key in held])
        if topology:
            labels += tuple(pair for pair in topology if pair[0] not in held)
        numbers = tuple([port for port in each.ports if port[:2] in ports]) if ports and each.ports else ()
        key = (
            each.namespace, labels, numbers, each.host_network, each.addresses if by_address else (),
            each.account if by_account else "",
        )  # fmt: skip
        found = grouped.get(key)
        if found is None:
            grouped[key] = [each]
        else:
            found.append(each)
    return grouped


Pair = tuple[str, str]


def _pairs(names: Named) -> list[tuple[str, dict[str, Pair], Pair]]:
    """For each key that is named: the label of each value that matters, made once, and what any other counts as."""
    return [
        (key, {value: (key, value) for value in (*values, selectors.UNKNOWN)}, (key, OTHER))
        for key, values in names.values.items()
    ]
