"""What manifests do not say, and whoever asks must."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from groundplan.proof import addresses, intervals
from groundplan.proof.schema import tables


class Options(msgspec.Struct, frozen=True):
    """What manifests do not say."""

    default_namespace: str | None = None
    """Where objects go that name none; without it they are an error."""
    ipblock_matches_pods: bool = False
    """The reading in which an ipBlock also covers the addresses of pods: plugins differ."""
    pod_ranges: tuple[str, ...] = ()
    """CIDRs that pods get their addresses from."""
    node_ranges: tuple[str, ...] = ()
    """CIDRs of the nodes, and so of pods on their node's network."""
    kubernetes: str = ""
    """The version that schemas are judged by, as in "1.36"; empty: the newest known."""

    def checked(self) -> Options:
        """Itself; raises ValueError for a range that is none, and for a version that no schema is known of."""
        tables.version(self.kubernetes)
        for each in (*self.pod_ranges, *self.node_ranges):
            addresses.network(each)
        return self


DEFAULTS = Options()


class Ranges(msgspec.Struct, frozen=True):
    """Where pods and nodes have their addresses; empty where nothing is said."""

    pods: intervals.Intervals
    nodes: intervals.Intervals


def ranges(some: Options) -> Ranges:
    """The ranges of options, as sets of addresses."""
    return Ranges(_covered(some.pod_ranges), _covered(some.node_ranges))


def _covered(some: Iterable[str]) -> intervals.Intervals:
    return intervals.of(addresses.network(each) for each in some)
