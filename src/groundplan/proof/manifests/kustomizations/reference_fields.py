"""Fields in which kustomize looks for names of other objects, as it carries them itself.

Source: kustomize's own `nameReference`, the same from 4.5.4 to 5.8.1 but for ValidatingAdmissionPolicy
(https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/konfig/builtinpluginconsts/namereference.go).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec

from groundplan.proof.manifests.kustomizations import field_kinds

Kind = field_kinds.Kind


class Field(msgspec.Struct, frozen=True):
    """A field of some objects that may name an object of another kind; lists on the way are gone through."""

    target: Kind
    holder: Kind
    path: tuple[str, ...]
    newer: bool = False
    """Whether older versions do not know it."""


_PODS = {
    "Pod": "spec", "PodTemplate": "template/spec", "CronJob": "spec/jobTemplate/spec/template/spec",
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"), "spec/template/spec"
    ),
}  # fmt: skip
_HOLDING = ("Pod", "PodTemplate", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "CronJob")
_RUNNING = ("Pod", "StatefulSet", "Deployment", "ReplicationController", "CronJob", "Job", "DaemonSet")
_RBAC, _ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"


def _in_pods(kinds: tuple[str, ...], *paths: str) -> tuple[tuple[Kind, str], ...]:
    return tuple((Kind("", "", kind), f"{_PODS[kind]}/{path}") for kind in kinds for path in paths)


def _held(word: str, volume: str) -> tuple[tuple[Kind, str], ...]:
    fields = (
        f"volumes/{volume}", f"containers/env/valueFrom/{word}KeyRef/name",
        f"initContainers/env/valueFrom/{word}KeyRef/name", f"containers/envFrom/{word}Ref/name",
        f"initContainers/envFrom/{word}Ref/name", f"volumes/projected/sources/{word}/name",
    )  # fmt: skip
    # A Pod is asked for its version, and there is one.
    found = _in_pods(_HOLDING, *fields)
    return tuple((Kind("", "v1" if each.kind == "Pod" else "", each.kind), path) for each, path in found)


def _of(group: str, kind: str, *paths: str) -> tuple[tuple[Kind, str], ...]:
    return tuple((Kind(group, "", kind), path) for path in paths)


_NGINX = r"metadata/annotations/nginx.ingress.kubernetes.io\/"
_NAMED = (("Role", "rules/resourceNames"), ("ClusterRole", "rules/resourceNames"))
_SCALED = _of("", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name")
_TABLE: tuple[tuple[Kind, tuple[tuple[Kind, str], ...]], ...] = (
    (
        Kind("", "v1", "ServiceAccount"),
        (
            *_of(_RBAC, "RoleBinding", "subjects"), *_of(_RBAC, "ClusterRoleBinding", "subjects"),
            *_in_pods(_RUNNING, "serviceAccountName"),
        ),
    ),
    (Kind(_RBAC, "", "Role"), _of(_RBAC, "RoleBinding", "roleRef/name")),
    (
        Kind(_RBAC, "", "ClusterRole"),
        (*_of(_RBAC, "RoleBinding", "roleRef/name"), *_of(_RBAC, "ClusterRoleBinding", "roleRef/name")),
    ),
    (
        Kind("", "v1", "ConfigMap"),
        (
            *_held("configMap", "configMap/name"), *_of("", "Node", "spec/configSource/configMap"),
            *_of("", *_NAMED[0]), *_of("", *_NAMED[1]), *_of("", "Ingress", f"{_NGINX}fastcgi-params-configmap"),
        ),
    ),
    (
        Kind("", "v1", "Secret"),
        (
            *_held("secret", "secret/secretName"),
            (Kind("", "v1", "Pod"), "spec/imagePullSecrets/name"), *_in_pods(_HOLDING[1:], "imagePullSecrets/name"),
            *_of(
                "", "Ingress", "spec/tls/secretName", r"metadata/annotations/ingress.kubernetes.io\/auth-secret",
                f"{_NGINX}auth-secret", f"{_NGINX}auth-tls-secret",
            ),
            *_of("", "ServiceAccount", "imagePullSecrets/name"),
            *_of(
                "", "StorageClass", "parameters/secretName", "parameters/adminSecretName", "parameters/userSecretName",
                "parameters/secretRef",
            ),
            *_of("", *_NAMED[0]), *_of("", *_NAMED[1]),
            (
                Kind("serving.knative.dev", "v1", "Service"),
                "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
            ),
            *_of("", "PersistentVolume", "spec/azureFile/secretName"),
        ),
    ),
    (
        Kind("", "v1", "Service"),
        (
            *_of("apps", "StatefulSet", "spec/serviceName"),
            *_of(
                "", "Ingress", "spec/rules/http/paths/backend/serviceName", "spec/backend/serviceName",
                "spec/rules/http/paths/backend/service/name", "spec/defaultBackend/service/name",
            ),
            *_of("apiregistration.k8s.io", "APIService", "spec/service/name"),
            *_of(_ADMISSION, "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
            *_of(_ADMISSION, "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
        ),
    ),
    (Kind("scheduling.k8s.io", "v1", "PriorityClass"), _in_pods(_RUNNING, "priorityClassName")),
    (
        Kind("", "v1", "PersistentVolume"),
        (*_of("", "PersistentVolumeClaim", "spec/volumeName"), *_of("", *_NAMED[1])),
    ),
    (Kind("", "v1", "PersistentVolumeClaim"), _in_pods(_RUNNING, "volumes/persistentVolumeClaim/claimName")),
    (
        Kind("storage.k8s.io", "v1", "StorageClass"),
        (
            *_of("", "PersistentVolume", "spec/storageClassName"),
            *_of("", "PersistentVolumeClaim", "spec/storageClassName"),
            *_of("", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
        ),
    ),
    *((Kind("", "", kind), _SCALED) for kind in ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")),
    # No group has this name: a slip that keeps kustomize from following ingressClassName.
    (Kind("networking.k8s.io/v1", "v1", "IngressClass"), _of("", "Ingress", "spec/ingressClassName")),
)  # fmt: skip
"""What is named, and where; kinds in the order in which kustomize takes them."""


def _fields() -> Iterator[Field]:
    for target, places in _TABLE:
        for holder, path in places:
            steps = path.replace(r"\/", "\0").split("/")
            yield Field(target, holder, tuple(step.replace("\0", "/") for step in steps))
    binding = Kind(_ADMISSION, "", "ValidatingAdmissionPolicyBinding")
    yield Field(Kind(_ADMISSION, "", "ValidatingAdmissionPolicy"), binding, ("spec", "policyName"), newer=True)


FIELDS = tuple(_fields())


@functools.cache
def of(group: str, version: str, kind: str) -> tuple[Field, ...]:
    """The fields of one kind of object."""
    return tuple(each for each in FIELDS if each.holder.covers(group, version, kind))
