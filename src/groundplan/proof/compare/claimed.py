"""Manifests beside claims, both ways: each difference has its witness, two ends, the ports, and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from groundplan.proof import addresses, claims, cluster, connections, ends, findings, intervals
from groundplan.proof.compare import services
from groundplan.proof.explain import pairs
from groundplan.proof.model import workloads
from groundplan.proof.reach import bits, sides
from groundplan.proof.show import explained

PROVED, REFUTED, UNDECIDABLE = "proved", "refuted", "undecidable"
BLOCKED, UNDECLARED, UNKNOWN, UNSERVED = "blocked", "undeclared", "unknown", "unserved"

Ends = tuple[str, str]
Ports = intervals.Intervals


class Difference(msgspec.Struct, frozen=True):
    """A claim that manifests do not keep (`blocked`), a connection that nobody claims (`undeclared`), a claim about an
    end that is not there (`unknown`), or one whose Service does not lead there (`unserved`)."""

    kind: str
    verdict: str
    """`refuted` or `undecidable`."""
    source: str
    destination: str
    ports: str
    why: str
    origin: str = ""
    where: findings.Place = findings.Place()
    """The manifest's line: of the rule that allows it, or of the policy that does not."""


class Verdict(msgspec.Struct, frozen=True):
    """What became of claims."""

    verdict: str
    differences: tuple[Difference, ...]
    claims: int
    pairs: int
    """Pairs of ends that were compared."""


def compare(whole: cluster.Cluster, some: Iterable[claims.Claim], closed: frozenset[str] | None = None) -> Verdict:
    """Are these claims all that is reachable, and is all of it reachable? An empty cluster proves nothing.

    `closed` are the namespaces that the claims are about: pairs without an end in one of them are left out. None: all.
    """
    work = _Work(whole, tuple(some), closed)
    found = tuple(_gathered(dict.fromkeys(work.differences())))
    verdicts = {each.verdict for each in found}
    if not whole.model.workloads:
        return Verdict(REFUTED, (*found, Difference(UNKNOWN, REFUTED, "", "", "", "no workload was examined")), 0, 0)
    if whole.model.unread:
        verdicts.add(UNDECIDABLE)
    worst = REFUTED if REFUTED in verdicts else UNDECIDABLE if verdicts else PROVED
    return Verdict(worst, found, len(work.claims), work.pairs)


class _Resolved(msgspec.Struct, frozen=True):
    claim: claims.Claim
    source: ends.End | None
    """None: whatever is outside."""
    destination: ends.End | None
    ports: Ports


