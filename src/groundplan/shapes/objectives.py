"""What a service promises, as what is left over when it does not keep it: an error budget.

Source: https://sre.google/workbook/alerting-on-slos/
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Objective:
    """`availability` percent of the requests are answered without a fault of the server's, and `within` percent of
    them in `latency` seconds, measured over thirty days."""

    availability: float = 99.9
    latency: float = 1.0
    within: float = 99.0
