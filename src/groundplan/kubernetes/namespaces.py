"""Namespaces: each enforces the restricted Pod Security Standard.

Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from groundplan.kubernetes import clusters, drafts

_LEVEL = {
    f"pod-security.kubernetes.io/{mode}{suffix}": value
    for mode in ("audit", "enforce", "warn")
    for suffix, value in (("", "restricted"), ("-version", "latest"))
}


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """One object a namespace."""
    for space in cluster.plan.namespaces:
        draft.add("v1 Namespace", space.name, {"metadata": {"labels": _LEVEL}}, space.origin)
