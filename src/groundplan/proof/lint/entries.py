"""Entries: who must get in gets in, as the engine has it: outside traffic, the API server's calls, and scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import connections, fields, findings, intervals
from groundplan.proof.lint import facts, monitors, routes
from groundplan.proof.manifests import documents
from groundplan.proof.model import services, workloads
from groundplan.proof.reach import result

WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
NODE_PORTS = range(30000, 32768)
"""The API server's default range."""


def entries(known: facts.Facts) -> Iterator[findings.Finding]:
    """Whoever leads outside traffic to pods finds them open to somebody."""
    led = routes.led_to(known)
    for service in known.model.services:
        if service.kind not in ("NodePort", "LoadBalancer") and (service.namespace, service.name) not in led:
            continue
        for each, number in known.numbered(service.namespace):
            for place, port in enumerate(service.ports if service.selects(each) else ()):
                for connection in _shut(known, each, number, port):
                    what = f"outside traffic to Service {service.title} stops at {each.title}"
                    why = f"no policy lets anybody connect to it on {connection}"
                    remedy = "allow the ingress controller's namespace, or the outside, to connect"
                    path: facts.Path = ("spec", "ports", place)
                    yield facts.finding("GP429", service.document, path, what, why, remedy)


def webhooks(known: facts.Facts) -> Iterator[findings.Finding]:
    """The API server finds the services that it calls, and the pods behind them let it in."""
    for each, path, said in _called(known):
        namespace, name, port = str(said.get("namespace")), str(said.get("name")), said.get("port") or 443
        service, title = known.service(namespace, name), facts.title(each)
        if service is None:
            if namespace in known.model.declared:
                what = f"{title} calls Service {namespace}/{name}, which is not there"
                why = "every request that it is asked about fails, unless failurePolicy is Ignore"
                yield facts.finding("GP513", each, path, what, why, "correct the name, or add the service")
            continue
        led = [one for one in service.ports if one.port == port]
        if not led:
            what = f"{title} calls port {port} of Service {namespace}/{name}, which it has not"
            yield facts.finding("GP511", each, path, what, "it never answers", "correct the port")
        for member, place in known.numbered(namespace):
            for one in led if service.selects(member) else ():
                for connection in _shut(known, member, place, one):
                    what = f"the API server cannot call {title} at {member.title}"
                    why = f"no policy lets anybody connect to it on {connection}"
                    yield facts.finding("GP431", each, path, what, why, f"allow ingress on {connection}")


def _called(known: facts.Facts) -> Iterator[tuple[documents.Document, facts.Path, dict[str, Any]]]:
    """What the API server calls: webhooks that admit or convert, and APIs that somebody else serves."""
    found: list[tuple[documents.Document, facts.Path, dict[str, Any]]] = []
    for each in known.of(*WEBHOOKS):
        for number, webhook in enumerate(fields.items(each.data.get("webhooks"))):
            said = fields.inner(webhook, "clientConfig", "service")
            found.append((each, ("webhooks", number, "clientConfig", "service"), said))
    for each in known.of("CustomResourceDefinition"):
        said = fields.inner(each.data, "spec", "conversion", "webhook", "clientConfig", "service")
        found.append((each, ("spec", "conversion", "webhook", "clientConfig", "service"), said))
    served = ((each, fields.inner(each.data, "spec", "service")) for each in known.of("APIService"))
    found.extend((each, ("spec", "service"), said) for each, said in served)
    return (one for one in found if one[2])


def scrapes(known: facts.Facts) -> Iterator[findings.Finding]:
    """What a monitor selects lets somebody scrape it."""
    for target in monitors.targets(known):
        for member, place in known.numbered(target.workload.namespace):
            if member.document is target.workload.document:
                for connection in _shut(known, member, place, target.port):
                    what = f"{target.title} scrapes {member.title}, which lets nobody in"
                    why = f"no policy lets anybody connect to it on {connection}"
                    remedy = f"allow Prometheus to connect on {connection}"
                    yield facts.finding("GP431", target.document, target.path, what, why, remedy)


def _shut(known: facts.Facts, each: workloads.Workload, number: int, port: services.ServicePort) -> Iterator[str]:
    if each.host_network:
        return
    for target in services.targets(port, each):
        connection = connections.number(port.protocol, target)
        if not (_admitted(known.cluster.reach(), number, connection) or _awaited(known, each, number, connection)):
            yield f"{port.protocol} {target}"


def _admitted(reach: result.Reach, number: int, connection: int) -> bool:
    me = 1 << number
    for piece in reach.ingress.pieces:
        if piece.subjects & me and piece.peers & ~me and intervals.contains(piece.ports, connection):
            return True
    return False


def _awaited(known: facts.Facts, each: workloads.Workload, number: int, connection: int) -> bool:
    """Whether a policy lets pods in that are not among the documents: the controller may come with a chart."""
    table = known.cluster.index
    for policy in known.cluster.near(each.namespace):
        if not table.own(policy.namespace, policy.subjects)[1] & 1 << number:
            continue
        for rule in policy.ingress or ():
            if rule.ports.names or intervals.contains(rule.ports.numbers, connection):
                peers = [peer for peer in rule.peers or () if peer.block is None]
                if any(not table.peers(policy.namespace, (peer,))[1] for peer in peers):
                    return True
    return False


def node_ports(known: facts.Facts) -> Iterator[findings.Finding]:
    """A port of the nodes is one service's, is in their range, and is meant."""
    taken: dict[tuple[str, int], str] = {}
    for service in known.model.services:
        if service.kind == "NodePort":
            what = f"Service {service.title} opens a port on every node"
            why = "whoever reaches a node reaches it, past the ingress controller and its TLS"
            remedy = "use a ClusterIP behind an Ingress or a Gateway"
            yield facts.finding("GP432", service.document, ("spec", "type"), what, why, remedy)
        for number, port in enumerate(service.ports):
            path: facts.Path = ("spec", "ports", number, "nodePort")
            holder = taken.setdefault((port.protocol, port.node_port), service.title) if port.node_port else ""
            if port.node_port and holder != service.title:
                what = f"Service {service.title} asks for node port {port.node_port}, as does {holder}"
                yield facts.finding("GP596", service.document, path, what, "the second is refused", "choose another")
            elif port.node_port and port.node_port not in NODE_PORTS:
                what = f"Service {service.title} asks for node port {port.node_port}"
                why = f"node ports are {NODE_PORTS[0]} to {NODE_PORTS[-1]}, unless the API server is told otherwise"
                yield facts.finding("GP596", service.document, path, what, why, "choose one of these, or none")


LINTS = (entries, webhooks, scrapes, node_ports)
