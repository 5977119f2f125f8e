"""What the business asks: payments begun, declined and why, money taken and given back.

Counted once a change is committed, so that a figure is never ahead of the books; money in minor units (ISO 4217).
"""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter

from payments.api import changes
from payments.api.objects import charges, intents


class Figures:
    """Counters over committed changes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        money = ("currency", "livemode")
        self._created = Counter("payments_created_total", "Payments begun.", money, registry=registry)
        self._declined = Counter(
            "payments_declined_total", "Charges that a bank said no to.", ("code", "livemode"), registry=registry
        )
        self._captured = Counter(
            "payments_captured_minor_units_total", "Money taken, in minor units.", money, registry=registry
        )
        self._refunded = Counter(
            "payments_refunded_minor_units_total", "Money given back, in minor units.", money, registry=registry
        )

    def committed(self, change: changes.Change) -> None:
        """Counts what is new in `change`."""
        live = str(change.tenant.livemode).lower()
        for write in change.writes:
            if write.row.version == 0:
                self._new(write.row.object, live)

    def _new(self, one: Any, live: str) -> None:
        if isinstance(one, intents.PaymentIntent):
            self._created.labels(one.currency, live).inc()
        elif isinstance(one, charges.Charge) and one.status == "failed":
            said = (one.outcome or {}).get("reason") or one.failure_code or "unknown"
            self._declined.labels(said, live).inc()
        elif isinstance(one, charges.BalanceTransaction) and one.type in ("charge", "refund"):
            counter = self._captured if one.type == "charge" else self._refunded
            counter.labels(one.currency, live).inc(abs(one.amount))
