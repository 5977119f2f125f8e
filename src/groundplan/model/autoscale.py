"""Replicas that follow the load."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Autoscale:
    """Between `least` and `most` replicas, so that `cpu` and `memory` stay near these per cent of what is requested.

    Source: HorizontalPodAutoscaler v2, averageUtilization.
    """

    least: int
    most: int
    cpu: int | None = 70
    memory: int | None = None
