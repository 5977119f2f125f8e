"""Connections: sets of protocol and port, in words and as intervals.

The universe is {TCP, UDP, SCTP} × 1..65535 (Kubernetes API reference, NetworkPolicyPort). A protocol and a port
make one number, so that a set of connections is one `intervals.Intervals`. Number 0 of each protocol is no port,
which keeps ranges of different protocols from touching.
"""

from __future__ import annotations

import functools

from groundplan.proof import intervals

PROTOCOLS = ("TCP", "UDP", "SCTP")
"""In the order of their numbers."""
LAST = 65535
ALL: intervals.Intervals = tuple((base + 1, base + LAST) for base in (0, 65536, 131072))
"""Every connection."""


@functools.lru_cache(maxsize=1 << 16)
def of(protocol: str, first: int = 1, last: int = LAST) -> intervals.Intervals:
    """Ports `first` to `last` of one protocol, both included."""
    base = PROTOCOLS.index(protocol) << 16
    return ((base + first, base + last),)


def number(protocol: str, port: int) -> int:
    """One connection as its number."""
    return (PROTOCOLS.index(protocol) << 16) + port


def triples(some: intervals.Intervals) -> list[tuple[str, int, int]]:
    """(protocol, first port, last port), protocols in alphabetical order."""
    found = [(PROTOCOLS[low >> 16], low & LAST, high & LAST) for low, high in some]
    return sorted(found)


@functools.lru_cache(maxsize=1 << 14)
def text(some: intervals.Intervals) -> str:
    """In words: `All`, `No connections`, or `TCP 80,443-445,UDP 53`."""
    if some == ALL:
        return "All"
    parts: list[str] = []
    seen = ""
    for protocol, first, last in triples(some):
        span = str(first) if first == last else f"{first}-{last}"
        parts.append(span if protocol == seen else f"{protocol} {span}")
        seen = protocol
    return ",".join(parts) or "No connections"


def parse(words: str) -> intervals.Intervals:
    """From words: `8080`, `80-90`, `53/UDP`, `UDP 53`, `tcp:443`; without a protocol it is TCP.

    Raises ValueError with what is wrong.
    """
    letters = "".join(each if each.isalnum() or each == "-" else " " for each in words).split()
    protocols = [each.upper() for each in letters if each.upper() in PROTOCOLS]
    spans = [each for each in letters if each.upper() not in PROTOCOLS]
    if len(protocols) > 1 or len(spans) > 1 or not letters:
        raise ValueError(f"{words!r} is no port: write 8080, 80-90, 53/UDP or UDP")
    return _span(words, protocols[0] if protocols else "TCP", spans)


def _span(words: str, protocol: str, spans: list[str]) -> intervals.Intervals:
    if not spans:
        return of(protocol)
    first, _, last = spans[0].partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        raise ValueError(f"{words!r} is no port number: write 8080, 80-90 or 53/UDP")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= LAST:
        raise ValueError(f"{words!r} is out of range: ports are 1 to {LAST}, and a range goes upwards")
    return of(protocol, low, high)
