"""Routes: what an Ingress or a route of the Gateway API leads to is there, and may be led to from where it stands.

Sources: Kubernetes documentation, "Ingress"; Gateway API 1.4, HTTPRoute, ReferenceGrant, cross-namespace routing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts
from groundplan.proof.manifests import documents
from groundplan.proof.model import selectors

GATEWAY = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
Led = tuple[facts.Path, str, dict[str, Any]]
"""Where a backend is written, the namespace of the service it names, and the backend."""


def gateway_routes(known: facts.Facts) -> Iterator[documents.Document]:
    """The routes of the Gateway API."""
    return (each for each in known.of(*ROUTES) if each.group == GATEWAY)


def backends(known: facts.Facts, route: documents.Document) -> Iterator[Led]:
    """Every service that a route of the Gateway API leads to."""
    for number, rule in enumerate(fields.items(fields.inner(route.data, "spec").get("rules"))):
        for place, each in enumerate(fields.items(rule.get("backendRefs"))):
            if each.get("kind", "Service") == "Service" and not each.get("group"):
                path = ("spec", "rules", number, "backendRefs", place)
                yield path, str(each.get("namespace") or known.namespace(route)), each


def led_to(known: facts.Facts) -> set[tuple[str, str]]:
    """Namespace and name of every service that an Ingress or a route leads to."""
    found = {
        (known.namespace(each), str(backend.get("name", "")))
        for each in known.of("Ingress")
        for _, _, _, backend in _paths(each)
    }
    for route in gateway_routes(known):
        found |= {(namespace, str(each.get("name", ""))) for _, namespace, each in backends(known, route)}
    return found


def ingresses(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every Ingress leads to a service and a port of it; no host and path twice."""
    seen: dict[tuple[str, str, str], str] = {}
    for each in known.of("Ingress"):
        for path, host, where, backend in _paths(each):
            port = fields.inner(backend, "port")
            yield from _backend(known, each, path, known.namespace(each), backend, port.get("number"), port.get("name"))
            key = (str(fields.inner(each.data, "spec").get("ingressClassName")), host, where)
            if where and key in seen:
                served = f"{host or 'every host'}{where}"
                what = f"{facts.title(each, known.default)} serves {served}, as does {seen[key]}"
                why = "which of them counts is not defined"
                yield facts.finding("GP519", each, path, what, why, "remove one of them")
            seen.setdefault(key, facts.title(each, known.default))


def _paths(each: documents.Document) -> Iterator[tuple[facts.Path, str, str, dict[str, Any]]]:
    spec = fields.inner(each.data, "spec")
    if "defaultBackend" in spec:
        yield ("spec", "defaultBackend"), "", "", fields.inner(spec, "defaultBackend", "service")
    for number, rule in enumerate(fields.items(spec.get("rules"))):
        for place, path in enumerate(fields.items(fields.inner(rule, "http").get("paths"))):
            where: facts.Path = ("spec", "rules", number, "http", "paths", place)
            said = f"{path.get('path') or '/'} ({path.get('pathType')})"
            yield where, str(rule.get("host") or ""), said, fields.inner(path, "backend", "service")


def _backend(
    known: facts.Facts, each: documents.Document, path: facts.Path, namespace: str, backend: dict[str, Any],
    number: Any, name: Any,
) -> Iterator[findings.Finding]:  # fmt: skip
    if not backend.get("name"):
        return
    title, service = facts.title(each, known.default), known.service(namespace, str(backend["name"]))
    if service is None:
        what = f"{title} leads to Service {namespace}/{backend['name']}, which is not there"
        yield facts.finding("GP512", each, path, what, remedy="correct the name, or add the service")
    elif service.kind != "ExternalName" and not any(
        number == one.port or (name and name == one.name) for one in service.ports
    ):
        what = f"{title} leads to port {number or name or '(none)'} of {service.title}"
        have = ", ".join(str(one.port) for one in service.ports) or "no ports"
        yield facts.finding("GP512", each, path, what, f"the service has {have}", "correct the port")


