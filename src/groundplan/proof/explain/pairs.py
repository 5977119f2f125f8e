"""The whole explanation of one pair of ends."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec

from groundplan.proof import cluster, connections, ends, intervals
from groundplan.proof.explain import changes, peers, sides
from groundplan.proof.model import istio, policies, services


class Explanation(msgspec.Struct, frozen=True):
    """Both sides, what passes, and what would have to change."""

    source: ends.End
    destination: ends.End
    asked: intervals.Intervals | None
    answer: cluster.Answer
    sides: tuple[sides.Side, ...]
    changes: tuple[changes.Change, ...]
    notes: tuple[str, ...]


def explain(
    whole: cluster.Cluster, source: ends.End, destination: ends.End, asked: intervals.Intervals | None
) -> Explanation:
    """Why `source` may or may not connect to `destination`, on the ports asked for or on any."""
    ranges = whole.ranges
    judge = peers.Judge(whole.model, whole.near, whole.options.ipblock_matches_pods, ranges.pods, ranges.nodes)
    found = (
        sides.side(judge, policies.EGRESS, source, destination),
        sides.side(judge, policies.INGRESS, destination, source),
    )
    both = tuple(each for each in found if each is not None)
    fewest = functools.reduce(intervals.intersection, (each.allowed for each in both), connections.ALL)
    most = functools.reduce(intervals.intersection, (each.possible for each in both), connections.ALL)
    if whole.layered:
        answer = whole.between(source, destination, asked)
    else:
        answer = whole.answer(fewest, most, asked, source, destination)
    needed = (
        tuple(_changes(whole, both, source, destination, asked))
        if answer.verdict == cluster.DENIED and not whole.layered
        else ()
    )
    return Explanation(
        source, destination, asked, answer, both, needed, tuple(_notes(whole, source, destination, asked))
    )


def _changes(
    whole: cluster.Cluster, both: tuple[sides.Side, ...], source: ends.End, destination: ends.End,
    asked: intervals.Intervals | None,
) -> Iterator[changes.Change]:  # fmt: skip
    wanted = asked or _listened(destination) or next((each.allowed for each in both if each.allowed), connections.ALL)
    for side in both:
        missing = intervals.difference(wanted, side.allowed)
        if missing and any(view.holds for view in side.policies):
            other = destination if side.direction == policies.EGRESS else source
            yield changes.change(whole.neighbours, side, other, missing)


def _beside(whole: cluster.Cluster, source: ends.End, destination: ends.End) -> Iterator[str]:
    for direction, end in ((policies.EGRESS, source), (policies.INGRESS, destination)):
        number = whole.universe.where.get(id(end.workload)) if end.workload else None
        if number is None:
            continue
        for policy in whole.model.beside:
            said = [each.action for each in policy.statements if each.direction == direction]
            if said and whole.index.pods(policy.subjects.namespaces, policy.subjects.pods)[1] >> number & 1:
                yield f"{policy.title} holds {direction.lower()} of {end} too: {', '.join(said)}"
    for mesh in whole.model.mesh if destination.workload else ():
        if mesh.namespace in (istio.ROOT, destination.workload.namespace if destination.workload else ""):
            yield f"{mesh.title} takes away what it does not {mesh.action.lower()}"


def _listened(destination: ends.End) -> intervals.Intervals:
    held = destination.workload.ports if destination.workload else ()
    return intervals.of(pair for _, protocol, number in held for pair in connections.of(protocol, number, number))


def _notes(
    whole: cluster.Cluster, source: ends.End, destination: ends.End, asked: intervals.Intervals | None
) -> Iterator[str]:
    for end in (source, destination):
        if end.workload is not None and end.workload.host_network:
            yield f"{end} is on its node's network: no policy holds it, and no selector sees it"
    yield from _beside(whole, source, destination)
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
