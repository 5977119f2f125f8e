"""Hardening: every pod meets the restricted Pod Security Standard, and writes nowhere but into its volumes.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from groundplan.kubernetes import clusters, drafts
from groundplan.shapes import objects

_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
_TMP = "64Mi"


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Security contexts of pods and of all their containers, and a /tmp for each pod; of a chart's pod, for what is
    ours of it."""
    for pod in draft.pods.values():
        _harden(pod, pod.containers)
        # Variables named after Services would come between the contract and the service.
        pod.spec["enableServiceLinks"] = False
    for part in draft.parts.values():
        _harden(part, part.spec.get("initContainers", []))


def _harden(pod: drafts.Pod, found: list[objects.Tree]) -> None:
    pod.spec["securityContext"] = {
        "fsGroup": pod.group,
        "fsGroupChangePolicy": "OnRootMismatch",
        "runAsGroup": pod.group,
        "runAsNonRoot": True,
        "runAsUser": pod.user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if found:
        pod.spec.setdefault("volumes", []).append({"name": "tmp", "emptyDir": {"sizeLimit": _TMP}})
    for container in found:
        container["securityContext"] = _CONTAINER
        container["volumeMounts"].append({"name": "tmp", "mountPath": "/tmp"})  # noqa: S108
