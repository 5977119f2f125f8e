"""Workloads: whatever makes pods, seen as the pods it makes.

Labels come from the pod template, and a bare pod is its own. Controllers add labels of their own: predictable ones
are written in, the others are known to be present with a value nobody can know.
Sources: Kubernetes documentation, "Well-Known Labels, Annotations and Taints"; StatefulSet, "Pod name label" and
"Pod index label"; Jobs, "Completion mode".
"""

from __future__ import annotations

import functools

import msgspec

from groundplan.proof.manifests import documents
from groundplan.proof.model import kinds, selectors, shapes

Port = tuple[str, str, int]
"""Name, protocol, number."""

POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
NUMBERED = frozenset((POD_NAME, POD_INDEX, COMPLETION_INDEX))
"""Labels that differ between the pods of one workload, predictably."""
MOST = 1_000_000
"""Pods of one workload: Kubernetes supports 150,000 in a cluster ("Considerations for large clusters"), and each may
have to be told apart."""
TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_HASHES: dict[str, tuple[str, ...]] = {
    "Deployment": ("pod-template-hash",),
    "StatefulSet": ("controller-revision-hash",),
    "DaemonSet": ("controller-revision-hash", "pod-template-generation"),
    "Job": ("controller-uid", "batch.kubernetes.io/controller-uid"),
    "CronJob": ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"),
}


class Workload(msgspec.Struct, gc=False, frozen=True, eq=False):
    """What one object makes: pods that are alike but for numbered labels."""

    namespace: str
    name: str
    kind: str
    labels: dict[str, str]
    ports: tuple[Port, ...]
    host_network: bool
    count: int
    """How many pods; 0 is kept, since a workload scaled to nothing is still a potential peer."""
    document: documents.Document
    addresses: tuple[str, ...] = ()
    """Pod addresses, where a status tells them."""
    account: str = "default"
    many: bool = False
    """May there be two of its pods at once?"""
    first: int = 0
    """The first ordinal."""

    @property
    def title(self) -> str:
        """`namespace/name[Kind]`."""
        return f"{self.namespace}/{self.name}[{self.kind}]"


def read(document: documents.Document, kind: str, namespace: str) -> Workload:
    """The workload of a document; raises ValueError that says what the API server would refuse."""
    data = document.data
    if kind == "Pod":
        return _pod(document, shapes.convert(data, shapes.Pod), namespace)
    _check_version(document)
    if kind == "CronJob":
        cron = shapes.convert(data, shapes.CronJob)
        return _templated(document, cron.metadata, cron.spec.job_template.spec, namespace)
    whole = shapes.convert(data, shapes.Workload)
    return _templated(document, whole.metadata, whole.spec, namespace)


def _check_version(document: documents.Document) -> None:
    served = kinds.WORKLOADS[document.group, document.kind]
    if document.data["apiVersion"] != served:
        raise ValueError(f"apiVersion {document.data['apiVersion']} of {document.kind} is not served: it is {served}")


def _pod(document: documents.Document, pod: shapes.Pod, namespace: str) -> Workload:
    labels = pod.metadata.labels or {}
    check_labels(labels)
    name = pod.metadata.name or pod.metadata.generate_name
    if not name:
        raise ValueError("it has no metadata.name")
    spec = pod.spec
    return Workload(
        namespace, name, "Pod", labels, ports(spec), spec.host_network is True, 1, document,
        _addresses(pod.status) if pod.status else (), spec.service_account_name or "default",
    )  # fmt: skip


def _addresses(status: shapes.PodStatus) -> tuple[str, ...]:
    several = tuple(each.ip for each in status.podIPs or () if each.ip)
    return several or ((status.podIP,) if status.podIP else ())


