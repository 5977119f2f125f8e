"""Namespaces: each enforces the restricted Pod Security Standard, but for those that say why they cannot.

Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from groundplan.kubernetes import clusters, drafts
from groundplan.shapes import objects

BECAUSE = "groundplan.dev/privileged-because"
"""The annotation with the reason of an exception."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """One object a namespace."""
    for space in cluster.plan.namespaces:
        level = "privileged" if space.privileged else "restricted"
        metadata: objects.Tree = {"labels": _labels(level)}
        if space.privileged:
            metadata["annotations"] = {BECAUSE: space.privileged}
        draft.add("v1 Namespace", space.name, {"metadata": metadata}, space.origin)


def _labels(level: str) -> dict[str, str]:
    return {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("audit", "enforce", "warn")
        for suffix, value in (("", level), ("-version", "latest"))
    }
