"""Whether a version of Kubernetes serves what an object says it is, and what to write instead.

Source: Kubernetes documentation, "Deprecated API Migration Guide"; for 1.25 and later the table itself.
"""

from __future__ import annotations

import difflib

from groundplan.proof.schema import judge, tables

GONE, AGING = "GP565", "GP566"
_REMOVED = {
    "extensions/v1beta1": "1.22", "apps/v1beta1": "1.16", "apps/v1beta2": "1.16", "batch/v2alpha1": "1.21",
    "batch/v1beta1": "1.25", "networking.k8s.io/v1beta1": "1.22", "policy/v1beta1": "1.25",
    "autoscaling/v2beta1": "1.25", "autoscaling/v2beta2": "1.26", "discovery.k8s.io/v1beta1": "1.25",
    "events.k8s.io/v1beta1": "1.25", "node.k8s.io/v1beta1": "1.25", "storage.k8s.io/v1beta1": "1.22",
    "rbac.authorization.k8s.io/v1beta1": "1.22", "scheduling.k8s.io/v1beta1": "1.22",
    "coordination.k8s.io/v1beta1": "1.22", "certificates.k8s.io/v1beta1": "1.22",
    "apiextensions.k8s.io/v1beta1": "1.22", "apiregistration.k8s.io/v1beta1": "1.22",
    "admissionregistration.k8s.io/v1beta1": "1.22",
}  # fmt: skip
"""API versions that went before the table begins, in the release that ended the last of their kinds."""
_INSTEAD = {
    "PodSecurityPolicy": "label the namespace pod-security.kubernetes.io/enforce: restricted",
    "PodPreset": "write its fields into the pods",
    "Endpoints": "write an EndpointSlice of discovery.k8s.io/v1",
    "ComponentStatus": "ask the components' own health endpoints",
}
_AGING = {("v1", "Endpoints"): 33, ("v1", "ComponentStatus"): 19}
"""Stable kinds that are deprecated, and since which minor version."""


def built_in(group: str) -> bool:
    """Is it a group of Kubernetes' own?"""
    return group in _groups()


def _groups() -> frozenset[str]:
    return tables.groups() | {each.rpartition("/")[0] for each in _REMOVED}


def wrong(version: tables.Version, api: str, kind: str) -> judge.Wrong | None:
    """What is wrong with an API version and kind of Kubernetes' own; None where nothing is."""
    if version.shape(api, kind) is None:
        return _unserved(version, api, kind)
    stable = version.served(kind)[0]
    if _AGING.get((api, kind), 1 << 30) <= version.minor:
        return judge.Wrong(AGING, ("kind",), f"{api} {kind} is deprecated", "it will go", _INSTEAD[kind])
    same = stable.rpartition("/")[0] == api.rpartition("/")[0]
    if same and ("alpha" in api or "beta" in api) and not ("alpha" in stable or "beta" in stable):
        why = f"{stable} is stable, and a beta is served for three releases after that at most"
        return judge.Wrong(AGING, ("apiVersion",), f"{api} {kind} is deprecated", why, f"write apiVersion: {stable}")
    return None


def _unserved(version: tables.Version, api: str, kind: str) -> judge.Wrong:
    others = version.served(kind)
    since = version.since(api, kind)
    gone = version.last(api, kind) or (_REMOVED.get(api, "") if others or kind in _INSTEAD else "")
    what = f"Kubernetes {version.text} serves no {api} {kind}"
    if since:
        why, remedy = f"it came with {since}", f"run Kubernetes {since}, or leave the object out"
    elif gone:
        why, remedy = f"it was removed in {gone}", "remove the object"
    else:
        why, remedy = "the API server knows no such kind", "correct apiVersion or kind"
    if others:
        remedy = f"write apiVersion: {others[0]}"
    elif kind in _INSTEAD:
        remedy = _INSTEAD[kind]
    elif close := difflib.get_close_matches(kind, tables.kinds(api), 1):
        remedy = f"did you mean {close[0]}?"
    return judge.Wrong(GONE, ("apiVersion",), what, why, remedy)
