"""Answers: yes, no, or not decidable, and then why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from groundplan.proof import addresses, connections, ends, intervals

if TYPE_CHECKING:
    from groundplan.proof import cluster

ALLOWED, DENIED, UNDECIDABLE = "allowed", "denied", "undecidable"


class Undecidable(ValueError):
    """An answer was taken for yes or no that is neither."""


class Answer(msgspec.Struct, frozen=True):
    """What is known of connections between two ends."""

    verdict: str
    """`allowed`, `denied` or `undecidable`: of the port asked for, or of any connection at all."""
    connections: str
    """Everything that certainly passes, as in `TCP 80,443-445,UDP 53`."""
    because: str = ""
    """Why it is undecidable."""

    def __bool__(self) -> bool:
        if self.verdict == UNDECIDABLE:
            raise Undecidable(f"not decidable because {self.because}")
        return self.verdict == ALLOWED


def answer(
    whole: cluster.Cluster, fewest: intervals.Intervals, most: intervals.Intervals, ports: intervals.Intervals | None,
    source: ends.End, destination: ends.End,
) -> Answer:  # fmt: skip
    """From the fewest and the most connections that there may be between two ends."""
    if same_pod(source, destination):
        return Answer(ALLOWED, connections.text(connections.ALL))
    if whole.model.unread:
        names = ", ".join(f"{each.kind} {each.name}" for each in whole.model.unread)
        return Answer(UNDECIDABLE, "", f"nothing here reads {names}")
    for end in (source, destination):
        if inside := intervals.intersection(end.addresses, whole.ranges.pods):
            return Answer(UNDECIDABLE, "", f"{addresses.text(*inside[0])} is some pod's, and which is not known")
    words = connections.text(fewest)
    if (ports is None and fewest) or (ports and not intervals.difference(ports, fewest)):
        return Answer(ALLOWED, words)
    wanted = most if ports is None else intervals.intersection(ports, most)
    if wanted == intervals.intersection(wanted, fewest):
        return Answer(DENIED, words)
    return Answer(UNDECIDABLE, words, why_not(whole, source, destination))


def why_not(whole: cluster.Cluster, source: ends.End, destination: ends.End) -> str:
    """Why connections between two ends are not decidable."""
    for end in (source, destination):
        if end.workload is not None and end.workload.host_network:
            return f"{end} uses its node's network, and whether both are on one node is not known"
    if whole.layered:
        names = whole.beside
        return f"{names} may say either: by what only requests, names, nodes or pod addresses tell, or by their order"
    if whole.options.ipblock_matches_pods:
        return "an ipBlock may or may not cover the addresses that pods get"
    return "a selector asks for a label that only a controller makes"


def same_pod(source: ends.End, destination: ends.End) -> bool:
    """Are they one pod, which always reaches itself?"""
    return (
        source.workload is not None
        and source.workload is destination.workload
        and source.pod == destination.pod
        and (source.pod is not None or source.workload.kind == "Pod")
    )
