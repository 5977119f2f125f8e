"""Prometheus and Grafana, as the chart kube-prometheus-stack brings them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, final

from groundplan.model import component, environment, findings, namespace, resource
from groundplan.resources import images
from groundplan.shapes import alerts, backups, ports, processes, signals, workloads

_ALERTMANAGER = (("app.kubernetes.io/name", "alertmanager"),)
_USER, _GROUP = 1000, 2000
"""As the chart would have Alertmanager run by itself."""
_KUBELET, _NODE_EXPORTER = 10250, 9100
_CONTROL_PLANE = ("coreDns", "kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler")


@final
class PrometheusStack(resource.Resource):
    """Scrapes every component that answers on a metrics port, every `interval` seconds, and keeps `retention`.

    The node exporter needs the host, which a restricted namespace refuses: it runs where it is given a namespace of
    its own, `node_exporter`, and nowhere otherwise. `tells` says who hears of alerts; nobody does without it. Their
    password and URLs come from the environment's store of secrets, as files for Alertmanager alone.
    """

    grants = "nothing; it is the one that scrapes"

    def __init__(
        self,
        name: str = "prometheus",
        *,
        interval: int = 30,
        retention: str = "15d",
        storage: str = "10Gi",
        node_exporter: namespace.Namespace | None = None,
        tells: alerts.Receivers | None = None,
    ) -> None:
        super().__init__(name, listens={"prometheus": ports.Http(9090), "grafana": ports.Http(3000)})
        self.interval = interval
        self.retention = retention
        self.storage = storage
        self.node_exporter = node_exporter
        self.tells = tells if isinstance(tells, alerts.Receivers) else None
        if tells is not self.tells:
            findings.report("GP105", f"{name}: tells={tells!r}", remedy="write tells=Receivers(…)")
        if node_exporter is not None and not node_exporter.privileged:
            why = f"the node exporter reads the host, which the restricted namespace {node_exporter.name} refuses"
            remedy = f'plan.namespace("{node_exporter.name}", privileged="it reads the host\'s memory and disks")'
            findings.report("GP105", f"{name}: node_exporter", why=why, remedy=remedy)

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "retention": str, "tells": alerts.Receivers}

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("metrics are observations, kept for their retention")

    def signals(self) -> signals.Signals:
        nodes = ("node-exporter",) if self.node_exporter else ()
        documented = ("prometheus", "alertmanager", "kube-state-metrics", "kubelet", *nodes)
        return signals.Exports(documented=documented, monitored=False, collects=True)

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("every service answers /metrics; nothing collects them yet")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Chart:
        told = cast(alerts.Receivers | None, env.setting(self, "tells", self.tells))
        return workloads.Chart(
            source=images.PROMETHEUS_STACK,
            release=self.name,
            values=self._values(env, told),
            pods=(("app.kubernetes.io/name", "prometheus"),),
            defines=("monitoring.coreos.com",),
            cluster_wide=(
                "admissionregistration.k8s.io/MutatingWebhookConfiguration",
                "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
                "apiextensions.k8s.io/CustomResourceDefinition",
                "rbac.authorization.k8s.io/ClusterRole",
                "rbac.authorization.k8s.io/ClusterRoleBinding",
            ),
            webhooks=(10250,),
            nodes=(_NODE_EXPORTER, _KUBELET) if self.node_exporter else (_KUBELET,),
            spaces=(self.node_exporter.name,) if self.node_exporter else (),
            scrapes=True,
            outward=(443, told.port) if told else (),
            callers=_ALERTMANAGER if told else (),
            tells=told,
            reads=self._reads(told) if told else None,
            draws=self._draws(),
        )

    @property
    def _alertmanager(self) -> str:
        return f"{self.name}-alertmanager"

    def _reads(self, told: alerts.Receivers) -> workloads.Reader:
        return workloads.Reader(
            account=self._alertmanager,
            folder="/receivers",
            files=tuple(told.files()),
            user=_USER,
            group=_GROUP,
            values=("alertmanager", "alertmanagerSpec"),
        )

    def _draws(self) -> tuple[workloads.Drawn, ...]:
        """Grafana's first password, which its chart cannot look up where it is only rendered, and the mark that starts
        Grafana anew with it. Source: https://github.com/grafana/helm-charts/issues/3399
        """
        grafana = f"{self.name}-grafana"
        return (
            workloads.Drawn("Secret", grafana, "/data/admin-password"),
            workloads.Drawn("apps/Deployment", grafana, "/spec/template/metadata/annotations/checksum~1secret"),
        )

    def _values(self, env: environment.Environment, told: alerts.Receivers | None) -> workloads.Values:
        """Source: https://github.com/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack"""
        # Without this it would see only monitors and rules that carry its release's label.
        everything = {f"{kind}SelectorNilUsesHelmValues": False for kind in ("serviceMonitor", "podMonitor", "rule")}
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": self._size(env)}}}
        volume = {"storageSpec": {"volumeClaimTemplate": {"spec": claim}}} if self._size(env) != "ephemeral" else {}
        return {
            "fullnameOverride": self.name,
            "prometheus": {
                "prometheusSpec": {
                    "scrapeInterval": f"{self.interval}s",
                    "retention": str(env.setting(self, "retention", self.retention)),
                    **everything,
                    **volume,
                }
            },
            **({"alertmanager": {"serviceAccount": {"name": self._alertmanager}}} if told else {}),
            "nodeExporter": {"enabled": self.node_exporter is not None},
            **(
                {"prometheus-node-exporter": {"namespaceOverride": self.node_exporter.name}}
                if self.node_exporter
                else {}
            ),
            # These would make Services in kube-system, for ports that most clusters keep closed.
            **{part: {"enabled": False} for part in _CONTROL_PLANE},
        }

    def _size(self, env: environment.Environment) -> str:
        return str(env.setting(self, "storage", self.storage))
