"""Selectors evaluated over classes, by an inverted index and once for each distinct selector.

A set is a pair: the classes that match for certain, and those that may. They differ only where a selector asks for a
label that a controller makes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

from groundplan.proof import addresses, intervals
from groundplan.proof.model import policies, selectors
from groundplan.proof.reach import bits, classes

Pair = tuple[int, int]
"""Certain, possible."""
NOBODY: Pair = (0, 0)
Local = dict[str, int]
"""Namespace to the bits of its own classes."""


class Index:
    """The inverted index of a universe."""

    def __init__(
        self, universe: classes.Universe, *, blocks_match_pods: bool = False,
        pod_ranges: intervals.Intervals = (), node_ranges: intervals.Intervals = (),
    ) -> None:  # fmt: skip
        self.universe = universe
        self.blocks_match_pods = blocks_match_pods
        self.pod_ranges, self.node_ranges = pod_ranges, node_ranges
        self.values: dict[tuple[str, str], Local] = {}
        self.present: dict[str, Local] = {}
        self.maybe: dict[str, Local] = {}
        self.ports: dict[tuple[str, str], dict[int, Pair]] = {}
        self.whole = {name: (1 << size) - 1 for name, size in universe.size.items()}
        self._namespaces: dict[selectors.Selector, dict[str, None]] = {}
        self._pods: dict[tuple[selectors.Selector, selectors.Selector], Pair] = {}
        self._own: dict[tuple[str, selectors.Selector], Pair] = {}
        self._terms: dict[tuple[str, selectors.Term], Pair] = {}
        self.everyone = self._fill()

    def _fill(self) -> int:
        numbers: dict[tuple[str, str, int], list[int]] = {}
        hosts = 0
        for number, each in enumerate(self.universe.classes):
            for name, protocol, port in each.ports:
                numbers.setdefault((name, protocol, port), []).append(number)
            place = number - self.universe.first[each.namespace]
            if each.host:
                # Plugins see a node's address, not a pod: no pod selector matches it.
                self.whole[each.namespace] &= ~(1 << place)
                hosts |= 1 << number
            else:
                self._add(each, 1 << place)
        self.hosts = hosts
        for (name, protocol, port), found in numbers.items():
            self.ports.setdefault((name, protocol), {})[port] = self._holders(name, protocol, found)
        return self.universe.pods & ~hosts

    def _holders(self, name: str, protocol: str, found: list[int]) -> Pair:
        # Which of two numbers under one name is meant, and what a name means on a node, plugins answer differently.
        possible = bits.of(found)
        twice = bits.of(number for number in found if self._ambiguous(number, name, protocol))
        return possible & ~twice & ~self.hosts, possible

    def _ambiguous(self, number: int, name: str, protocol: str) -> bool:
        several = {port for port in self.universe.classes[number].ports if port[:2] == (name, protocol)}
        return len(several) > 1

    @property
    def nodes(self) -> int:
        """Ends that are nodes: pods on their node's network, and addresses of the node ranges."""
        return self.hosts | (self.universe.covering(self.node_ranges) if self.node_ranges else 0)

    def _add(self, each: classes.Class, bit: int) -> None:
        for key, value in each.labels:
            table = self.maybe if value == selectors.MAYBE else self.present
            local = table.setdefault(key, {})
            local[each.namespace] = local.get(each.namespace, 0) | bit
            if value not in (selectors.MAYBE, classes.OTHER):
                local = self.values.setdefault((key, value), {})
                local[each.namespace] = local.get(each.namespace, 0) | bit

    def own(self, namespace: str, selector: selectors.Selector) -> Pair:
        """Pods of one namespace, as a set over the universe."""
        if namespace not in self.whole:
            return NOBODY
        known = self._own.get((namespace, selector))
        if known is None:
            shift = self.universe.first[namespace]
            certain, possible = self._local(namespace, selector)
            known = self._own[namespace, selector] = (certain << shift, possible << shift)
        return known

    def pods(self, namespaces: selectors.Selector, selector: selectors.Selector) -> Pair:
        """Pods of every selected namespace."""
        known = self._pods.get((namespaces, selector))
        if known is None:
            known = self._pods[namespaces, selector] = self._evaluate(namespaces, selector)
        return known

    def _evaluate(self, namespaces: selectors.Selector, selector: selectors.Selector) -> Pair:
        if not namespaces and not selector:
            return self.everyone, self.everyone
        certain = possible = 0
        for name in self._candidates(self.selected(namespaces), selector):
            must, may = self._local(name, selector)
            if may:
                shift = self.universe.first[name]
                certain |= must << shift
                possible |= may << shift
        return certain, possible

    def selected(self, namespaces: selectors.Selector) -> dict[str, None]:
        """The namespaces with pods that a selector selects."""
        known = self._namespaces.get(namespaces)
        if known is None:
            labels = self.universe.labels
            found = [name for name in self._labelled(namespaces) if selectors.matches(namespaces, labels[name]) is True]
            known = self._namespaces[namespaces] = dict.fromkeys(found)
        return known

    def _labelled(self, namespaces: selectors.Selector) -> Iterable[str]:
        # There may be ten thousand namespaces, and a selector for each.
        for term in namespaces:
            if term.operator == "In":
                return [name for value in term.values for name in self.spaces.get((term.key, value), ())]
        return self.whole

    @functools.cached_property
    def spaces(self) -> dict[tuple[str, str], list[str]]:
        """The namespaces with pods by each of their labels."""
        found: dict[tuple[str, str], list[str]] = {}
        for name in self.whole:
            for pair in self.universe.labels[name].items():
                found.setdefault(pair, []).append(name)
        return found

    def _candidates(self, names: dict[str, None], selector: selectors.Selector) -> Iterable[str]:
        # Only namespaces where a required label occurs are looked at: they are few, and namespaces may be many.
        for term in selector:
            if term.operator == "In" and term.key not in self.maybe:
                tables = [self.values.get((term.key, value), {}) for value in (*term.values, selectors.UNKNOWN)]
                if len(names) > sum(map(len, tables)):
                    return dict.fromkeys(name for table in tables for name in table if name in names)
                return [name for name in names if any(name in table for table in tables)]
        return names

    def _local(self, namespace: str, selector: selectors.Selector) -> Pair:
        certain = possible = self.whole[namespace]
        for term in selector:
            known = self._terms.get((namespace, term))
            if known is None:
                known = self._terms[namespace, term] = self._term(namespace, term)
            must, may = known
            certain &= must
            possible &= may
            if not possible:
                break
        return certain, possible

    def _term(self, namespace: str, term: selectors.Term) -> Pair:
        present = self.present.get(term.key, {}).get(namespace, 0)
        maybe = self.maybe.get(term.key, {}).get(namespace, 0)
        whole = self.whole[namespace]
        if term.operator == "Exists":
            return present, present | maybe
        if term.operator == "DoesNotExist":
            return whole & ~present & ~maybe, whole & ~present
        named = 0
        for value in term.values:
            named |= self.values.get((term.key, value), {}).get(namespace, 0)
        unsure = self.values.get((term.key, selectors.UNKNOWN), {}).get(namespace, 0) | maybe
        if term.operator == "In":
            return named, named | unsure
        return whole & ~named & ~unsure, whole & ~named

    def block(self, covers: intervals.Intervals) -> Pair:
        """The ends that a set of addresses covers: outside, and pods in the reading where blocks match pods."""
        outside = self.universe.covering(covers)
        # Some plugins know nodes by what they are, and match no block against their addresses.
        sure = outside & ~self.nodes
        if not self.blocks_match_pods:
            return sure, outside
        certain, possible = self._addressed(covers)
        return sure | certain, outside | possible

    def networks(self, covers: intervals.Intervals, pods: bool) -> Pair:
        """As `block`, for kinds that say themselves whether blocks are for pods too."""
        outside = self.universe.covering(covers)
        sure = outside & ~self.nodes
        certain, possible = self._addressed(covers)
        if not pods:
            # A pod on its node's network has the node's address, which such a block may be about.
            certain, possible = 0, possible & self.hosts
        return sure | certain, outside | possible

    def _addressed(self, covers: intervals.Intervals) -> Pair:
        certain = possible = 0
        for number, each in enumerate(self.universe.classes):
            must, may = self._covered(each, covers)
            certain |= must << number
            possible |= may << number
        return certain, possible

    def _covered(self, each: classes.Class, covers: intervals.Intervals) -> tuple[bool, bool]:
        """Does it certainly, may it possibly, cover the address of such a pod?"""
        if each.addresses:
            known = any(intervals.contains(covers, addresses.number(one)) for one in each.addresses)
            return known, known
        # Nothing said: one address out of IPv4, as nearly all clusters give.
        could_be = (self.node_ranges if each.host else self.pod_ranges) or addresses.ALL_V4
        common = intervals.intersection(covers, could_be)
        # Whether a block counts for a node's address is where plugins differ most.
        return common == could_be and not each.host, bool(common)

    def peers(self, namespace: str, some: Iterable[policies.Peer]) -> Pair:
        """The ends that any of the peers of a rule matches; `namespace` is the policy's own."""
        certain = possible = 0
        for must, may in self._each(namespace, some):
            certain |= must
            possible |= may
        return certain, possible

    def _each(self, namespace: str, some: Iterable[policies.Peer]) -> Iterator[Pair]:
        for peer in some:
            if peer.block is not None:
                yield self.block(peer.block.covers)
            elif peer.namespaces is None:
                yield self.own(namespace, peer.pods)
            else:
                yield self.pods(peer.namespaces, peer.pods)
