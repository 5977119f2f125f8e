"""What lints look at: the cluster, its objects by kind, and pod specs wherever they stand."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from groundplan.proof import cluster, fields, findings
from groundplan.proof.lint import codes
from groundplan.proof.manifests import documents
from groundplan.proof.model import kinds, selectors, workloads
from groundplan.proof.model import services as services_

Path = tuple[str | int, ...]


class Container(msgspec.Struct, frozen=True):
    """One container, with the list it is in."""

    spec: dict[str, Any]
    path: Path
    kind: str
    """`containers`, `initContainers` or `ephemeralContainers`."""

    @property
    def name(self) -> str:
        """As written."""
        return str(self.spec.get("name", "?"))

    @property
    def stays(self) -> bool:
        """Does it go on running beside the others?"""
        return self.kind == "containers" or self.spec.get("restartPolicy") == "Always"


class Pod(msgspec.Struct, frozen=True):
    """A pod spec, wherever it stands."""

    document: documents.Document
    spec: dict[str, Any]
    path: Path
    labels: dict[str, str]
    namespace: str

    @property
    def title(self) -> str:
        """Kind, namespace and name."""
        return title(self.document, self.namespace)

    def containers(self) -> Iterator[Container]:
        """All of them, init and ephemeral ones too."""
        for kind in ("initContainers", "containers", "ephemeralContainers"):
            for number, each in enumerate(fields.items(self.spec.get(kind))):
                yield Container(each, (*self.path, kind, number), kind)


def title(document: documents.Document, namespace: str = "") -> str:
    """Kind, namespace and name."""
    where = "" if document.kind in kinds.CLUSTER_SCOPED else document.metadata.get("namespace") or namespace
    return f"{document.kind} {where}/{document.name}" if where else f"{document.kind} {document.name}"


_SPECS: dict[str, Path] = {"Pod": ("spec",), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec")}


class Facts:
    """Everything that lints ask."""

    def __init__(self, whole: cluster.Cluster) -> None:
        self.cluster, self.model = whole, whole.model
        self.default = whole.options.default_namespace or ""

    @functools.cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Every pod spec."""
        return tuple(self._pod(each) for each in self.model.everything if (each.group, each.kind) in kinds.WORKLOADS)

    def _pod(self, document: documents.Document) -> Pod:
        path = _SPECS.get(document.kind, ("spec", "template", "spec"))
        around = fields.inner(document.data, *(str(step) for step in path[:-1]))
        labels = fields.inner(around, "metadata", "labels")
        return Pod(document, fields.inner(around, str(path[-1])), path, labels, self.namespace(document))

    def namespace(self, document: documents.Document) -> str:
        """Where an object goes."""
        return str(document.metadata.get("namespace") or self.default)

    @functools.cached_property
    def _kinds(self) -> dict[str, list[documents.Document]]:
        found: dict[str, list[documents.Document]] = {}
        for each in self.model.everything:
            found.setdefault(each.kind, []).append(each)
        return found

    def of(self, *some: str) -> Iterator[documents.Document]:
        """Objects of these kinds."""
        for kind in some:
            yield from self._kinds.get(kind, ())

    @functools.cached_property
    def _names(self) -> dict[tuple[str, str, str], documents.Document]:
        return {(each.kind, self.namespace(each), each.name): each for each in self.model.everything}

    def get(self, kind: str, namespace: str, name: str) -> documents.Document | None:
        """One object by name."""
        return self._names.get((kind, namespace, name))

    @functools.cached_property
    def _workloads(self) -> dict[int, workloads.Workload]:
        return {id(each.document): each for each in self.model.workloads}

    def workload(self, document: documents.Document) -> workloads.Workload | None:
        """What an object makes."""
        return self._workloads.get(id(document))

    @functools.cached_property
    def _numbered(self) -> dict[str, list[tuple[workloads.Workload, int]]]:
        found: dict[str, list[tuple[workloads.Workload, int]]] = {}
        for number, each in enumerate(self.cluster.universe.classes):
            for member in each.members:
                found.setdefault(member.namespace, []).append((member, number))
        return found

    def numbered(self, *namespaces: str) -> Iterator[tuple[workloads.Workload, int]]:
        """The workloads of these namespaces, or of all, each with the number of its class."""
        for name in namespaces or self._numbered:
            yield from self._numbered.get(name, ())

    @functools.cached_property
    def _services(self) -> dict[str, list[services_.Service]]:
        found: dict[str, list[services_.Service]] = {}
        for each in self.model.services:
            found.setdefault(each.namespace, []).append(each)
        return found

    def services(self, namespace: str) -> list[services_.Service]:
        """The services of a namespace."""
        return self._services.get(namespace, [])

    def service(self, namespace: str, name: str) -> services_.Service | None:
        """One service by name."""
        return next((each for each in self.services(namespace) if each.name == name), None)

    def led_to(self, pod: Pod) -> bool:
        """Does a service lead to it? One that is there to be scraped, by the names of its ports, leads nobody."""
        found = self.workload(pod.document)
        return found is not None and any(
            each.selects(found) and not (each.ports and all("metrics" in port.name for port in each.ports))
            for each in self.services(pod.namespace)
        )

    def peopled(self, namespace: str) -> bool:
        """Are its pods among the documents? A namespace that is declared and has none gets them from elsewhere."""
        return bool(self.cluster.neighbours(namespace)) or namespace not in self.model.declared

    @functools.cached_property
    def scalers(self) -> dict[tuple[str, str, str], documents.Document]:
        """Autoscalers by kind, namespace and name of what they scale."""
        found = {}
        for each in self.of("HorizontalPodAutoscaler"):
            target = fields.inner(each.data, "spec", "scaleTargetRef")
            found[str(target.get("kind")), self.namespace(each), str(target.get("name"))] = each
        return found

    def selected(self, namespace: str, selector: Any) -> list[workloads.Workload]:
        """The workloads of a namespace that a label selector of an object selects."""
        wanted = terms(selector)
        return [
            each for each in self.cluster.neighbours(namespace)
            if selectors.matches(wanted, each.labels) is not False
        ]  # fmt: skip


def terms(selector: Any) -> selectors.Selector:
    """A label selector of any object; what is none selects everything."""
    labels = fields.inner(selector, "matchLabels")
    found = [selectors.Term(str(key), "In", (str(value),)) for key, value in labels.items()]
    for each in fields.items(fields.inner({"it": selector}, "it").get("matchExpressions")):
        values = tuple(sorted(fields.words(each.get("values"))))
        found.append(selectors.Term(str(each.get("key")), str(each.get("operator")), values))
    return tuple(found)


def finding(
    code: str, document: documents.Document, path: Path, what: str, why: str = "", remedy: str = "", namespace: str = ""
) -> findings.Finding:
    """A finding at a field of an object."""
    severity, meaning = codes.CODES[code]
    return findings.Finding(
        code,
        what,
        document.place(*path),
        why or meaning,
        remedy,
        title(document, namespace),
        fields.dotted(path),
        severity,
    )


Lint = Iterable[findings.Finding]
