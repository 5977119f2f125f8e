"""From documents to a model: every object read once, every refusal found."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from groundplan.proof import fields, findings
from groundplan.proof.manifests import documents
from groundplan.proof.model import (
    cilium,
    istio,
    kinds,
    owners,
    policies,
    services,
    shapes,
    statements,
    tiers,
    workloads,
)  # fmt: skip

NAME_LABEL = "kubernetes.io/metadata.name"


class Model(msgspec.Struct, frozen=True, eq=False):
    """What a set of manifests says."""

    everything: tuple[documents.Document, ...]
    namespaces: dict[str, dict[str, str]]
    """Every namespace that is declared or used, with its labels."""
    declared: frozenset[str]
    """Namespaces that have an object; of the others only the name is known."""
    workloads: tuple[workloads.Workload, ...]
    policies: tuple[policies.Policy, ...]
    services: tuple[services.Service, ...]
    beside: tuple[statements.Policy, ...]
    """Policies of kinds beside NetworkPolicy v1."""
    mesh: tuple[istio.Authorization, ...]
    """Istio's, which only take away."""
    unread: tuple[documents.Document, ...]
    """Objects that could change who reaches whom and that nothing here reads."""
    findings: tuple[findings.Finding, ...]
    left_out: tuple[documents.Document, ...] = ()
    """What controllers among the others made, and pods that have ended; in none of the above."""


BESIDE: dict[tuple[str, str], tuple[str, ...]] = {
    ("policy.networking.k8s.io", "AdminNetworkPolicy"): ("v1alpha1",),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): ("v1alpha1",),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"): ("v1alpha2",),
    ("cilium.io", "CiliumNetworkPolicy"): ("v2",),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"): ("v2",),
    ("security.istio.io", "AuthorizationPolicy"): ("v1", "v1beta1"),
}
"""Kinds beside NetworkPolicy v1 that are read, in the versions that are."""


