"""In which order objects go to a cluster: the waves that they carry for Argo CD, and kinds within each.

`groundplan.kubernetes.waves` says what waits for what; both tools follow its annotation, so that a platform starts
alike by either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from groundplan.kubernetes import waves as drawn
from groundplan.shapes import objects

ORDER = (
    "Namespace",
    "PriorityClass",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Service",
    "PodDisruptionBudget",
    "StatefulSet",
    "Job",
    "Deployment",
    "CronJob",
    "HorizontalPodAutoscaler",
    "Ingress",
)
"""Policies stand before anything runs; what is not listed comes last."""

AWAITED = ("Deployment", "StatefulSet", "Job")
"""What a wave waits for before the next begins."""


@dataclasses.dataclass(frozen=True)
class Wave:
    """What is applied together, in this order."""

    number: int
    members: tuple[objects.Object, ...]

    @property
    def awaited(self) -> tuple[objects.Object, ...]:
        """What must be ready, or done, before the next wave begins."""
        return tuple(made for made in self.members if made.key.kind in AWAITED and not is_waiting(made.tree))


def waves(wanted: Iterable[objects.Object]) -> tuple[Wave, ...]:
    """All objects, wave by wave."""
    found: dict[int, list[objects.Object]] = {}
    for made in wanted:
        found.setdefault(drawn.of(made.tree), []).append(made)
    return tuple(Wave(each, tuple(sorted(found[each], key=rank))) for each in sorted(found))


def rank(made: objects.Object) -> tuple[int, objects.Key]:
    """Where an object stands within its wave."""
    kind = made.key.kind
    return (ORDER.index(kind) if kind in ORDER else len(ORDER), made.key)


def is_waiting(tree: objects.Tree) -> bool:
    """A Job that runs only when somebody starts it."""
    return bool(tree.get("spec", {}).get("suspend")) and tree["kind"] == "Job"
