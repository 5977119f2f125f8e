"""References: what names another object finds it, and lists hold a name once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts
from groundplan.proof.manifests import documents
from groundplan.proof.model import owners
from groundplan.proof.model import services as services_

MADE_BY = {"Secret": ("ExternalSecret", "SealedSecret", "Certificate", "VaultStaticSecret", "SecretProviderClass")}
"""Kinds whose objects make others of the same name, or of one they say."""


def services(known: facts.Facts) -> Iterator[findings.Finding]:
    """Services select pods, and their target ports exist."""
    for service in known.model.services:
        chosen = [each for each in known.cluster.neighbours(service.namespace) if service.selects(each)]
        if service.selector and not chosen:
            what = f"Service {service.title} selects no pod"
            path: facts.Path = ("spec", "selector")
            yield facts.finding(
                "GP510", service.document, path, what, remedy="correct the selector or the pods' labels"
            )
        for number, port in enumerate(service.ports):
            missing = [each for each in chosen if each.ports and not _listens(port, each)]
            if chosen and len(missing) == len(chosen):
                what = f"Service {service.title} leads {port.protocol} {port.port} to {port.target}, which no pod has"
                why = f"{missing[0].title} has {_listed(missing[0])}"
                path = ("spec", "ports", number)
                yield facts.finding("GP511", service.document, path, what, why, "correct targetPort")


def _listens(port: services_.ServicePort, workload: Any) -> bool:
    if isinstance(port.target, str):
        return bool(services_.targets(port, workload))
    return any((protocol, number) == (port.protocol, port.target) for _, protocol, number in workload.ports)


def _listed(workload: Any) -> str:
    return ", ".join(
        f"{protocol} {number}" + (f" ({name})" if name else "") for name, protocol, number in workload.ports
    )


def mentioned(known: facts.Facts) -> Iterator[findings.Finding]:
    """Accounts, config maps, secrets and claims that pods name are there, and so are the keys."""
    for pod in known.pods:
        for kind, name, key, path in mentions(pod):
            found = known.get(kind, pod.namespace, name)
            if found is None and not _made(known, kind, pod.namespace, name):
                what = f"{pod.title} names {kind} {name}, which is not there"
                remedy = f"add {kind} {pod.namespace}/{name}, or mark the reference optional"
                yield facts.finding("GP513", pod.document, path, what, "its pods will not start", remedy, pod.namespace)
            elif found is not None and key and key not in _keys(found):
                what = f"{pod.title} names key {key} of {kind} {name}, which has none such"
                have = ", ".join(sorted(_keys(found))[:6]) or "no key"
                yield facts.finding(
                    "GP513", pod.document, path, what, f"it has {have}", "correct the key", pod.namespace
                )


def _keys(document: documents.Document) -> set[str]:
    return {str(key) for field in ("data", "stringData", "binaryData") for key in fields.inner(document.data, field)}


def _made(known: facts.Facts, kind: str, namespace: str, name: str) -> bool:
    if (kind, name) in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")):
        return True
    if kind == "PersistentVolumeClaim" and any(name in _claims(each) for each in _stateful(known, namespace)):
        return True
    return maker(known, kind, namespace, name) is not None


def maker(known: facts.Facts, kind: str, namespace: str, name: str) -> documents.Document | None:
    """The object whose controller makes another, as an ExternalSecret makes a Secret."""
    for each in known.of(*MADE_BY.get(kind, ())):
        said = fields.inner(each.data, "spec")
        target = fields.inner(said, "target").get("name") or said.get("secretName") or each.name
        if known.namespace(each) == namespace and target == name:
            return each
    return None


def _stateful(known: facts.Facts, namespace: str) -> list[documents.Document]:
    return [each for each in known.of("StatefulSet") if known.namespace(each) == namespace]


def _claims(stateful: documents.Document) -> set[str]:
    """The claims that its controller makes, one a template and replica.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage
    """
    spec = fields.inner(stateful.data, "spec")
    said = spec.get("replicas"), fields.inner(spec, "ordinals").get("start")
    number, first = (each if isinstance(each, int) else default for each, default in zip(said, (1, 0), strict=True))
    names = [fields.inner(each, "metadata").get("name") for each in fields.items(spec.get("volumeClaimTemplates"))]
    return {
        f"{name}-{stateful.name}-{ordinal}" for name in names for ordinal in range(first, first + min(number, 10_000))
    }


def mentions(pod: facts.Pod) -> Iterator[tuple[str, str, str, facts.Path]]:
    """Kind, name and key of everything that a pod does not start without, and where it says so."""
    account = pod.spec.get("serviceAccountName")
    if account:
        yield "ServiceAccount", str(account), "", (*pod.path, "serviceAccountName")
    for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
        yield from _volume(volume, (*pod.path, "volumes", number))
    for container in pod.containers():
        for number, env in enumerate(fields.items(container.spec.get("env"))):
            source = fields.inner(env, "valueFrom")
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                said = fields.inner(source, field)
                if said.get("name") and not said.get("optional"):
                    yield kind, str(said["name"]), str(said.get("key", "")), (*container.path, "env", number)
        for number, source in enumerate(fields.items(container.spec.get("envFrom"))):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                said = fields.inner(source, field)
                if said.get("name") and not said.get("optional"):
                    yield kind, str(said["name"]), "", (*container.path, "envFrom", number)


def _volume(volume: dict[str, Any], path: facts.Path) -> Iterator[tuple[str, str, str, facts.Path]]:
    for number, source in enumerate(fields.items(fields.inner(volume, "projected").get("sources"))):
        yield from _source(source, (*path, "projected", "sources", number), "name")
    yield from _source(volume, path, "secretName")


def _source(volume: dict[str, Any], path: facts.Path, secret: str) -> Iterator[tuple[str, str, str, facts.Path]]:
    for field, kind, word in (
        ("configMap", "ConfigMap", "name"), ("secret", "Secret", secret),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ):  # fmt: skip
        said = fields.inner(volume, field)
        if said.get(word) and not said.get("optional"):
            for key in [str(each.get("key")) for each in fields.items(said.get("items"))] or [""]:
                yield kind, str(said[word]), key, path


def selection(known: facts.Facts) -> Iterator[findings.Finding]:
    """Workloads select their own pods, and nobody else's."""
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    selecting = [each for each in known.pods if each.document.kind in kinds and not owners.controlled(each.document)]
    for pod in selecting:
        selector = fields.inner(pod.document.data, "spec").get("selector")
        chosen = known.selected(pod.namespace, selector)
        path: facts.Path = ("spec", "selector")
        if not any(each.document is pod.document for each in chosen):
            what = f"{pod.title} does not select its own pods"
            why = "the API server refuses a selector that its template's labels do not match"
            yield facts.finding("GP514", pod.document, path, what, why, "make template labels and selector agree")
        for each in chosen:
            if each.document is not pod.document and each.kind in kinds and not owners.controlled(each.document):
                what = f"{pod.title} also selects the pods of {each.title}"
                yield facts.finding(
                    "GP515", pod.document, path, what, "they will fight over them", "tell them apart by a label"
                )


