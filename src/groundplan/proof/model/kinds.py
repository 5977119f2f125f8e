"""Which kinds this proof understands, and which could change who reaches whom without it understanding them."""

from __future__ import annotations

WORKLOADS: dict[tuple[str, str], str] = {
    ("", "Pod"): "v1",
    ("", "ReplicationController"): "v1",
    ("apps", "Deployment"): "apps/v1",
    ("apps", "StatefulSet"): "apps/v1",
    ("apps", "DaemonSet"): "apps/v1",
    ("apps", "ReplicaSet"): "apps/v1",
    ("batch", "Job"): "batch/v1",
    ("batch", "CronJob"): "batch/v1",
}
"""Group and kind of what makes pods, with the version that is served."""

CLUSTER_SCOPED = frozenset({
    "Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition",
    "StorageClass", "IngressClass", "GatewayClass", "PriorityClass", "RuntimeClass", "APIService", "CSIDriver",
    "CSINode", "VolumeAttachment", "VolumeSnapshotClass", "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy", "CiliumClusterwideNetworkPolicy",
    "CiliumCIDRGroup", "CiliumNode", "GlobalNetworkPolicy", "GlobalNetworkSet", "ClusterIssuer", "ClusterSecretStore",
    "ClusterExternalSecret", "FlowSchema", "PriorityLevelConfiguration", "CertificateSigningRequest", "ServiceCIDR",
    "IPAddress", "DeviceClass", "ClusterPolicy", "ClusterTrustBundle",
})  # fmt: skip
"""Kinds without a namespace."""

_FILTERS: dict[str, tuple[str, ...]] = {
    "crd.projectcalico.org": ("*",),
    "projectcalico.org": ("*",),
    "crd.antrea.io": ("*",),
    "cilium.io": (
        "CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig", "CiliumLocalRedirectPolicy",
        "CiliumEgressGatewayPolicy",
    ),
    "networking.istio.io": ("Sidecar", "EnvoyFilter"),
    "security.istio.io": ("PeerAuthentication", "RequestAuthentication"),
    "policy.linkerd.io": ("*",),
    "k8s.cni.cncf.io": ("*",),
    "k8s.ovn.org": ("*",),
    "kubeovn.io": ("*",),
    "consul.hashicorp.com": ("*",),
    "kuma.io": ("*",),
    "networking.gke.io": ("*",),
    "nsx.vmware.com": ("*",),
    "network.openshift.io": ("*",),
    "vpcresources.k8s.aws": ("*",),
    "networking.k8s.aws": ("*",),
}  # fmt: skip
_WORDS = (
    "NetworkPolicy",
    "Firewall",
    "Intention",
    "TrafficPermission",
    "AccessPolicy",
    "EgressPolicy",
    "AuthorizationPolicy",
)


def filters(group: str, kind: str) -> bool:
    """Could an object of this kind, which nothing here reads, allow or deny connections?"""
    if group == "networking.k8s.io" and kind == "NetworkPolicy":
        return False
    listed = _FILTERS.get(group, ())
    return "*" in listed or kind in listed or any(word in kind for word in _WORDS)
