"""The fields that matter of the Kubernetes objects that matter, for `msgspec.convert`.

Null means absent everywhere, as the API server has it. Policies refuse unknown fields: a misspelt `namespaceselector`
would otherwise silently widen a rule, and kubectl's strict validation refuses it too.
Source: Kubernetes API reference 1.34, core/v1 and networking.k8s.io/v1.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Requirement(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True):
    """One of matchExpressions."""

    key: str
    operator: str
    values: list[str] | None = None


class LabelSelector(msgspec.Struct, gc=False, frozen=True, rename="camel", forbid_unknown_fields=True):
    """metav1.LabelSelector."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = None


class IPBlock(msgspec.Struct, gc=False, frozen=True, rename={"excluded": "except"}, forbid_unknown_fields=True):
    """networking.k8s.io/v1 IPBlock."""

    cidr: str
    excluded: list[str] | None = None


class Peer(msgspec.Struct, gc=False, frozen=True, rename="camel", forbid_unknown_fields=True):
    """networking.k8s.io/v1 NetworkPolicyPeer."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = msgspec.field(default=None, name="ipBlock")


class PolicyPort(msgspec.Struct, gc=False, frozen=True, rename="camel", forbid_unknown_fields=True):
    """networking.k8s.io/v1 NetworkPolicyPort."""

    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


class Ingress(msgspec.Struct, gc=False, frozen=True, rename={"peers": "from"}, forbid_unknown_fields=True):
    """networking.k8s.io/v1 NetworkPolicyIngressRule."""

    peers: list[Peer] | None = None
    ports: list[PolicyPort] | None = None


class Egress(msgspec.Struct, gc=False, frozen=True, rename={"peers": "to"}, forbid_unknown_fields=True):
    """networking.k8s.io/v1 NetworkPolicyEgressRule."""

    peers: list[Peer] | None = None
    ports: list[PolicyPort] | None = None


class PolicySpec(msgspec.Struct, gc=False, frozen=True, rename="camel", forbid_unknown_fields=True):
    """networking.k8s.io/v1 NetworkPolicySpec."""

    pod_selector: LabelSelector | None = None
    ingress: list[Ingress] | None = None
    egress: list[Egress] | None = None
    policy_types: list[str] | None = None


class Metadata(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """metav1.ObjectMeta."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class ContainerPort(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """core/v1 ContainerPort."""

    container_port: int
    name: str | None = None
    protocol: str | None = None


class Container(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """core/v1 Container."""

    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None


class PodIP(msgspec.Struct, gc=False, frozen=True):
    """core/v1 PodIP."""

    ip: str | None = None


class PodStatus(msgspec.Struct, gc=False, frozen=True):
    """core/v1 PodStatus."""

    podIP: str | None = None
    podIPs: list[PodIP] | None = None
    phase: str | None = None


class PodSpec(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """core/v1 PodSpec."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    host_network: bool | None = None
    service_account_name: str | None = None
    subdomain: str | None = None


class Pod(msgspec.Struct, gc=False, frozen=True):
    """core/v1 Pod."""

    metadata: Metadata
    spec: PodSpec
    status: PodStatus | None = None


class Template(msgspec.Struct, gc=False, frozen=True):
    """core/v1 PodTemplateSpec."""

    spec: PodSpec
    metadata: Metadata | None = None


class Ordinals(msgspec.Struct, gc=False, frozen=True):
    """apps/v1 StatefulSetOrdinals."""

    start: int | None = None


class WorkloadSpec(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """What workload specs have in common."""

    template: Template
    replicas: int | None = None
    parallelism: int | None = None
    completions: int | None = None
    completion_mode: str | None = None
    ordinals: Ordinals | None = None


class Workload(msgspec.Struct, gc=False, frozen=True):
    """Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job."""

    metadata: Metadata
    spec: WorkloadSpec


class JobTemplate(msgspec.Struct, gc=False, frozen=True):
    """batch/v1 JobTemplateSpec."""

    spec: WorkloadSpec


class CronJobSpec(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """batch/v1 CronJobSpec."""

    job_template: JobTemplate


class CronJob(msgspec.Struct, gc=False, frozen=True):
    """batch/v1 CronJob."""

    metadata: Metadata
    spec: CronJobSpec


class NetworkPolicy(msgspec.Struct, gc=False, frozen=True):
    """networking.k8s.io/v1 NetworkPolicy."""

    metadata: Metadata
    spec: PolicySpec | None = None


class Namespace(msgspec.Struct, gc=False, frozen=True):
    """core/v1 Namespace."""

    metadata: Metadata


class ServicePort(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """core/v1 ServicePort."""

    port: int
    name: str | None = None
    protocol: str | None = None
    target_port: int | str | None = None
    node_port: int | None = None


class ServiceSpec(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """core/v1 ServiceSpec."""

    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None
    type: str | None = None
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    external_name: str | None = None


class Service(msgspec.Struct, gc=False, frozen=True):
    """core/v1 Service."""

    metadata: Metadata
    spec: ServiceSpec | None = None


def convert(data: dict[str, Any], kind: type[Any]) -> Any:
    """`data` as `kind`; raises ValueError that says which field is wrong and why."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$.", "`")) from None
