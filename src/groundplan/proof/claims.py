"""Claims: who is meant to reach whom, as plain data, compared with what manifests allow.

A set of claims is closed: what none of them says must not be reachable. Comparison goes both ways, and each difference
has its witness: two workloads, the ports, and the rules that allow or fail to allow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from groundplan.proof import addresses, cluster, connections, ends, intervals
from groundplan.proof.explain import pairs
from groundplan.proof.model import workloads
from groundplan.proof.reach import bits, sides
from groundplan.proof.show import explained

PROVED, REFUTED, UNDECIDABLE = "proved", "refuted", "undecidable"
BLOCKED, UNDECLARED, UNKNOWN = "blocked", "undeclared", "unknown"


class Claim(msgspec.Struct, frozen=True):
    """`source` may reach `destination` on `ports`.

    Ends are as `Cluster.reachable` takes them, or several addresses with commas; ports as in `TCP 5432,8000-8010` or
    `All`. `origin` is where it was declared, for messages.
    """

    source: str
    destination: str
    ports: str
    origin: str = ""


class Difference(msgspec.Struct, frozen=True):
    """A claim that manifests do not keep (`blocked`), a connection that nobody claims (`undeclared`), or a claim
    about an end that is not there (`unknown`)."""

    kind: str
    verdict: str
    """`refuted` or `undecidable`."""
    source: str
    destination: str
    ports: str
    why: str
    origin: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """What became of claims."""

    verdict: str
    differences: tuple[Difference, ...]
    claims: int
    pairs: int
    """Pairs of ends that were compared."""


def compare(whole: cluster.Cluster, claims: Iterable[Claim]) -> Verdict:
    """Are these claims all that is reachable, and is all of it reachable? An empty cluster proves nothing."""
    work = _Work(whole, tuple(claims))
    found = tuple(work.differences())
    verdicts = {each.verdict for each in found}
    if not whole.model.workloads:
        return Verdict(REFUTED, (*found, Difference(UNKNOWN, REFUTED, "", "", "", "no workload was examined")), 0, 0)
    if whole.model.unread:
        verdicts.add(UNDECIDABLE)
    worst = REFUTED if REFUTED in verdicts else UNDECIDABLE if verdicts else PROVED
    return Verdict(worst, found, len(work.claims), work.pairs)


Ends = tuple[str, str]
Ports = intervals.Intervals


class _Work:
    def __init__(self, whole: cluster.Cluster, claims: tuple[Claim, ...]) -> None:
        self.claims, self.pairs = claims, 0
        self.unknown: list[Difference] = []
        self.resolved = [found for each in claims if (found := self.resolve(whole, each))]
        # Not merged: every end of every claimed range is one that must be told apart.
        told = tuple(pair for _, one, other, _ in self.resolved for end in (one, other) for pair in end.addresses)
        self.whole = whole.asked(told)
        self.universe = self.whole.universe
        self.titles = {each.title: each for one in self.universe.classes for each in one.members}

    def resolve(self, whole: cluster.Cluster, claim: Claim) -> tuple[Claim, ends.End, ends.End, Ports] | None:
        try:
            return claim, end(whole, claim.source), end(whole, claim.destination), ports(claim.ports)
        except (LookupError, ValueError) as error:
            said = Difference(UNKNOWN, REFUTED, claim.source, claim.destination, claim.ports, str(error), claim.origin)
            self.unknown.append(said)
            return None

    def differences(self) -> Iterator[Difference]:
        yield from self.unknown
        meant, origins = self.meant()
        fewest = self.table(sides.Reading.FEWEST)
        most = self.table(sides.Reading.MOST) if self.whole.uncertain else fewest
        for pair in sorted(meant.keys() | most.keys()):
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
        one, other = (self.words(each) for each in pair)
        return Difference(kind, verdict, one, other, connections.text(which), self.why(pair, which, kind), origin)

    def words(self, title: str) -> str:
        return title if title in self.titles else addresses.text(*self.range(title))

    def range(self, title: str) -> tuple[int, int]:
        (found,) = self.universe.ranges(1 << int(title))
        return found

    def why(self, pair: Ends, which: Ports, kind: str) -> str:
        one, other = (self.end(each) for each in pair)
        found = pairs.explain(self.whole, one, other, which)
        return explained.reason(found, allowed=kind == UNDECLARED)

    def end(self, title: str) -> ends.End:
        if title in self.titles:
            return ends.End(self.titles[title])
        low, _ = self.range(title)
        return ends.End(addresses=((low, low),))

    def meant(self) -> tuple[dict[Ends, Ports], dict[Ends, str]]:
        meant: dict[Ends, Ports] = {}
        origins: dict[Ends, str] = {}
        for claim, source, destination, some in self.resolved:
            for one in self.names(source):
                for other in self.names(destination):
                    meant[one, other] = intervals.union(meant.get((one, other), intervals.NONE), some)
                    origins.setdefault((one, other), claim.origin)
        return meant, origins

    def names(self, some: ends.End) -> list[str]:
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
            return self.titles[one].many
        return all(each in self.titles or not self.inside(each) for each in (one, other))

    def inside(self, title: str) -> bool:
        return bool(intervals.intersection((self.range(title),), self.whole.ranges.pods))


def end(whole: cluster.Cluster, words: str) -> ends.End:
    """An end, or several addresses with commas."""
    if "," in words:
        return ends.End(
            addresses=intervals.of(pair for each in words.split(",") for pair in addresses.parse(each.strip()))
        )
    return ends.find(whole.model, words)


def ports(words: str) -> Ports:
    """Ports as `connections.text` writes them; raises ValueError."""
    if words == "All":
        return connections.ALL
    found, protocol = intervals.NONE, "TCP"
    for each in words.split(","):
        *head, span = each.split()
        protocol = head[0] if head else protocol
        whole = span.upper() in connections.PROTOCOLS
        found = intervals.union(found, connections.parse(span if whole else f"{span}/{protocol}"))
    return found
