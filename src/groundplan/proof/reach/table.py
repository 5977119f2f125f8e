"""Tables: connections to sets of ends, disjoint, as the steps of ordered policies take them apart."""

from __future__ import annotations

from groundplan.proof import connections, intervals
from groundplan.proof.reach import result

Table = dict[intervals.Intervals, int]
"""Connections, and the ends that have just these; an end is in one entry at most."""


def of(ends: int, ports: intervals.Intervals) -> Table:
    """Every end with the same connections."""
    return {ports: ends} if ends and ports else {}


def union(one: Table, other: Table) -> Table:
    """In either."""
    if not other:
        return one
    if not one:
        return other
    return {ports: ends for ends, ports in result.parts([*_parts(one), *_parts(other)])}


def intersection(one: Table, other: Table) -> Table:
    """In both."""
    found: Table = {}
    for ports, ends in one.items():
        for some, others in other.items():
            if (common := ends & others) and (both := intervals.intersection(ports, some)):
                found[both] = found.get(both, 0) | common
    return found


def difference(one: Table, other: Table) -> Table:
    """In `one` and not in `other`."""
    found: Table = {}
    for ports, ends in one.items():
        left = ends
        for some, others in other.items():
            if common := left & others:
                left &= ~others
                if rest := intervals.difference(ports, some):
                    found[rest] = found.get(rest, 0) | common
        if left:
            found[ports] = found.get(ports, 0) | left
    return found


def everything(ends: int) -> Table:
    """All connections of some ends."""
    return of(ends, connections.ALL)


def _parts(one: Table) -> list[result.Part]:
    return [(ends, ports) for ports, ends in one.items()]
