"""Documents → the pods and policies of a cluster, or the reason why not.

Sources: kubernetes.io/docs/reference/labels-annotations-taints (the API server sets kubernetes.io/metadata.name
on every namespace) and kubernetes.io/docs/concepts/overview/working-with-objects/names (one object of a kind has
a name at a time).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.proof.naive import addresses, cilium_checks, istio_checks, labels, networkpolicy_checks, pods, tiers_checks
from tests.proof.naive.refusals import Invalid, Undecidable

Document = dict[str, Any]

WORKLOADS = {
    "Pod": "v1",
    "ReplicationController": "v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
}
POLICIES = {
    "networking.k8s.io/v1 NetworkPolicy": networkpolicy_checks.check,
    "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy": tiers_checks.check,
    "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy": tiers_checks.check,
    "policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy": tiers_checks.check,
    "cilium.io/v2 CiliumNetworkPolicy": cilium_checks.check,
    "cilium.io/v2 CiliumClusterwideNetworkPolicy": cilium_checks.check,
    "security.istio.io/v1 AuthorizationPolicy": istio_checks.check,
    "security.istio.io/v1beta1 AuthorizationPolicy": istio_checks.check,
}
NAMESPACED = (*WORKLOADS, "NetworkPolicy", "CiliumNetworkPolicy", "AuthorizationPolicy")
REMOVED = ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2", "batch/v1beta1", "networking.k8s.io/v1beta1")

# Groups whose objects never decide who reaches whom on layers 3 and 4, whatever their kinds are called.
HARMLESS_GROUPS = (
    "",
    "admissionregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "gateway.networking.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
)
SUSPECT = re.compile(r"Polic(y|ies)$|Firewall|Intentions$|Permission$|Authentication$|Authorization$|Isolation")


@dataclasses.dataclass(frozen=True)
class Cluster:
    pods: tuple[pods.Pod, ...]
    namespaces: dict[str, dict[str, str]]
    policies: tuple[Document, ...]
    ipblock_matches_pods: bool
    pod_ranges: tuple[addresses.Network, ...]
    node_ranges: tuple[addresses.Network, ...]

    def of_kind(self, *kinds: str) -> list[Document]:
        return [policy for policy in self.policies if policy["kind"] in kinds]


def cluster(
    documents: Iterable[Any],
    default_namespace: str | None,
    ipblock_matches_pods: bool = False,
    pod_ranges: Iterable[str] = (),
    node_ranges: Iterable[str] = (),
) -> Cluster:
    """The cluster that `documents` describe; every refusal before anything is left undecided."""
    objects = [placed(one, default_namespace) for one in flat(documents)]
    refuse_duplicates(objects)
    namespaces = labelled_namespaces(objects)
    workloads = [pod for one in objects if is_workload(one) for pod in pods.of(one, home(one), names(namespaces, one))]
    policies = [one for one in objects if checked_policy(one)]
    for one in objects:
        leave_open(one)
    return Cluster(
        pods=tuple(workloads),
        namespaces=namespaces,
        policies=tuple(policies),
        ipblock_matches_pods=ipblock_matches_pods,
        pod_ranges=tuple(addresses.network(one, "pod ranges") for one in pod_ranges),
        node_ranges=tuple(addresses.network(one, "node ranges") for one in node_ranges),
    )


def flat(documents: Iterable[Any]) -> Iterator[Document]:
    """Every object: Lists opened, empty documents left out."""
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict) or not document.get("kind") or not document.get("apiVersion"):
            raise Invalid(f"{document!r:.60} is no Kubernetes object: apiVersion and kind are needed")
        if document["kind"].endswith("List") and "items" in document:
            yield from flat(document["items"] or [])
        else:
            yield document


def placed(document: Document, default_namespace: str | None) -> Document:
    """`document` with the namespace it lands in written down, if that is known."""
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise Invalid(f"{document['kind']}: metadata.name is needed, as a string")
    if document["kind"] in NAMESPACED and not metadata.get("namespace") and default_namespace:
        return {**document, "metadata": {**metadata, "namespace": default_namespace}}
    return document


def refuse_duplicates(objects: list[Document]) -> None:
    seen = set()
    for one in objects:
        metadata, group = one["metadata"], one["apiVersion"].rpartition("/")[0]
        identity = (group, one["kind"], metadata.get("namespace") or "", metadata["name"])
        if identity in seen:
            raise Invalid(f"two objects are called {one['kind']} {metadata['name']}")
        seen.add(identity)


def labelled_namespaces(objects: list[Document]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in objects:
        if one["kind"] == "Namespace" and one["apiVersion"] == "v1":
            own = labels.checked(one["metadata"].get("labels"), f"Namespace {one['metadata']['name']}")
            found[one["metadata"]["name"]] = forced(one["metadata"]["name"], own)
    return found


def forced(name: str, own: dict[str, str]) -> dict[str, str]:
    """The label that the API server sets, whatever the file says."""
    return {**own, "kubernetes.io/metadata.name": name}


def names(namespaces: dict[str, dict[str, str]], one: Document) -> dict[str, str]:
    return namespaces.get(home(one), forced(home(one), {}))


def home(one: Document) -> str:
    return str(one["metadata"].get("namespace") or "")


def is_workload(one: Document) -> bool:
    known = WORKLOADS.get(one["kind"])
    if known and one["apiVersion"] in REMOVED:
        raise Invalid(f"{one['kind']}: {one['apiVersion']} is no longer served, {known} is")
    return known is not None and known == str(one["apiVersion"])


def checked_policy(one: Document) -> bool:
    if one["kind"] == "NetworkPolicy" and one["apiVersion"] in REMOVED:
        raise Invalid(f"NetworkPolicy: {one['apiVersion']} is no longer served, networking.k8s.io/v1 is")
    check = POLICIES.get(f"{one['apiVersion']} {one['kind']}")
    if check is None:
        return False
    check(one)
    return True


def leave_open(one: Document) -> None:
    """`Undecidable` for a policy kind that cannot be read, or an object that may land in any namespace."""
    known = f"{one['apiVersion']} {one['kind']}" in POLICIES
    group = one["apiVersion"].rpartition("/")[0]
    if not known and group not in HARMLESS_GROUPS and SUSPECT.search(one["kind"]):
        raise Undecidable(f"{one['kind']} of {one['apiVersion']} may change who reaches whom, and is not understood")
    if (known or is_workload(one)) and one["kind"] in NAMESPACED and not home(one):
        raise Undecidable(f"{one['kind']} {one['metadata']['name']} names no namespace, and none was given")
