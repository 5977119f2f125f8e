"""Prometheus and Grafana, as the chart kube-prometheus-stack brings them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, resource
from groundplan.shapes import backups, ports, processes, workloads


@final
class PrometheusStack(resource.Resource):
    """Scrapes every component that answers on a metrics port, every `interval` seconds, and keeps `retention`."""

    grants = "nothing; it is the one that scrapes"

    def __init__(
        self, name: str = "prometheus", *, interval: int = 30, retention: str = "15d", storage: str = "10Gi"
    ) -> None:
        super().__init__(name, listens={"prometheus": ports.Http(9090), "grafana": ports.Http(3000)})
        self.interval = interval
        self.retention = retention
        self.storage = storage

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "retention": str}

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("metrics are observations, kept for their retention")

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("every service answers /metrics; nothing collects them yet")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Chart:
        return workloads.Chart(
            chart="kube-prometheus-stack",
            pods=(("app.kubernetes.io/name", "prometheus"),),
            webhooks=(10250,),
            scrapes=True,
        )
