"""Faults on demand, each for the next `count` requests that move money.

- ``timeout_after_charge``: does it, writes it down, and does not answer for `seconds` (30).
- ``error_after_charge``: does it, writes it down, and answers 500.
- ``late_success``: does it only after `seconds` (3), when the caller has long given up.
- ``down``: answers 503 and does nothing.
- ``duplicate_notification``: the next `count` events are listed twice.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Literal

import msgspec

Kind = Literal["timeout_after_charge", "error_after_charge", "late_success", "down", "duplicate_notification"]
_SECONDS: dict[Kind, float] = {"timeout_after_charge": 30.0, "late_success": 3.0}


class Order(msgspec.Struct, frozen=True):
    """What an administrator asks for; `seconds` None is the kind's own."""

    kind: Kind
    count: int = 1
    seconds: float | None = None
    operation: Literal["", "authorization", "capture", "void", "refund"] = ""
    """Only requests of this kind; all when empty."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that goes wrong now."""

    kind: Kind
    seconds: float


class Faults:
    """The orders that still wait, oldest first. In memory: a restart heals the acquirer."""

    def __init__(self) -> None:
        self._waiting: collections.deque[Order] = collections.deque()

    def order(self, order: Order) -> None:
        self._waiting.extend([order] * order.count)

    def clear(self) -> None:
        self._waiting.clear()

    def counts(self) -> dict[str, int]:
        return dict(collections.Counter(order.kind for order in self._waiting))

    def next(self, operation: str) -> Fault | None:
        """The fault for a request that moves money, used up."""
        return self._take(lambda order: order.kind != "duplicate_notification" and order.operation in ("", operation))

    def duplicates(self) -> bool:
        """Whether the event written now shall be listed twice."""
        return self._take(lambda order: order.kind == "duplicate_notification") is not None

    def _take(self, fits: Callable[[Order], bool]) -> Fault | None:
        if not self._waiting:
            return None
        order = next(filter(fits, self._waiting), None)
        if order is None:
            return None
        self._waiting.remove(order)
        return Fault(order.kind, _SECONDS.get(order.kind, 0.0) if order.seconds is None else order.seconds)
