"""When a replica is alive and ready, in the kubelet's terms.

Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/
"""

from __future__ import annotations

import dataclasses

from groundplan_runtime import contract


@dataclasses.dataclass(frozen=True)
class Probes:
    """How replicas are asked; times in seconds.

    On HTTP the paths are asked on `port`; a gRPC port is asked by the gRPC health protocol instead.
    A startup probe (the readiness question, every `startup`, at most `startup_failures` times) comes
    before the other two, so that they need no initial delay.
    """

    port: str | None = None
    """None: metrics where there is one, or else the gRPC port, or else HTTP. In a cluster, where the kubelet speaks
    it, what serves gRPC alone is asked by gRPC's health whether it is ready, and by metrics whether it is alive:
    health follows readiness, for which nobody should be restarted."""
    livez: str = contract.LIVEZ
    readyz: str = contract.READYZ
    liveness: float = 20
    readiness: float = 15
    timeout: float = 2
    failures: int = 3
    startup: float = 1
    startup_failures: int = 60
