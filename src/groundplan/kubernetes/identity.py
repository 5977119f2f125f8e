"""Identity: one account a workload, and a token for each callee it may call.

A token says who calls (``sub``) and whom (``aud``); the kubelet renews it. Nobody gets a token of the API
server but who asks it something. Source:
https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
"""

from __future__ import annotations

from groundplan.kubernetes import clusters, drafts, names
from groundplan.shapes import objects
from groundplan_runtime import contract

LIFETIME = 3600
"""Seconds; the kubelet renews a token when four fifths have passed."""
_FOLDER = f"{contract.SECRETS_DIRECTORY}/{contract.TOKENS_DIRECTORY}"


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Accounts, tokens, and the few roles that engines need."""
    for pod in draft.pods.values():
        body = {"automountServiceAccountToken": False}
        draft.add("v1 ServiceAccount", pod.name, body, pod.origin, namespace=pod.namespace)
        pod.spec["serviceAccountName"] = pod.name
        pod.spec["automountServiceAccountToken"] = bool(pod.cluster_role)
        if pod.callees:
            pod.mount(_tokens(pod.callees), _FOLDER)
        if pod.cluster_role:
            _bind(pod, draft)


def _tokens(callees: tuple[str, ...]) -> objects.Tree:
    return {"name": "tokens", "projected": {"sources": [token(callee, callee) for callee in callees]}}


def token(audience: str, path: str) -> objects.Tree:
    """The source of a projected volume that holds a token for `audience` at `path`."""
    return {"serviceAccountToken": {"audience": audience, "expirationSeconds": LIFETIME, "path": path}}


def _bind(pod: drafts.Pod, draft: drafts.Draft) -> None:
    body: objects.Tree = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": pod.cluster_role},
        "subjects": [{"kind": "ServiceAccount", "name": pod.name, "namespace": pod.namespace}],
    }
    kind = "rbac.authorization.k8s.io/v1 ClusterRoleBinding"
    draft.add(kind, f"{pod.name}{names.ROLE}", body, pod.origin, component=pod.name)
