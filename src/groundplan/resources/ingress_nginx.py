"""ingress-nginx: the controller through which the world comes in. Retired upstream in 2026; Gateway API succeeds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, findings, names, resource
from groundplan.resources import images
from groundplan.shapes import backups, ports, processes, signals, workloads

_NAME = "-controller"
"""What the chart puts behind the name of its release."""
_NEWEST = "1.14.1"


@final
class IngressNginx(resource.Resource):
    """The NGINX Ingress Controller, on two node ports (HTTP, HTTPS) behind a tunnel or a load balancer.

    `version` is the controller's. 1.11.1 lets anybody who reaches its admission webhook run code in it
    (CVE-2025-1974, repaired in 1.11.5), so it is installed without that webhook.
    """

    grants = "nothing; the platform's entry leads through it"

    def __init__(
        self,
        name: str = "ingress-nginx-controller",
        *,
        version: str = _NEWEST,
        node_ports: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(name, listens={"http": ports.Http(80), "https": ports.Http(443), "metrics": ports.Http(10254)})
        self.version = version
        self.node_ports = node_ports
        if version not in images.INGRESS_NGINX:
            remedy = names.meant(version, images.INGRESS_NGINX)
            findings.report("GP105", f"{name}: version", why=f"no chart of {version} is known", remedy=remedy)
            self.version = _NEWEST
        if node_ports is not None and not (isinstance(node_ports, tuple) and _are_node_ports(node_ports)):
            why = f"{node_ports!r} are not two ports from 30000 to 32767"
            findings.report("GP105", f"{name}: node_ports", why=why, remedy="node_ports=(30080, 30443)")
            self.node_ports = None

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("it holds nothing")

    def signals(self) -> signals.Signals:
        return signals.Exports(documented=("ingress-nginx",))

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("the entry's endpoint is reached directly")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Chart:
        asks = self.version != "1.11.1"
        return workloads.Chart(
            source=images.ingress_nginx(self.version),
            release=self.name.removesuffix(_NAME),
            values=self._values(asks),
            pods=(("app.kubernetes.io/component", "controller"), ("app.kubernetes.io/name", "ingress-nginx")),
            cluster_wide=(
                "networking.k8s.io/IngressClass",
                "rbac.authorization.k8s.io/ClusterRole",
                "rbac.authorization.k8s.io/ClusterRoleBinding",
                *(("admissionregistration.k8s.io/ValidatingWebhookConfiguration",) if asks else ()),
            ),
            webhooks=(8443,) if asks else (),
            world=("http", "https"),
        )

    def _values(self, asks: bool) -> workloads.Values:
        """Source: https://github.com/kubernetes/ingress-nginx/blob/main/charts/ingress-nginx/README.md"""
        numbers = {"nodePorts": dict(zip(("http", "https"), self.node_ports, strict=True))} if self.node_ports else {}
        return {
            # So that labels and names are those that policies and people expect, whatever the release is called.
            "nameOverride": "ingress-nginx",
            "fullnameOverride": self.name.removesuffix(_NAME),
            "controller": {
                "service": {"type": "NodePort" if numbers else "LoadBalancer", **numbers},
                "containerPort": {name: self.ports[name].number for name in ("http", "https")},
                "metrics": {"enabled": True, "port": self.ports["metrics"].number},
                "admissionWebhooks": {"enabled": asks},
                # No Ingress may bring configuration of its own, or annotations that look like it.
                "allowSnippetAnnotations": False,
                "enableAnnotationValidations": True,
                "config": {"server-tokens": "false"},
                "image": {
                    "runAsNonRoot": True,
                    "allowPrivilegeEscalation": False,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            },
        }


def _are_node_ports(said: tuple[object, ...]) -> bool:
    """Whether these are two of the range that a cluster keeps for them unless told otherwise."""
    return len(set(said)) == len(said) == 2 and all(isinstance(each, int) and 30000 <= each <= 32767 for each in said)
