"""What the platform takes for a payment: a declared rule."""

from __future__ import annotations

from payments.common import money

RATE_PER_MILLE = 29
"""2.9 % of what is captured."""

FIXED = {2: 30, 0: 30, 3: 90}
"""Once a payment, by the currency's decimals, in minor units: 0.30 usd, 30 jpy, 0.090 kwd."""


def fee(captured: int, currency: str) -> int:
    """The whole fee of a payment of which `captured` minor units were captured so far.

    The percentage is rounded half up to the minor unit; the fee is never more than what was captured. It depends on
    the sum alone, so several captures cost what one costs, each paying the difference. Refunds do not return it.
    """
    if captured <= 0:
        return 0
    return min(captured, (captured * RATE_PER_MILLE + 500) // 1000 + FIXED[money.exponent(currency)])
