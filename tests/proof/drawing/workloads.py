"""Namespaces, workloads of every kind, and the objects beside them that decide nothing."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.proof.drawing import words
from tests.proof.drawing.words import Document

KINDS = ("Pod", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob")
VERSIONS = {"Pod": "v1", "ReplicationController": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}


@st.composite
def namespaces(draw: st.DrawFn, mesh: bool) -> list[Document]:
    """A Namespace object for some of the names, one of which may lie about its own."""
    found = []
    for name in words.NAMESPACES:
        if draw(st.integers(0, 3)) == 0:
            continue
        metadata: Document = {"name": name}
        own = draw(words.often(words.labels(), st.none()))
        if own is not None:
            metadata["labels"] = {**own, **draw(extra_labels(mesh))}
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    return found


def extra_labels(mesh: bool) -> st.SearchStrategy[dict[str, str]]:
    liar = {"kubernetes.io/metadata.name": "elsewhere"}
    member = st.sampled_from(({"istio-injection": "enabled"}, {"istio.io/dataplane-mode": "ambient"}, {}))
    return words.often(member if mesh else st.just({}), st.just(liar), 6)


@st.composite
def workloads(draw: st.DrawFn, name: str) -> Document:
    kind = draw(st.sampled_from(KINDS))
    own = {**draw(words.labels(least=1)), "name": name}
    metadata: Document = {"name": name, "namespace": draw(st.sampled_from(words.LIKELY_NAMESPACES))}
    inner = {"metadata": {"labels": own}, "spec": draw(pod_specs(kind))}
    document: Document = {"apiVersion": VERSIONS.get(kind, "apps/v1"), "kind": kind, "metadata": metadata}
    if kind == "Pod":
        return {**document, "metadata": {**metadata, "labels": own}, "spec": inner["spec"]}
    metadata["labels"] = {"app": "a"}  # the workload's own labels are no pod's
    if kind == "CronJob":
        return {**document, "spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": inner}}}}
    return {**document, "spec": {"template": inner, **draw(controller_specs(kind, own))}}


@st.composite
def controller_specs(draw: st.DrawFn, kind: str, own: dict[str, str]) -> Document:
    if kind == "Job":
        indexed = st.just({"completionMode": "Indexed", "completions": 2})
        return draw(st.one_of(st.just({}), st.just({"parallelism": 2}), indexed))
    selector: Document = {"selector": own if kind == "ReplicationController" else {"matchLabels": own}}
    if kind == "DaemonSet":
        return selector
    if draw(st.integers(0, 3)):
        selector["replicas"] = draw(st.integers(0, 2))
    if kind == "StatefulSet":
        selector["serviceName"] = own["name"]
        if draw(st.booleans()):
            selector["ordinals"] = {"start": 1}
    return selector


@st.composite
def pod_specs(draw: st.DrawFn, kind: str) -> Document:
    count = draw(st.integers(1, 2))
    spec: Document = {"containers": [draw(containers(f"c{number}")) for number in range(count)]}
    if kind in ("Job", "CronJob"):
        spec["restartPolicy"] = "Never"
    if draw(st.integers(0, 5)) == 0:
        spec["hostNetwork"] = draw(words.often(st.just(True), st.just(False), 2))
    if draw(st.integers(0, 5)) == 0:
        spec["serviceAccountName"] = draw(st.sampled_from(("one", "two")))
    if draw(st.integers(0, 4)) == 0:
        restart = draw(st.sampled_from(({"restartPolicy": "Always"}, {})))
        spec["initContainers"] = [{**draw(containers("init")), **restart}]
    return spec


@st.composite
def containers(draw: st.DrawFn, name: str) -> Document:
    """Names are unique within a container, and free to mean other numbers in the next."""
    container: Document = {"name": name, "image": f"example.com/{name}:1"}
    listed = draw(
        st.lists(container_ports(), max_size=2, unique_by=lambda port: port.get("name", port["containerPort"]))
    )
    return {**container, "ports": listed} if listed else container


@st.composite
def container_ports(draw: st.DrawFn) -> Document:
    port: Document = {"containerPort": draw(st.sampled_from(words.PORTS))}
    if draw(st.integers(0, 3)):
        port["name"] = draw(st.sampled_from(words.PORT_NAMES))
    if draw(st.booleans()):
        port["protocol"] = draw(st.sampled_from(words.PROTOCOLS))
    return port


@st.composite
def services(draw: st.DrawFn, name: str) -> Document:
    """A Service whose labels and port names look like a pod's."""
    metadata = {"name": name, "namespace": draw(st.sampled_from(words.NAMESPACES)), "labels": draw(words.labels())}
    port = {"name": "http", "port": draw(st.sampled_from(words.PORTS)), "targetPort": "http"}
    spec = {"selector": {"app": draw(st.sampled_from(words.VALUES))}, "ports": [port]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
