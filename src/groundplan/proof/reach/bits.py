"""Sets of classes as the bits of a whole number: union, intersection and emptiness in machine words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FEW = 16


def members(some: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    if some.bit_count() <= FEW:
        while some:
            low = some & -some
            yield low.bit_length() - 1
            some ^= low
        return
    digits = bin(some)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


def of(numbers: Iterable[int]) -> int:
    """The set of these numbers."""
    listed = list(numbers)
    if len(listed) < 2:
        return 1 << listed[0] if listed else 0
    found = bytearray((max(listed) >> 3) + 1)
    for each in listed:
        found[each >> 3] |= 1 << (each & 7)
    return int.from_bytes(found, "little")


def span(first: int, last: int) -> int:
    """All numbers from `first` to `last`, both included."""
    return ((1 << (last - first + 1)) - 1) << first