class _Work:
    def __init__(self, whole: cluster.Cluster, some: tuple[claims.Claim, ...], closed: frozenset[str] | None) -> None:
        self.claims, self.closed, self.pairs = some, closed, 0
        self.early: list[Difference] = []
        self.resolved = [found for each in some if (found := self.resolve(whole, each))]
        # Not merged: every end of every claimed range is one that must be told apart.
        told = tuple(
            pair for each in self.resolved for end in (each.source, each.destination) if end for pair in end.addresses
        )
        self.whole = whole.asked(told)
        self.universe = self.whole.universe
        self.titles = {each.title: each for one in self.universe.classes for each in one.members}

    def resolve(self, whole: cluster.Cluster, claim: claims.Claim) -> _Resolved | None:
        try:
            one, other = (
                None if words == claims.OUTSIDE else claims.end(whole, words)
                for words in (claim.source, claim.destination)
            )
            numbers = claims.ports(claim.ports)
        except (LookupError, ValueError) as error:
            self.early.append(_about(claim, UNKNOWN, str(error)))
            return None
        if claim.through and (why := services.trouble(whole.model, claim.through, other, numbers)):
            self.early.append(_about(claim, UNSERVED, *why))
        return _Resolved(claim, one, other, numbers)

    def differences(self) -> Iterator[Difference]:
        yield from self.early
        meant, origins = self.meant()
        fewest = self.table(sides.Reading.FEWEST)
        most = self.table(sides.Reading.MOST) if self.whole.uncertain else fewest
        for pair in sorted(meant.keys() | most.keys()):
            if not self.matters(pair):
                continue
            self.pairs += 1
            said, low, high = (some.get(pair, intervals.NONE) for some in (meant, fewest, most))
            for kind, verdict, which in (
                (BLOCKED, REFUTED, intervals.difference(said, high)),
                (BLOCKED, UNDECIDABLE, intervals.difference(intervals.intersection(said, high), low)),
                (UNDECLARED, REFUTED, intervals.difference(low, said)),
                (UNDECLARED, UNDECIDABLE, intervals.difference(intervals.difference(high, low), said)),
            ):
                if which:
                    yield self.told(kind, verdict, pair, which, origins.get(pair, ""))

    def told(self, kind: str, verdict: str, pair: Ends, which: Ports, origin: str) -> Difference:
        words = [self.words(each) for each in pair]
        found = pairs.explain(self.whole, self.end(pair[0]), self.end(pair[1]), which)
        why = explained.reason(found, allowed=kind == UNDECLARED)
        where = _where(found, which, allowed=kind == UNDECLARED)
        return Difference(kind, verdict, words[0], words[1], connections.text(which), why, origin, where)

    def words(self, title: str) -> str:
        return title if title in self.titles else addresses.text(*self.range(title))

    def range(self, title: str) -> tuple[int, int]:
        (found,) = self.universe.ranges(1 << int(title))
        return found

    def end(self, title: str) -> ends.End:
        if title in self.titles:
            return ends.End(self.titles[title])
        low, _ = self.range(title)
        return ends.End(addresses=((low, low),))

    def meant(self) -> tuple[dict[Ends, Ports], dict[Ends, str]]:
        meant: dict[Ends, Ports] = {}
        origins: dict[Ends, str] = {}
        for each in self.resolved:
            for one in self.names(each.source):
                for other in self.names(each.destination):
                    if self.counts(one, other):
                        meant[one, other] = intervals.union(meant.get((one, other), intervals.NONE), each.ports)
                        origins.setdefault((one, other), each.claim.origin)
        return meant, origins

    def names(self, some: ends.End | None) -> list[str]:
        if some is None:
            beyond = [title for title, each in self.titles.items() if not self.is_closed(each.namespace)]
            return beyond + [str(number) for number in bits.members(self.universe.outside)]
        if some.workload is not None:
            return [each.title for each in workloads.each(some.workload, self.whole.numbered)]
        return [str(number) for number in bits.members(self.universe.covering(some.addresses))]

    def table(self, reading: sides.Reading) -> dict[Ends, Ports]:
        found: dict[Ends, Ports] = {}
        classes = self.universe.classes
        for source, parts in self.whole.reach(reading).rows():
            named = [str(source)] if source >= len(classes) else [each.title for each in classes[source].members]
            for some, which in parts:
                for number in bits.members(some):
                    others = (
                        [str(number)] if number >= len(classes) else [each.title for each in classes[number].members]
                    )
                    found.update(((one, other), which) for one in named for other in others if self.counts(one, other))
        return found

    def counts(self, one: str, other: str) -> bool:
        """Is it a pair? A workload that has one pod at most has none with itself, and pods' own ranges are not ends."""
        if one == other:
            return one in self.titles and self.titles[one].many
        return all(each in self.titles or not self.inside(each) for each in (one, other))

    def matters(self, pair: Ends) -> bool:
        """Are the claims about it?"""
        return any(each in self.titles and self.is_closed(self.titles[each].namespace) for each in pair)

    def is_closed(self, namespace: str) -> bool:
        return self.closed is None or namespace in self.closed

    def inside(self, title: str) -> bool:
        return bool(intervals.intersection((self.range(title),), self.whole.ranges.pods))


def _gathered(some: Iterable[Difference]) -> Iterator[Difference]:
    """Differences that are alike but for ranges of addresses, as one."""
    alike: dict[Difference, list[Difference]] = {}
    for each in some:
        source, destination = (words if "[" in words else "" for words in (each.source, each.destination))
        known = msgspec.structs.replace(each, source=source, destination=destination)
        alike.setdefault(known if each.kind in (BLOCKED, UNDECLARED) else each, []).append(each)
    for first, *more in alike.values():
        ends_ = {side: _several([getattr(each, side) for each in (first, *more)]) for side in ("source", "destination")}
        yield msgspec.structs.replace(first, **ends_)


def _several(ranges: list[str]) -> str:
    distinct = list(dict.fromkeys(ranges))
    more = f" and {len(distinct) - 2} more ranges" if len(distinct) > 2 else ""
    return ", ".join(distinct[:2]) + more


def _about(claim: claims.Claim, kind: str, why: str, where: findings.Place | None = None) -> Difference:
    ends_ = (claim.source, claim.destination)
    return Difference(kind, REFUTED, *ends_, claim.ports, why, claim.origin, where or findings.Place())


def _where(found: pairs.Explanation, which: Ports, *, allowed: bool) -> findings.Place:
    """The first rule that allows a connection, or the first policy that holds an end and does not."""
    for side in found.sides:
        for view in side.policies:
            rules = (rule for rule in view.rules if rule.matches and intervals.intersection(rule.ports, which))
            if allowed and (rule := next(rules, None)):
                return rule.place
            if not allowed and intervals.difference(which, side.allowed):
                return view.place
    ends_ = [
        each.workload.document.place("metadata", "name") for each in (found.source, found.destination) if each.workload
    ]
    return ends_[0] if ends_ else findings.Place()
