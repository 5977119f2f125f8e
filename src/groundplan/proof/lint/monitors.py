"""Monitors: each selects something, the ports that it names are there, and no pod is scraped twice.

Source: Prometheus Operator, API reference of monitoring.coreos.com/v1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts
from groundplan.proof.manifests import documents
from groundplan.proof.model import selectors, services, workloads

GROUP = "monitoring.coreos.com"
KINDS = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}


class Target(msgspec.Struct, frozen=True):
    """A port of a workload that a monitor scrapes."""

    document: documents.Document
    title: str
    path: facts.Path
    workload: workloads.Workload
    port: services.ServicePort
    through: str
    """The service that leads there; the pods themselves where no service does."""
    asks: tuple[str, str]
    """The path that is asked for, and its parameters."""


def _monitors(known: facts.Facts) -> Iterator[documents.Document]:
    return (each for each in known.of(*KINDS) if each.group == GROUP)


def _namespaces(known: facts.Facts, monitor: documents.Document) -> list[str]:
    said = fields.inner(monitor.data, "spec", "namespaceSelector")
    if said.get("any") is True:
        return sorted(known.model.namespaces)
    return fields.words(said.get("matchNames")) or [known.namespace(monitor)]


def _endpoints(monitor: documents.Document) -> Iterator[tuple[facts.Path, dict[str, Any]]]:
    field = KINDS[monitor.kind]
    for number, each in enumerate(fields.items(fields.inner(monitor.data, "spec").get(field))):
        yield ("spec", field, number), each


def _services(known: facts.Facts, monitor: documents.Document) -> list[services.Service]:
    wanted = facts.terms(fields.inner(monitor.data, "spec").get("selector"))
    found = (each for namespace in _namespaces(known, monitor) for each in known.services(namespace))
    return [
        each for each in found
        if selectors.matches(wanted, fields.inner(each.document.metadata, "labels")) is not False
    ]  # fmt: skip


def _pods(known: facts.Facts, monitor: documents.Document) -> list[workloads.Workload]:
    selector = fields.inner(monitor.data, "spec").get("selector")
    return [each for namespace in _namespaces(known, monitor) for each in known.selected(namespace, selector)]


def _held(known: facts.Facts, monitor: documents.Document) -> list[services.Service] | list[workloads.Workload]:
    return _services(known, monitor) if monitor.kind == "ServiceMonitor" else _pods(known, monitor)


def selecting(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every monitor selects something, and every port it names is there."""
    for each in _monitors(known):
        namespaces, title = _namespaces(known, each), facts.title(each, known.default)
        held = _held(known, each)
        if not held:
            # What a namespace without pods here holds comes from elsewhere, and so may what this is for.
            if any(known.cluster.neighbours(name) for name in namespaces):
                kind = "service" if each.kind == "ServiceMonitor" else "pod"
                what = f"{title} selects no {kind} in {', '.join(namespaces[:3])}"
                remedy = f"correct selector or namespaceSelector: it asks for the labels of {kind}s"
                yield facts.finding("GP556", each, ("spec", "selector"), what, "nothing is scraped", remedy)
            continue
        for path, endpoint in _endpoints(each):
            port = endpoint.get("port")
            names = {name for one in held for name in _names(one)}
            if port and str(port) not in names:
                what = f"{title} scrapes port {port}, which nothing that it selects has"
                have = ", ".join(sorted(names)) or "no named port"
                yield facts.finding("GP557", each, path, what, f"there is {have}", "correct the port's name")


def _names(one: services.Service | workloads.Workload) -> Iterator[str]:
    if isinstance(one, services.Service):
        return (port.name for port in one.ports if port.name)
    return (name for name, _, _ in one.ports if name)


def targets(known: facts.Facts) -> Iterator[Target]:
    """Every port of a workload that a monitor scrapes."""
    for each in _monitors(known):
        title = facts.title(each, known.default)
        for path, endpoint in _endpoints(each):
            name = str(endpoint.get("port") or "")
            asks = str(endpoint.get("path") or "/metrics"), json.dumps(endpoint.get("params") or {}, default=str)
            for one in _held(known, each) if name else ():
                through = f"Service {one.title}" if isinstance(one, services.Service) else "its pods"
                for member, port in _behind(known, one, name):
                    yield Target(each, title, path, member, port, through, asks)


def _behind(
    known: facts.Facts, one: services.Service | workloads.Workload, name: str
) -> Iterator[tuple[workloads.Workload, services.ServicePort]]:
    if isinstance(one, workloads.Workload):
        numbers = ((protocol, number) for named, protocol, number in one.ports if named == name)
        yield from ((one, services.ServicePort(name, protocol, number, number)) for protocol, number in numbers)
        return
    for member in known.cluster.neighbours(one.namespace):
        if one.selects(member):
            yield from ((member, port) for port in one.ports if port.name == name)


def once(known: facts.Facts) -> Iterator[findings.Finding]:
    """No port of a workload is scraped twice for the same."""
    first: dict[tuple[int, str, int, tuple[str, str]], Target] = {}
    told: set[tuple[str, str, str]] = set()
    for each in targets(known):
        for number in services.targets(each.port, each.workload):
            other = first.setdefault((id(each.workload), each.port.protocol, number, each.asks), each)
            pair = (each.title, other.title, each.workload.title)
            if other is not each and pair not in told:
                told.add(pair)
                by = f"{other.title}, through {other.through}, and {each.title}, through {each.through}"
                if other.title == each.title:
                    by = f"{each.title} through {other.through} and {each.through}"
                what = f"{each.workload.title} is scraped twice on {number}: by {by}"
                why = (
                    "each sample is kept twice, and every sum over them is too large, unless two Prometheus share them"
                )
                remedy = "let one service have the port, or one monitor select it"
                yield facts.finding("GP560", each.document, each.path, what, why, remedy)


LINTS = (selecting, once)
