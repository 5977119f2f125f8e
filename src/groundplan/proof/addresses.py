"""Addresses: IPv4 and IPv6 as one line of numbers, IPv6 far beyond IPv4 so that the two never touch."""

from __future__ import annotations

import functools
import ipaddress
import re

from groundplan.proof import intervals

V6 = 1 << 128
"""Where IPv6 begins."""
ALL_V4: intervals.Intervals = ((0, (1 << 32) - 1),)
ALL_V6: intervals.Intervals = ((V6, V6 + (1 << 128) - 1),)
ALL: intervals.Intervals = ALL_V4 + ALL_V6

_PLAIN = re.compile(r"(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})/(0|[1-9]\d?)", re.ASCII)


@functools.lru_cache(maxsize=1 << 16)
def network(words: str) -> tuple[int, int]:
    """First and last number of a CIDR; raises ValueError. Host bits may be set, as the API server lets them."""
    if "/" not in words:
        raise ValueError(f"{words!r} has no prefix length")
    if plain := _PLAIN.fullmatch(words):
        # What nearly all are; all else, and all that is wrong, is left to the library.
        a, b, c, d, length = map(int, plain.groups())
        if a < 256 and b < 256 and c < 256 and d < 256 and length <= 32:
            below = (1 << (32 - length)) - 1
            last = (a << 24 | b << 16 | c << 8 | d) | below
            return last - below, last
    found = ipaddress.ip_network(words, strict=False)
    base = V6 if found.version == 6 else 0
    return base + int(found.network_address), base + int(found.broadcast_address)


def number(words: str) -> int:
    """An address as its number; raises ValueError."""
    found = ipaddress.ip_address(words)
    return (V6 if found.version == 6 else 0) + int(found)


def address(number: int) -> str:
    """A number as its address."""
    if number >= V6:
        return str(ipaddress.IPv6Address(number - V6))
    return str(ipaddress.IPv4Address(number))


def text(low: int, high: int) -> str:
    """A range in words: `10.0.0.0-10.255.255.255`, or one address alone."""
    return address(low) if low == high else f"{address(low)}-{address(high)}"


def parse(words: str) -> intervals.Intervals:
    """An address, a CIDR or a range `a-b`; raises ValueError."""
    if "-" in words:
        low, high = (number(each.strip()) for each in words.split("-", 1))
        if low > high:
            raise ValueError(f"{words!r} goes downwards")
        return ((low, high),)
    if "/" in words:
        return (network(words),)
    return ((number(words), number(words)),)


def cidrs(low: int, high: int) -> tuple[str, ...]:
    """A range as the fewest CIDRs."""
    ends = (ipaddress.ip_address(address(low)), ipaddress.ip_address(address(high)))
    return tuple(str(each) for each in ipaddress.summarize_address_range(*ends))