def gateways(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every route of the Gateway API leads to a service that lets it, and hangs on a gateway that takes it."""
    for route in gateway_routes(known):
        for path, namespace, each in backends(known, route):
            yield from _backend(known, route, path, namespace, each, each.get("port"), None)
            if namespace != known.namespace(route) and not _granted(known, route, namespace, str(each.get("name"))):
                what = f"{facts.title(route, known.default)} leads to Service {namespace}/{each.get('name')}"
                why = f"nothing in namespace {namespace} grants that to {route.kind}s of {known.namespace(route)}"
                remedy = f"add a ReferenceGrant to namespace {namespace}"
                yield facts.finding("GP520", route, path, what, why, remedy)
        yield from _parents(known, route)


def _granted(known: facts.Facts, route: documents.Document, namespace: str, service: str) -> bool:
    for grant in known.of("ReferenceGrant"):
        spec = fields.inner(grant.data, "spec")
        asked = (GATEWAY, route.kind, known.namespace(route))
        given = [(one.get("group"), one.get("kind"), one.get("namespace")) for one in fields.items(spec.get("from"))]
        targets = fields.items(spec.get("to"))
        to = any(one.get("kind") == "Service" and one.get("name") in (None, "", service) for one in targets)
        if known.namespace(grant) == namespace and asked in given and to:
            return True
    return False


def _parents(known: facts.Facts, route: documents.Document) -> Iterator[findings.Finding]:
    if not any(each.group == GATEWAY for each in known.of("Gateway")):
        return  # gateways come from elsewhere
    for number, each in enumerate(fields.items(fields.inner(route.data, "spec").get("parentRefs"))):
        if each.get("kind", "Gateway") != "Gateway":
            continue
        path: facts.Path = ("spec", "parentRefs", number)
        namespace, title = str(each.get("namespace") or known.namespace(route)), facts.title(route, known.default)
        gateway = known.get("Gateway", namespace, str(each.get("name")))
        if gateway is None:
            what = f"{title} names Gateway {namespace}/{each.get('name')}, which is not there"
            yield facts.finding("GP513", route, path, what, "it serves nothing", "correct name or namespace")
        elif not _taken(known, route, gateway, each):
            what = f"no listener of Gateway {namespace}/{gateway.name} takes {title}"
            why = "their names, ports, hostnames and allowedRoutes leave it out"
            yield facts.finding("GP520", route, path, what, why, "correct parentRefs, or let the listener allow it")


def _taken(known: facts.Facts, route: documents.Document, gateway: documents.Document, parent: dict[str, Any]) -> bool:
    hosts = fields.words(fields.inner(route.data, "spec").get("hostnames"))
    for each in fields.items(fields.inner(gateway.data, "spec").get("listeners")):
        named = parent.get("sectionName") in (None, each.get("name")) and parent.get("port") in (None, each.get("port"))
        host = str(each.get("hostname") or "")
        heard = not hosts or not host or any(_meet(host, one) for one in hosts)
        if named and heard and _allowed(known, route, gateway, each):
            return True
    return False


def _allowed(
    known: facts.Facts, route: documents.Document, gateway: documents.Document, listener: dict[str, Any]
) -> bool:
    allowed = fields.inner(listener, "allowedRoutes")
    kinds = [each.get("kind") for each in fields.items(allowed.get("kinds"))]
    if kinds and route.kind not in kinds:
        return False
    said = fields.inner(allowed, "namespaces")
    own = known.namespace(route)
    if said.get("from", "Same") == "Same":
        return own == known.namespace(gateway)
    if said.get("from") == "Selector":
        terms = facts.terms(said.get("selector"))
        return selectors.matches(terms, known.model.namespaces.get(own, {})) is not False
    return True


def _meet(one: str, other: str) -> bool:
    """Do two hostnames have a name in common? `*.` stands for one label or more at the left."""
    if one.startswith("*.") and other.startswith("*."):
        return one.endswith(other[1:]) or other.endswith(one[1:])
    if one.startswith("*."):
        return other.endswith(one[1:]) and other != one[1:]
    return one == other if not other.startswith("*.") else _meet(other, one)


LINTS = (ingresses, gateways)
