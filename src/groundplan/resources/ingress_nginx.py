"""ingress-nginx: the controller through which the world comes in. Retired upstream in 2026; Gateway API succeeds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, resource
from groundplan.shapes import backups, ports, processes, workloads


@final
class IngressNginx(resource.Resource):
    """The NGINX Ingress Controller, on two node ports (HTTP, HTTPS) behind a tunnel or a load balancer."""

    grants = "nothing; the platform's entry leads through it"

    def __init__(self, name: str = "ingress-nginx-controller", *, node_ports: tuple[int, int] | None = None) -> None:
        super().__init__(name, listens={"http": ports.Http(80), "https": ports.Http(443)})
        self.node_ports = node_ports

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"node_ports": tuple}

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("it holds nothing")

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("the entry's endpoint is reached directly")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Chart:
        return workloads.Chart(
            chart="ingress-nginx",
            pods=(("app.kubernetes.io/component", "controller"), ("app.kubernetes.io/name", "ingress-nginx")),
            webhooks=(8443,),
            world=("http", "https"),
        )