def _templated(
    document: documents.Document, metadata: shapes.Metadata, spec: shapes.WorkloadSpec, namespace: str
) -> Workload:
    kind, name = document.kind, metadata.name or metadata.generate_name
    if not name:
        raise ValueError("it has no metadata.name")
    written = (spec.template.metadata.labels if spec.template.metadata else None) or {}
    check_labels(written)
    pod, count = spec.template.spec, _count(kind, spec)
    return Workload(
        namespace, name, kind, {**written, **_added(kind, name, spec)}, ports(pod), pod.host_network is True, count,
        document, (), pod.service_account_name or "default", count > 1 or kind in ("DaemonSet", "CronJob"),
        (spec.ordinals.start if spec.ordinals else None) or 0,
    )  # fmt: skip


def _count(kind: str, spec: shapes.WorkloadSpec) -> int:
    wanted = spec.parallelism if kind in ("Job", "CronJob") else spec.replicas
    count = 1 if wanted is None else wanted
    if count < 0:
        raise ValueError(f"{count} replicas are fewer than none")
    if kind == "Job" and spec.completion_mode == "Indexed":
        count = max(count, spec.completions or 1)
    if count > MOST:
        raise ValueError(f"{count} pods are more than any cluster holds")
    return count


def _added(kind: str, name: str, spec: shapes.WorkloadSpec) -> dict[str, str]:
    added = dict.fromkeys(_HASHES.get(kind, ()), selectors.UNKNOWN)
    if kind == "StatefulSet":
        added |= {POD_NAME: selectors.UNKNOWN, POD_INDEX: selectors.UNKNOWN}
    if kind == "Job":
        added |= {"job-name": name, "batch.kubernetes.io/job-name": name}
    if kind in ("Job", "CronJob") and spec.completion_mode == "Indexed":
        added[COMPLETION_INDEX] = selectors.UNKNOWN
    return added


def each(workload: Workload, numbered: bool) -> tuple[Workload, ...]:
    """The workload itself, or one for each pod where some selector asks for a numbered label."""
    if not numbered or not (NUMBERED & workload.labels.keys()):
        return (workload,)
    last = workload.first + max(workload.count, 1)
    return tuple(_one(workload, number) for number in range(workload.first, last))


def labels(workload: Workload, pod: int | None) -> dict[str, str]:
    """Labels as selectors see them; of one pod (from 0), its numbered labels too."""
    found = {**dict.fromkeys(TOPOLOGY, selectors.MAYBE), **workload.labels}
    if pod is None or not (NUMBERED & found.keys()):
        return found
    return {**found, **_one(workload, workload.first + pod).labels}


def _one(workload: Workload, number: int) -> Workload:
    name = f"{workload.name}-{number}"
    exact = {POD_NAME: name, POD_INDEX: str(number), COMPLETION_INDEX: str(number)}
    labels = {key: exact.get(key, value) for key, value in workload.labels.items()}
    return msgspec.structs.replace(workload, name=name, labels=labels, count=1, many=False)


_good: set[tuple[str, str]] = set()


def check_labels(labels: dict[str, str]) -> None:
    """Raises ValueError for a key or value that is none."""
    for pair in () if labels.items() <= _good else labels.items():
        if pair not in _good:
            if why := selectors.bad_key(pair[0]) or selectors.bad_value(pair[1]):
                raise ValueError(why)
            _good.add(pair)


def ports(spec: shapes.PodSpec) -> tuple[Port, ...]:
    """The named and numbered ports of every container that goes on running: restartable init containers too."""
    held = [each.ports for each in spec.containers or () if each.ports]
    held += [each.ports for each in spec.init_containers or () if each.restart_policy == "Always" and each.ports]
    return tuple([_port(port.name, port.protocol, port.container_port) for several in held for port in several])


@functools.lru_cache(maxsize=1 << 16)
def _port(name: str | None, protocol: str | None, number: int) -> Port:
    # Remembered, so that equal ports are one object.
    if not 1 <= number <= 65535:
        raise ValueError(f"containerPort {number} is none: ports are 1 to 65535")
    protocol = protocol or "TCP"
    if protocol not in ("TCP", "UDP", "SCTP"):
        raise ValueError(f"protocol {protocol!r} is none of TCP, UDP, SCTP")
    return name or "", protocol, number
