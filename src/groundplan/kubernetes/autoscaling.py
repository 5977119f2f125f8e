"""Autoscaling: replicas follow CPU and memory. Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"""

from __future__ import annotations

from groundplan.kubernetes import clusters, drafts, settings
from groundplan.shapes import objects


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """A HorizontalPodAutoscaler for each program whose replicas are given as a range."""
    for program in cluster.plan.programs:
        wanted = settings.autoscaled(cluster.environment, program)
        pod = draft.pods[program.name]
        if wanted is None or pod.kind != "Deployment":
            continue
        targets = (("cpu", wanted.cpu), ("memory", wanted.memory))
        spec: objects.Tree = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": program.name},
            "minReplicas": wanted.least,
            "maxReplicas": wanted.most,
            "metrics": [_metric(name, percent) for name, percent in targets if percent is not None],
        }
        kind = "autoscaling/v2 HorizontalPodAutoscaler"
        draft.add(kind, program.name, {"spec": spec}, program.origin, namespace=program.namespace)


def _metric(name: str, percent: int) -> objects.Tree:
    return {
        "type": "Resource",
        "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}},
    }