def headless(known: facts.Facts) -> Iterator[findings.Finding]:
    """The service of a stateful set is there, and headless."""
    for each in known.of("StatefulSet"):
        name, namespace = fields.inner(each.data, "spec").get("serviceName"), known.namespace(each)
        service = known.service(namespace, str(name))
        if name and (service is None or not service.headless):
            state = "no headless one" if service else "not there"
            what = f"{facts.title(each, namespace)} names Service {name}, which is {state}"
            remedy = "add a Service with clusterIP: None"
            yield facts.finding(
                "GP516", each, ("spec", "serviceName"), what, "its pods get no names of their own", remedy
            )


def mounts(known: facts.Facts) -> Iterator[findings.Finding]:
    """What a container mounts is a volume of its pod."""
    for pod in known.pods:
        claims = fields.items(fields.inner(pod.document.data, "spec").get("volumeClaimTemplates"))
        held = {str(each.get("name")) for each in fields.items(pod.spec.get("volumes"))}
        held |= {str(fields.inner(each, "metadata").get("name")) for each in claims}
        for container in pod.containers():
            for number, each in enumerate(fields.items(container.spec.get("volumeMounts"))):
                if str(each.get("name")) not in held:
                    what = f"{pod.title}: container {container.name} mounts {each.get('name')}, which is no volume"
                    have = ", ".join(sorted(held)) or "no volume"
                    path = (*container.path, "volumeMounts", number)
                    why, remedy = f"the pod has {have}", "correct the name, or add the volume"
                    yield facts.finding("GP513", pod.document, path, what, why, remedy, pod.namespace)


def twice(known: facts.Facts) -> Iterator[findings.Finding]:
    """Variables, volumes, mounts, containers and ports are there once."""
    for pod in known.pods:
        yield from _twice(pod, pod.spec, pod.path, "volumes", "name")
        names: set[str] = set()
        ports: dict[tuple[str, Any], str] = {}
        for container in pod.containers():
            yield from _twice(pod, container.spec, container.path, "env", "name")
            yield from _twice(pod, container.spec, container.path, "volumeMounts", "mountPath")
            yield from _twice(pod, container.spec, container.path, "ports", "name")
            if container.name in names:
                what = f"{pod.title} has two containers called {container.name}"
                path: facts.Path = (*container.path, "name")
                yield facts.finding("GP518", pod.document, path, what, "it is refused", "rename one", pod.namespace)
            names.add(container.name)
            yield from _listening(pod, container, ports)
    for service in known.model.services:
        seen: set[tuple[str, int]] = set()
        for number, port in enumerate(service.ports):
            if (port.protocol, port.port) in seen:
                what = f"Service {service.title} has port {port.protocol} {port.port} twice"
                path = ("spec", "ports", number)
                yield facts.finding("GP518", service.document, path, what, "it is refused", "remove one of them")
            seen.add((port.protocol, port.port))


def _listening(
    pod: facts.Pod, container: facts.Container, ports: dict[tuple[str, Any], str]
) -> Iterator[findings.Finding]:
    """The containers of a pod that run beside each other share its ports."""
    for number, each in enumerate(fields.items(container.spec.get("ports")) if container.stays else ()):
        key = (str(each.get("protocol") or "TCP"), str(each.get("containerPort")))
        if ports.setdefault(key, container.name) != container.name:
            what = f"{pod.title}: containers {ports[key]} and {container.name} both listen on {key[0]} {key[1]}"
            path = (*container.path, "ports", number)
            why = "they share the pod's address, so the second one to start fails"
            yield facts.finding("GP518", pod.document, path, what, why, "give one another port", pod.namespace)


def _twice(
    pod: facts.Pod, around: dict[str, Any], path: facts.Path, field: str, word: str
) -> Iterator[findings.Finding]:
    seen: set[str] = set()
    for number, each in enumerate(fields.items(around.get(field))):
        name = str(each.get(word) or "")
        if name and name in seen:
            what = f"{pod.title} has {word} {name} twice in {field}"
            where = (*path, field, number)
            yield facts.finding(
                "GP518", pod.document, where, what, "the last one wins, or it is refused", "remove one of them"
            )
        seen.add(name)


LINTS = (services, mentioned, selection, headless, mounts, twice)
