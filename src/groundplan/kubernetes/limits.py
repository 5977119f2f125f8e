"""Quotas and limit ranges: what a namespace may take at most, computed from what stands in it.

A namespace with a chart in it has neither: nobody can count its pods, and defaults would starve them.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable

from groundplan.kubernetes import clusters, drafts, names
from groundplan.shapes import objects, quantities

_DEFAULT_REQUEST = {"cpu": "100m", "memory": "128Mi"}
_DEFAULT_LIMIT = {"cpu": "500m", "memory": "512Mi"}
_SURGE = 2
"""Pods of a Deployment beside its replicas: one that comes, one that still goes."""
_MEBI = decimal.Decimal(1024) ** 2


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """A limit range and a quota for each namespace whose pods are all ours."""
    charted = {cluster.components[name].namespace for name in draft.charts}
    pods: dict[str, list[drafts.Pod]] = {}
    for pod in draft.pods.values():
        pods.setdefault(pod.namespace, []).append(pod)
    for space in cluster.plan.namespaces:
        if space.name in charted:
            continue
        own = pods.get(space.name)
        ranges = {"type": "Container", "default": _DEFAULT_LIMIT, "defaultRequest": _DEFAULT_REQUEST}
        body: objects.Tree = {"spec": {"limits": [ranges]}}
        draft.add(
            "v1 LimitRange",
            f"{space.name}{names.LIMITS}",
            body,
            space.origin,
            namespace=space.name,
            component=space.name,
        )
        if own:
            body = {"spec": {"hard": hard(own)}}
            draft.add(
                "v1 ResourceQuota",
                f"{space.name}{names.QUOTA}",
                body,
                space.origin,
                namespace=space.name,
                component=space.name,
            )


def hard(pods: Iterable[drafts.Pod]) -> dict[str, str]:
    """What `pods` take when all of them are there, in the middle of a rollout, at the top of their range."""
    total = dict.fromkeys(("limits.cpu", "limits.memory", "requests.cpu", "requests.memory"), decimal.Decimal())
    number, claims, storage = 0, 0, decimal.Decimal()
    for pod in pods:
        count = pod.most + (_SURGE if pod.kind == "Deployment" else 0)
        number += count
        for name in total:
            side, _, resource = name.partition(".")
            total[name] += count * amount(pod.spec, side, resource)
        if pod.storage:
            claims, storage = claims + pod.most, storage + pod.most * quantities.parse(pod.storage)
    return {name: _said(value, name) for name, value in total.items()} | {
        "persistentvolumeclaims": str(claims),
        "pods": str(number),
        "requests.storage": _said(storage, "memory"),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }


def amount(spec: objects.Tree, side: str, resource: str) -> decimal.Decimal:
    """What one pod counts for: its containers together, or its largest init container where that is more."""
    otherwise = (_DEFAULT_REQUEST if side == "requests" else _DEFAULT_LIMIT)[resource]

    def of(container: objects.Tree) -> decimal.Decimal:
        said = container.get("resources", {}).get(side, {})
        return quantities.parse(said.get(resource, otherwise))

    together = sum((of(container) for container in spec["containers"]), decimal.Decimal())
    return max([together, *(of(container) for container in spec.get("initContainers", ()))])


def _said(value: decimal.Decimal, name: str) -> str:
    if name.endswith("cpu"):
        return f"{(value * 1000).to_integral_value(decimal.ROUND_CEILING)}m"
    return f"{(value / _MEBI).to_integral_value(decimal.ROUND_CEILING)}Mi"
