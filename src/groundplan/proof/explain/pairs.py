"""The whole explanation of one pair of ends."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec

from groundplan.proof import answers, cluster, connections, ends, intervals
from groundplan.proof.explain import changes, layers, openings, peers, sides
from groundplan.proof.model import policies, services


class Explanation(msgspec.Struct, frozen=True):
    """Both sides, what passes, and what would have to change."""

    source: ends.End
    destination: ends.End
    asked: intervals.Intervals | None
    answer: answers.Answer
    sides: tuple[sides.Side, ...]
    """What NetworkPolicies say."""
    layers: tuple[layers.Side, ...]
    """And all kinds together, where there are others."""
    changes: tuple[changes.Change, ...]
    notes: tuple[str, ...]


def explain(
    whole: cluster.Cluster, source: ends.End, destination: ends.End, asked: intervals.Intervals | None
) -> Explanation:
    """Why `source` may or may not connect to `destination`, on the ports asked for or on any."""
    ranges = whole.ranges
    judge = peers.Judge(whole.model, whole.around, whole.options.ipblock_matches_pods, ranges.pods, ranges.nodes)
    found = (
        sides.side(judge, policies.EGRESS, source, destination),
        sides.side(judge, policies.INGRESS, destination, source),
    )
    both = tuple(each for each in found if each is not None)
    whole_sides: tuple[layers.Side, ...] = ()
    if whole.layered:
        ends_ = ((policies.EGRESS, source, destination), (policies.INGRESS, destination, source))
        told = (layers.side(whole, *end, plain) for end, plain in zip(ends_, found, strict=True))
        whole_sides = tuple(each for each in told if each is not None)
        answer = whole.between(source, destination, asked)
    else:
        fewest = functools.reduce(intervals.intersection, (each.allowed for each in both), connections.ALL)
        most = functools.reduce(intervals.intersection, (each.possible for each in both), connections.ALL)
        answer = answers.answer(whole, fewest, most, asked, source, destination)
    needed: tuple[changes.Change, ...] = ()
    if answer.verdict == answers.DENIED:
        ways = _changes(whole, both, source, destination, asked)
        needed = tuple(_openings(whole, both, whole_sides, destination, asked) if whole.layered else ways)
    notes = tuple(_notes(whole, source, destination, asked))
    return Explanation(source, destination, asked, answer, both, whole_sides, needed, notes)


def _changes(
    whole: cluster.Cluster, both: tuple[sides.Side, ...], source: ends.End, destination: ends.End,
    asked: intervals.Intervals | None,
) -> Iterator[changes.Change]:  # fmt: skip
    wanted = asked or _listened(destination) or next((each.allowed for each in both if each.allowed), connections.ALL)
    for side in both:
        missing = intervals.difference(wanted, side.allowed)
        if missing and any(view.holds for view in side.policies):
            other = destination if side.direction == policies.EGRESS else source
            yield changes.change(whole, side, other, missing)


def _openings(
    whole: cluster.Cluster, plain: tuple[sides.Side, ...], both: tuple[layers.Side, ...], destination: ends.End,
    asked: intervals.Intervals | None,
) -> Iterator[changes.Change]:  # fmt: skip
    wanted = asked or _listened(destination) or connections.ALL
    known = {each.direction: each for each in plain}
    for side in both:
        yield from openings.openings(whole, side, known.get(side.direction), wanted)


def _listened(destination: ends.End) -> intervals.Intervals:
    held = destination.workload.ports if destination.workload else ()
    return intervals.of(pair for _, protocol, number in held for pair in connections.of(protocol, number, number))


def _notes(
    whole: cluster.Cluster, source: ends.End, destination: ends.End, asked: intervals.Intervals | None
) -> Iterator[str]:
    if answers.same_pod(source, destination):
        yield "a pod always reaches itself, whatever policies say"
    for end in (source, destination):
        if end.workload is not None and end.workload.host_network:
            yield f"{end} is on its node's network: no policy holds it, and no selector sees it"
    if destination.workload is None:
        return
    leading = [each for each in whole.model.services if each.selects(destination.workload)]
    led = intervals.NONE
    for service in leading:
        for port in service.ports:
            for number in services.targets(port, destination.workload):
                led = intervals.union(led, connections.of(port.protocol, number, number))
                yield f"Service {service.title} leads {port.protocol} {port.port} to its {number}"
    if leading and asked is not None and intervals.difference(asked, led):
        rest = connections.text(intervals.difference(asked, led))
        yield f"no Service leads to {rest} of {destination}: only its own address does"
