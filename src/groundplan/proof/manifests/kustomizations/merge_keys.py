"""Lists whose items a strategic merge merges one by one, and what tells the items apart; all others are replaced.

Source: `x-kubernetes-patch-merge-key` and `x-kubernetes-list-map-keys` in the schema of Kubernetes 1.21, which
kustomize 4.5 and 5.x carry. Objects of versions that came later have no schema there, and no such lists.
"""

from __future__ import annotations

from groundplan.proof.manifests.kustomizations import items

Keys = tuple[str, ...]
_TEMPLATE: items.Path = ("spec", "template", "spec")
_PODS: dict[tuple[str, str], items.Path] = {
    ("v1", "Pod"): ("spec",),
    ("v1", "PodTemplate"): ("template", "spec"),
    ("v1", "ReplicationController"): _TEMPLATE,
    **{("apps/v1", kind): _TEMPLATE for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
    ("batch/v1", "Job"): _TEMPLATE,
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", *_TEMPLATE),
    ("batch/v1beta1", "CronJob"): ("spec", "jobTemplate", *_TEMPLATE),
}
_OF_PODS: dict[str, Keys] = {
    "containers": ("name",), "initContainers": ("name",), "ephemeralContainers": ("name",), "volumes": ("name",),
    "imagePullSecrets": ("name",), "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}  # fmt: skip
_OF_CONTAINERS: dict[str, Keys] = {
    "ports": ("containerPort", "protocol"), "env": ("name",), "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
}  # fmt: skip
_OTHERS: dict[tuple[str, str], dict[items.Path, Keys]] = {
    ("v1", "Service"): {("spec", "ports"): ("port", "protocol")},
    ("v1", "ServiceAccount"): {("secrets",): ("name",)},
    ("storage.k8s.io/v1", "CSINode"): {("spec", "drivers"): ("name",)},
    **{
        (f"admissionregistration.k8s.io/{version}", f"{kind}WebhookConfiguration"): {("webhooks",): ("name",)}
        for version in ("v1", "v1beta1")
        for kind in ("Mutating", "Validating")
    },
}
UNKNOWN: Keys = ()
"""Of lists that are not replaced, but how they are merged is left to kustomize."""


def of(version: str, kind: str, path: items.Path) -> Keys | None:
    """What tells the items of the list at a path apart; nothing where it is replaced as a whole."""
    if path[0] == "status" or path in (("metadata", "finalizers"), ("metadata", "ownerReferences")):
        return UNKNOWN
    if (version, kind) == ("v1", "Node") and path == ("spec", "podCIDRs"):
        return UNKNOWN
    pod = _PODS.get((version, kind))
    if pod and path[: len(pod)] == pod:
        return _in_pod(path[len(pod) :])
    return _OTHERS.get((version, kind), {}).get(path)


def _in_pod(path: items.Path) -> Keys | None:
    match path:
        case (str(name),):
            return _OF_PODS.get(name)
        case ("containers" | "initContainers" | "ephemeralContainers", int(), str(name)):
            return _OF_CONTAINERS.get(name)
    return None
