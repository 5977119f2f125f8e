"""Workloads as pods: every replica a pod of its own.

Sources: kubernetes.io/docs/concepts/workloads (where the template sits) and
kubernetes.io/docs/reference/labels-annotations-taints (labels that controllers add); the hashes and unique
identifiers among them are known to be present, never by value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from tests.proof.naive import labels, ports, truth
from tests.proof.naive.refusals import Invalid

KINDS = ("Pod", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob")


@dataclasses.dataclass(frozen=True)
class Pod:
    namespace: str
    workload: str
    kind: str
    number: int
    labels: labels.Labels = dataclasses.field(hash=False)
    annotations: dict[str, Any] = dataclasses.field(hash=False)
    namespace_labels: dict[str, str] = dataclasses.field(hash=False)
    ports: tuple[ports.Named, ...]
    host_network: bool
    service_account: str

    @property
    def name(self) -> tuple[str, str, str, int]:
        return (self.namespace, self.workload, self.kind, self.number)


def of(document: dict[str, Any], namespace: str, namespace_labels: dict[str, str]) -> Iterator[Pod]:
    """Every pod that `document`, a workload or a bare pod, may have."""
    kind, metadata = document["kind"], document["metadata"]
    template = template_of(document)
    inner, spec = template.get("metadata") or {}, template.get("spec") or {}
    where = f"{kind} {namespace}/{metadata['name']}"
    own = labels.checked(inner.get("labels"), where)
    for number in range(count(document)):
        yield Pod(
            namespace=namespace,
            workload=metadata["name"],
            kind=kind,
            number=number,
            labels={**own, **added(document, number)},
            annotations=inner.get("annotations") or {},
            namespace_labels=namespace_labels,
            ports=ports.named(spec, where),
            host_network=spec.get("hostNetwork") is True,
            service_account=spec.get("serviceAccountName") or spec.get("serviceAccount") or "default",
        )


def template_of(document: dict[str, Any]) -> dict[str, Any]:
    """The pod template: the document itself for a Pod, two templates down for a CronJob."""
    if document["kind"] == "Pod":
        return document
    spec = document.get("spec") or {}
    if document["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    template = spec.get("template")
    if not isinstance(template, dict):
        raise Invalid(f"{document['kind']} {document['metadata']['name']}: no pod template")
    return template


def count(document: dict[str, Any]) -> int:
    """How many pods to tell apart: at least one, since what has no replicas now may have them later."""
    kind, spec = document["kind"], document.get("spec") or {}
    if kind == "Pod":
        return 1
    if kind == "DaemonSet":
        return 2  # one a node; two are enough to tell a pod from its neighbour's
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    if kind in ("Job", "CronJob"):
        indexed = spec.get("completionMode") == "Indexed"
        return max(whole(spec.get("completions" if indexed else "parallelism"), 1), 1)
    return max(whole(spec.get("replicas"), 1), 1)


def whole(value: Any, absent: int) -> int:
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid(f"{value!r} is no number of pods")
    return value


def added(document: dict[str, Any], number: int) -> labels.Labels:
    """The labels that the workload's controller sets on its pod, over whatever the template says."""
    name, spec = document["metadata"]["name"], document.get("spec") or {}
    match document["kind"]:
        case "Deployment":
            return {"pod-template-hash": secret("pod-template-hash")}
        case "DaemonSet":
            return {"controller-revision-hash": secret("controller-revision-hash")}
        case "StatefulSet":
            return ordinal(name, number + whole((spec.get("ordinals") or {}).get("start"), 0))
        case "Job":
            return job(name, spec, number)
        case "CronJob":
            inner = (spec.get("jobTemplate") or {}).get("spec") or {}
            return job(secret("job-name"), inner, number)
        case _:
            return {}


def ordinal(name: str, number: int) -> labels.Labels:
    return {
        "statefulset.kubernetes.io/pod-name": f"{name}-{number}",
        "apps.kubernetes.io/pod-index": str(number),
        "controller-revision-hash": secret("controller-revision-hash"),
    }


def job(name: str | truth.Unknown, spec: dict[str, Any], number: int) -> labels.Labels:
    known: dict[str, str | truth.Unknown] = dict.fromkeys(("job-name", "batch.kubernetes.io/job-name"), name)
    for key in ("controller-uid", "batch.kubernetes.io/controller-uid"):
        known[key] = secret(key)
    if spec.get("completionMode") == "Indexed":
        known["batch.kubernetes.io/job-completion-index"] = str(number)
    return known


def secret(key: str) -> truth.Unknown:
    return truth.Unknown(f"only a controller knows the value of the label {key}")
