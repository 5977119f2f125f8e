"""Disruption: drains never wait for ever, replicas stand apart, and engines outlast services.

Sources: https://kubernetes.io/docs/tasks/run-application/configure-pdb/,
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from __future__ import annotations

from groundplan.kubernetes import clusters, drafts, names, settings
from groundplan.shapes import objects

_ENGINES, _SERVICES = 1_000_000, 100_000


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Budgets and spread for what has replicas, priorities for all."""
    for suffix, value in ((names.ENGINES, _ENGINES), (names.SERVICES, _SERVICES)):
        body = {"value": value, "globalDefault": False, "preemptionPolicy": "PreemptLowerPriority"}
        name = f"{cluster.plan.name}{suffix}"
        draft.add("scheduling.k8s.io/v1 PriorityClass", name, body, cluster.plan.origin)
    for pod in draft.pods.values():
        suffix = names.ENGINES if pod.kind == "StatefulSet" else names.SERVICES
        pod.spec["priorityClassName"] = f"{cluster.plan.name}{suffix}"
        if pod.kind == "Deployment" and pod.most > 1:
            pod.spec["topologySpreadConstraints"] = _spread(pod, cluster, draft)
        if pod.kind == "StatefulSet" and pod.most > 1:
            _quorum(pod, cluster, draft)
        if pod.kind in ("Deployment", "StatefulSet") and pod.least > 1:
            _budget(pod, cluster, draft)


def _budget(pod: drafts.Pod, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    available = cluster.environment.setting(pod.owner, "available")
    kept: objects.Tree = {"maxUnavailable": 1} if available is None else {"minAvailable": available}
    # A pod that is not ready serves nobody: it must not keep its node from being drained.
    spec = {**kept, "selector": {"matchLabels": draft.labels(pod.name)}, "unhealthyPodEvictionPolicy": "AlwaysAllow"}
    draft.add("policy/v1 PodDisruptionBudget", pod.name, {"spec": spec}, pod.origin, namespace=pod.namespace)


def _spread(pod: drafts.Pod, cluster: clusters.Cluster, draft: drafts.Draft) -> list[objects.Tree]:
    keys = ["kubernetes.io/hostname"]
    if settings.zones(cluster.environment) > 1:
        keys.insert(0, "topology.kubernetes.io/zone")
    return [_apart(key, pod, draft) for key in keys]


def _quorum(pod: drafts.Pod, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """No two on a node, and zones in turn: else one node, or one zone, may take more than half of them away. A replica
    whose zone is lost waits for it, as its volume does."""
    chosen = {"matchLabels": draft.labels(pod.name)}
    term = {"labelSelector": chosen, "topologyKey": "kubernetes.io/hostname"}
    pod.spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    if settings.zones(cluster.environment) > 1:
        zones = {"labelSelector": chosen, "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone"}
        pod.spec["topologySpreadConstraints"] = [{**zones, "whenUnsatisfiable": "DoNotSchedule"}]


def _apart(key: str, pod: drafts.Pod, draft: drafts.Draft) -> objects.Tree:
    return {
        "labelSelector": {"matchLabels": draft.labels(pod.name)},
        "matchLabelKeys": ["pod-template-hash"],  # else a rollout is spread against the pods it replaces
        "maxSkew": 1,
        "topologyKey": key,
        # Not DoNotSchedule: when a zone is lost, its replicas must find a place in the others.
        "whenUnsatisfiable": "ScheduleAnyway",
    }
