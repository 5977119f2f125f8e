"""What Istio's AuthorizationPolicies take away at destinations that are in the mesh.

Source: istio.io, "Authorization Policy" (order of evaluation), "Controlling the injection policy".
"""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.proof import addresses, intervals
from groundplan.proof.model import istio, policies, selectors
from groundplan.proof.reach import bits, classes, index, sides, table

INJECT, REVISION, MODE = "sidecar.istio.io/inject", "istio.io/rev", "istio.io/dataplane-mode"
LABELS: dict[str, set[str]] = {INJECT: {"true", "false"}, REVISION: set(), MODE: {"none", "ambient"}}
"""Labels of pods that say whether they are in the mesh."""
Pair = index.Pair


class Mesh:
    """The mesh over a universe; empty where there is no AuthorizationPolicy."""

    def __init__(self, table_: index.Index, some: tuple[istio.Authorization, ...]) -> None:
        self.index, self.universe, self.policies = table_, table_.universe, some

    def narrowed(
        self, subjects: int, direction: str, reading: sides.Reading, allowed: table.Table, denied: table.Table
    ) -> Iterator[tuple[int, table.Table]]:
        """Subjects with what is allowed to them in a reading, mesh included."""
        if not self.policies or direction == policies.EGRESS:
            yield subjects, _read(reading, allowed, denied)
            return
        for subject in bits.members(subjects):
            may, deny = self.decided(subject, reading)
            both = table.intersection(allowed, may)
            yield 1 << subject, _read(reading, both, table.union(denied, deny))

    def decided(self, subject: int, reading: sides.Reading) -> tuple[table.Table, table.Table]:
        """What the mesh may allow to a destination, and what it may deny."""
        everybody = self.universe.pods | self.universe.outside
        end = self.universe.classes[subject]
        inside = self.inside(end)
        whole = table.everything(everybody)
        mine = [(each, found) for each in self.policies if (found := self.selects(each, end)) is not False]
        if inside is False or not mine:
            return whole, {}
        deny_sure, deny_may = self._matched([each for each in mine if each[0].action == "DENY"])
        _, custom = self._matched([each for each in mine if each[0].action == "CUSTOM"])
        allow_sure, allow_may = self._matched([each for each in mine if each[0].action == "ALLOW"])
        asks = [found for each, found in mine if each.action == "ALLOW"]
        tcp = table.of(everybody, istio.TCP)
        denied = table.union(deny_may, custom)
        if asks:
            denied = table.union(denied, table.difference(tcp, allow_sure))
        open_ = whole
        if any(found is True for found in asks):
            open_ = table.union(table.difference(whole, tcp), allow_may)
        allowed = table.difference(open_, deny_sure)
        if inside is None:
            # Whether a sidecar is there at all, nothing says.
            return whole, denied if reading is not sides.Reading.USUAL else {}
        return allowed, denied

    def selects(self, policy: istio.Authorization, end: classes.Class) -> bool | None:
        """Does a policy hold a destination?"""
        if policy.namespace not in (istio.ROOT, end.namespace):
            return False
        return selectors.matches(policy.selector, dict(end.labels))

    def _matched(self, some: list[tuple[istio.Authorization, bool | None]]) -> tuple[table.Table, table.Table]:
        sure: table.Table = {}
        may: table.Table = {}
        for policy, found in some:
            for rule in policy.rules:
                certain, possible = self.sources(rule)
                may = table.union(may, table.of(possible, rule.ports))
                if found is True and not rule.conditional:
                    sure = table.union(sure, table.of(certain, rule.sure))
        return sure, may

    def sources(self, rule: istio.Rule) -> Pair:
        """From whom: surely, and possibly."""
        everybody = self.universe.pods | self.universe.outside
        if not rule.sources:
            return everybody, everybody
        certain = possible = 0
        for clauses in rule.sources:
            must = may = everybody
            for clause in clauses:
                one = self._clause(clause)
                must, may = must & one[0], may & one[1]
            certain, possible = certain | must, possible | may
        return certain, possible

    def _clause(self, clause: istio.Clause) -> Pair:
        everybody = self.universe.pods | self.universe.outside
        certain, possible = self._blocks(clause) if clause.field == "ipBlocks" else self._identities(clause)
        return (everybody & ~possible, everybody & ~certain) if clause.negative else (certain, possible)

    def _blocks(self, clause: istio.Clause) -> Pair:
        covers = intervals.of(pair for each in clause.values for pair in addresses.parse(each))
        return self.index.networks(covers, True)

    def _identities(self, clause: istio.Clause) -> Pair:
        certain = possible = 0
        for number, end in enumerate(self.universe.classes):
            inside = self.inside(end)
            if inside is not False and any(
                _is(pattern, value) for pattern in clause.values for value in _names(clause, end)
            ):
                possible |= 1 << number
                if inside:
                    certain |= 1 << number
        return certain, possible

    def inside(self, end: classes.Class) -> bool | None:
        """Is it in the mesh, as its labels and its namespace's say? None where they say nothing."""
        labels, around = dict(end.labels), self.universe.labels.get(end.namespace, {})
        if end.host:
            return False
        if labels.get(MODE, around.get(MODE)) == "ambient":
            return True
        if around.get("istio-injection") == "disabled" or labels.get(INJECT) == "false":
            return False
        if labels.get(INJECT) == "true" or around.get("istio-injection") == "enabled":
            return True
        return True if REVISION in labels or REVISION in around else None


def _names(clause: istio.Clause, end: classes.Class) -> tuple[str, ...]:
    if clause.field == "namespaces":
        return (end.namespace,)
    if clause.field == "serviceAccounts":
        return (end.account, f"{end.namespace}/{end.account}")
    return (f"cluster.local/ns/{end.namespace}/sa/{end.account}",)


def _is(pattern: str, value: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def _read(reading: sides.Reading, allowed: table.Table, denied: table.Table) -> table.Table:
    return allowed if reading is sides.Reading.MOST else table.difference(allowed, denied)


def named(names: classes.Named, some: tuple[istio.Authorization, ...]) -> None:
    """Takes note of everything that the mesh's policies name."""
    for policy in some:
        names.selector(policy.selector)
        for rule in policy.rules:
            for clause in (clause for source in rule.sources for clause in source):
                if clause.field == "ipBlocks":
                    names.covered(intervals.of(pair for each in clause.values for pair in addresses.parse(each)))
    for key, values in LABELS.items() if some else ():
        names.values.setdefault(key, set()).update(values)
