"""Which objects kustomize takes for ones without a namespace: those of Kubernetes 1.21, whose schema 4.5 and all of 5.x
carry. Everything else has one for it, also a FlowSchema of v1 and custom resources that have none.

Source: the namespace transformation of kustomize 4.5.4 to 5.8.1, tried on every kind.
"""

from __future__ import annotations

_BOTH = ("v1", "v1beta1")
_KINDS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("", ("v1",), ("Namespace", "Node", "PersistentVolume", "ComponentStatus")),
    (
        "admissionregistration.k8s.io/",
        _BOTH,
        ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    ),
    ("apiextensions.k8s.io/", _BOTH, ("CustomResourceDefinition",)),
    ("apiregistration.k8s.io/", _BOTH, ("APIService",)),
    ("certificates.k8s.io/", _BOTH, ("CertificateSigningRequest",)),
    ("flowcontrol.apiserver.k8s.io/", ("v1beta1",), ("FlowSchema", "PriorityLevelConfiguration")),
    ("networking.k8s.io/", _BOTH, ("IngressClass",)),
    ("node.k8s.io/", _BOTH, ("RuntimeClass",)),
    ("policy/", ("v1beta1",), ("PodSecurityPolicy",)),
    ("rbac.authorization.k8s.io/", _BOTH, ("ClusterRole", "ClusterRoleBinding")),
    ("scheduling.k8s.io/", _BOTH, ("PriorityClass",)),
    ("storage.k8s.io/", _BOTH, ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment")),
)
_EVERYWHERE = frozenset(
    (f"{group}{version}", kind) for group, versions, kinds in _KINDS for version in versions for kind in kinds
)


def everywhere(version: str, kind: str) -> bool:
    """Whether objects of an ``apiVersion`` and kind have no namespace."""
    return (version, kind) in _EVERYWHERE
