"""The states of a transaction and the only ways between them; the database checks the same graph (`history`)."""

from __future__ import annotations

from typing import Final

PENDING: Final = "PENDING"
UNKNOWN: Final = "UNKNOWN"
REQUIRES_ACTION: Final = "REQUIRES_ACTION"
AUTHORIZED: Final = "AUTHORIZED"
CAPTURED: Final = "CAPTURED"
VOIDED: Final = "VOIDED"
DECLINED: Final = "DECLINED"
EXPIRED: Final = "EXPIRED"

NEW: Final = ""
"""Before the first state."""

GRAPH: Final[dict[str, tuple[str, ...]]] = {
    NEW: (PENDING,),
    PENDING: (UNKNOWN, REQUIRES_ACTION, AUTHORIZED, CAPTURED, DECLINED),
    UNKNOWN: (REQUIRES_ACTION, AUTHORIZED, CAPTURED, DECLINED),
    REQUIRES_ACTION: (VOIDED, EXPIRED),
    AUTHORIZED: (CAPTURED, VOIDED, EXPIRED),
    # Further captures, refunds and disputes change amounts, not the state.
    CAPTURED: (),
    VOIDED: (),
    DECLINED: (),
    EXPIRED: (),
}

UNDECIDED: Final = (PENDING, UNKNOWN)
"""The authorization's outcome is not known yet."""


class ImpossibleTransition(Exception):
    """A bug: the code asked for a way that the graph does not have."""


def check(source: str, target: str) -> None:
    """Raises unless the graph leads from `source` to `target` (or they are the same)."""
    if source != target and target not in GRAPH[source]:
        raise ImpossibleTransition(f"no way from {source or 'nothing'} to {target}")
