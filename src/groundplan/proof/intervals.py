"""Sets of whole numbers as sorted, disjoint, merged ranges: ports and addresses are both kept so.

A set is a tuple of (low, high) pairs, both ends included, so equal sets are equal tuples and can be keys.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

Intervals = tuple[tuple[int, int], ...]
NONE: Intervals = ()


def of(pairs: Iterable[tuple[int, int]]) -> Intervals:
    """The set that any pairs cover; pairs that touch are merged."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


@functools.lru_cache(maxsize=1 << 16)
def union(one: Intervals, other: Intervals) -> Intervals:
    """In either."""
    if one == other:
        return one
    return of((*one, *other))


@functools.lru_cache(maxsize=1 << 16)
def intersection(one: Intervals, other: Intervals) -> Intervals:
    """In both."""
    if one == other:
        return one
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        low, high = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if low <= high:
            found.append((low, high))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


@functools.lru_cache(maxsize=1 << 16)
def difference(one: Intervals, other: Intervals) -> Intervals:
    """In `one` and not in `other`."""
    rest: list[tuple[int, int]] = []
    for low, high in one:
        for below, above in other:
            if above < low or below > high:
                continue
            if below > low:
                rest.append((low, below - 1))
            low = above + 1
            if low > high:
                break
        if low <= high:
            rest.append((low, high))
    return tuple(rest)


def contains(one: Intervals, number: int) -> bool:
    """Is the number in the set?"""
    return any(low <= number <= high for low, high in one)