class _Builder:
    def __init__(self, default_namespace: str | None) -> None:
        self.default = default_namespace
        self.labels: dict[str, dict[str, str]] = {}
        self.declared: set[str] = set()
        self.workloads: list[workloads.Workload] = []
        self.policies: list[policies.Policy] = []
        self.services: list[services.Service] = []
        self.beside: list[statements.Policy] = []
        self.mesh: list[istio.Authorization] = []
        self.unread: list[documents.Document] = []
        self.scaled: set[tuple[str, str, str]] = set()
        """Namespace, kind and name of what autoscalers scale."""
        self.said: list[findings.Finding] = []
        self.groups: dict[str, str] = {}
        self.seen: dict[tuple[str, str, str, str], documents.Document] = {}

    def add(self, document: documents.Document) -> None:
        # The common case is written out: there may be a hundred thousand of them.
        data = document.data
        kind, version, metadata = data["kind"], data["apiVersion"], data.get("metadata")
        group = self.groups.get(version)
        if group is None:
            group = self.groups[version] = version.rpartition("/")[0]
        metadata = metadata if isinstance(metadata, dict) else {}
        namespace, name = metadata.get("namespace"), metadata.get("name")
        if not isinstance(namespace, str) or not namespace or kind in kinds.CLUSTER_SCOPED:
            home = self.home(document)
            if home is None:
                return
            namespace = home
        key = (group, kind, namespace, name if isinstance(name, str) else "")
        if self.seen.setdefault(key, document) is not document:
            self.twice(document, namespace)
        try:
            if (group, kind) in kinds.WORKLOADS:
                self.workloads.append(workloads.read(document, kind, namespace))
            else:
                self.read(document, group, kind, namespace)
        except ValueError as error:
            code = "GP401" if (group, kind) in BESIDE else _REFUSALS.get(kind, "GP404")
            self.refuse(code, document, str(error))

    def read(self, document: documents.Document, group: str, kind: str, namespace: str) -> None:
        if kind == "NetworkPolicy" and group in ("networking.k8s.io", "extensions"):
            self.policy(document, namespace)
        elif kind == "Service" and not group:
            self.services.append(services.read(document, namespace))
        elif kind == "Namespace" and not group:
            self.own(document)
        elif kind == "HorizontalPodAutoscaler" and group == "autoscaling":
            self.scales(document, namespace)
        elif document.data["apiVersion"].rpartition("/")[2] in BESIDE.get((group, kind), ()):
            self.other(document, namespace)
        elif kinds.filters(group, kind):
            self.unread.append(document)

    def scales(self, document: documents.Document, namespace: str) -> None:
        most, target = (fields.inner(document.data, "spec").get(word) for word in ("maxReplicas", "scaleTargetRef"))
        if isinstance(most, int) and most > 1:
            self.scaled.update(
                (namespace, str(each.get("kind")), str(each.get("name"))) for each in fields.items([target])
            )

    def several(self, each: workloads.Workload) -> workloads.Workload:
        """A workload with one replica as written has several pods where an autoscaler may say so."""
        scaled = (each.namespace, each.kind, each.name) in self.scaled
        return msgspec.structs.replace(each, many=True) if scaled else each

    def own(self, document: documents.Document) -> None:
        shape: shapes.Namespace = shapes.convert(document.data, shapes.Namespace)
        labels, name = shape.metadata.labels or {}, shape.metadata.name or ""
        workloads.check_labels(labels)
        # The API server sets this label whatever the file says (KEP-2161).
        self.labels[name] = {**labels, NAME_LABEL: name}
        self.declared.add(name)

    def policy(self, document: documents.Document, namespace: str) -> None:
        policy, wrong = policies.read(document, namespace)
        self.policies.append(policy)
        for field, why in wrong:
            self.refuse("GP401", document, why, field)
        for direction in policy.dead:
            self.dead(policy, direction)

    def other(self, document: documents.Document, namespace: str) -> None:
        try:
            self.beside_v1(document, namespace)
        except (TypeError, AttributeError, KeyError) as error:
            # Their fields are read as they come; one of the wrong kind shows as Python's own complaint.
            raise ValueError(f"a field of spec is of the wrong kind: {error}") from None

    def beside_v1(self, document: documents.Document, namespace: str) -> None:
        wrong: list[tuple[str, str]]
        if document.kind == "AuthorizationPolicy":
            found, wrong = istio.read(document, namespace)
            self.mesh.extend([found] if found else [])
        else:
            several, wrong = cilium.read(document, namespace) if document.group == "cilium.io" else tiers.read(document)
            self.beside.extend(several)
        for field, why in wrong:
            self.refuse("GP401", document, why, field)

    def dead(self, policy: policies.Policy, direction: str) -> None:
        place = policy.document.place("spec", direction.lower())
        what = f"{policy.title} has {direction.lower()} rules that never apply"
        remedy = f"add {direction} to spec.policyTypes, or remove the rules"
        self.said.append(findings.Finding(
            "GP411", what, place, f"spec.policyTypes leaves {direction} out", remedy,
            f"NetworkPolicy {policy.title}", f"spec.{direction.lower()}",
        ))  # fmt: skip

    def home(self, document: documents.Document) -> str | None:
        if document.kind in kinds.CLUSTER_SCOPED:
            return ""
        if self.default or not _matters(document):
            return self.default or ""
        what = f"{document.kind} {document.name} has no namespace"
        why = "whoever applies it decides, and so decides which policies hold"
        remedy = "write metadata.namespace, or say --namespace NAME"
        self.said.append(findings.Finding("GP403", what, document.place("metadata"), why, remedy))
        return None

    def twice(self, document: documents.Document, namespace: str) -> None:
        name = document.metadata.get("name")
        if not isinstance(name, str) or not name:
            return  # it is refused elsewhere, or gets a name of its own when it is made
        first = self.seen[document.group, document.kind, namespace, name]
        what = f"{document.kind} {namespace + '/' if namespace else ''}{name} is there twice"
        why = f"the other is at {first.place('metadata', 'name')}; the last one applied wins"
        remedy = "keep one of them"
        self.said.append(findings.Finding("GP402", what, document.place("metadata", "name"), why, remedy))

    def refuse(self, code: str, document: documents.Document, why: str, field: str = "") -> None:
        name = f"{document.kind} {document.metadata.get('namespace', self.default or '')}/{document.name}"
        place = document.place(*steps(field))
        what = f"{name} is refused" + (f" at {field}" if field else "")
        self.said.append(findings.Finding(code, what, place, why, "correct the field", name, field))

    def model(self, everything: tuple[documents.Document, ...], left_out: tuple[documents.Document, ...]) -> Model:
        used = {each.namespace for each in self.workloads}
        used |= {each.namespace for each in self.policies} | {each.namespace for each in self.services}
        for name in used - self.labels.keys():
            self.labels[name] = {NAME_LABEL: name}
        made = map(self.several, self.workloads) if self.scaled else self.workloads
        return Model(
            everything, self.labels, frozenset(self.declared), tuple(made), tuple(self.policies),
            tuple(self.services), tuple(self.beside), tuple(self.mesh), tuple(self.unread), tuple(self.said),
            left_out,
        )  # fmt: skip


_REFUSALS = {"NetworkPolicy": "GP401", "Namespace": "GP405", "Service": "GP406"}


def _matters(document: documents.Document) -> bool:
    key = (document.group, document.kind)
    policy = key in BESIDE or document.kind == "NetworkPolicy" or kinds.filters(*key)
    return key in kinds.WORKLOADS or policy or key == ("", "Service")


def steps(field: str) -> tuple[str | int, ...]:
    """`spec.ingress[0].from` as the steps of a path."""
    found: list[str | int] = []
    for part in field.replace("]", "").split(".") if field else ():
        name, *numbers = part.split("[")
        found.extend([name, *map(int, numbers)])
    return tuple(found)


def build(everything: Iterable[documents.Document], default_namespace: str | None = None) -> Model:
    """The model of all documents."""
    builder = _Builder(default_namespace)
    kept, left_out = owners.apart(tuple(everything))
    for document in kept:
        builder.add(document)
    return builder.model(kept, left_out)
