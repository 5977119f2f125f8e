"""Exporters: a Deployment of its own for each, so that who looks at an engine holds one password and opens one port."""

from __future__ import annotations

from groundplan.kubernetes import clusters, containers, drafts, workloads
from groundplan.model import resource
from groundplan.shapes import objects, quantities, signals
from groundplan.telemetry import targets

PORT = "metrics"
_TAKES = quantities.Compute(cpu=quantities.Range("10m", "100m"), memory=quantities.Range("32Mi", "64Mi"))


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """One for each engine that needs somebody to tell of it, where somebody listens."""
    if not targets.is_monitored(cluster.plan):
        return
    for each in cluster.plan.resources:
        said = each.signals()
        if each.name in draft.pods and isinstance(said, signals.Exports) and said.exporter:
            _deploy(each, said.exporter, cluster, draft)


def _deploy(
    engine: resource.Resource, exporter: signals.Exporter, cluster: clusters.Cluster, draft: drafts.Draft
) -> None:
    name = signals.exporter_name(engine.name)
    pod = drafts.Pod(
        name=name,
        namespace=engine.namespace or "",
        owner=engine,
        kind="Deployment",
        template={
            "metadata": {"labels": draft.labels(name)},
            "spec": {"containers": [_container(name, exporter, cluster)]},
        },
        files={f"{clusters.FILES}/{file.name}": file.content.resolve(cluster) for file in exporter.files},
        user=containers.USER,
        group=containers.USER,
        opens=tuple(sorted(engine.ports)),
    )
    draft.hold(pod)
    body = workloads.deployment(pod, draft, fixed=True)
    draft.add("apps/v1 Deployment", name, {"spec": body}, engine.origin, namespace=pod.namespace)


def _container(name: str, exporter: signals.Exporter, cluster: clusters.Cluster) -> objects.Tree:
    words = (f"{exporter.listen}0.0.0.0:{exporter.port}", *exporter.argv)
    # Its first page, not its metrics: an engine that is away is no fault of who says so.
    ask = {"httpGet": {"path": "/", "port": PORT, "scheme": "HTTP"}, "periodSeconds": 15, "timeoutSeconds": 3}
    return {
        "name": name,
        "image": exporter.image,
        "args": [containers.escaped(containers.word_of(word, cluster)) for word in words],
        "env": containers.environment_of(exporter.environment, cluster),
        "ports": [{"name": PORT, "containerPort": exporter.port, "protocol": "TCP"}],
        "resources": containers.resources(_TAKES),
        "readinessProbe": ask,
        # It is restarted later than it is left out: the same question, asked for longer.
        "livenessProbe": ask | {"failureThreshold": 6},
        "volumeMounts": [],
    }
