"""Services: how a component is found. A name that resolves to every replica lets gRPC clients spread their calls.

Whoever scrapes finds pods through a Service too, each pod through exactly one: the component's own has a port for it,
and what nobody calls (a worker, an exporter) has a headless one for that alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from groundplan.kubernetes import clusters, drafts, exporters, names
from groundplan.model import component, service
from groundplan.shapes import objects, ports, workloads
from groundplan.telemetry import targets

_METRICS = "metrics"
"""The port that only whoever scrapes calls."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """One for each program that is called, each engine, and whatever else is scraped."""
    watched = targets.of(cluster.plan) if targets.is_monitored(cluster.plan) else ()
    found = {target.job: target for target in watched if target.exports.monitored}
    for each in cluster.plan.components:
        if each.ports.keys() - {_METRICS} and _is_ours(each, cluster):
            scraped, peers = found.pop(each.name, None), cluster.peers(each.name)
            hidden = {*(() if scraped else (_METRICS,)), *(peers.alone if peers else ())}
            _serve(each, each.ports.keys() - hidden, cluster, draft)
            if peers:
                _introduce(each, draft)
    for target in found.values():
        if target.job in draft.pods:
            _show(target, draft)


def _serve(each: component.Component, opened: Iterable[str], cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    headless = cluster.is_headless(each.name)
    body = {
        **({"clusterIP": "None"} if headless else {}),
        "type": "ClusterIP",
        "selector": draft.labels(each.name),
        "ports": [_port(name, each.ports[name], headless=headless) for name in sorted(opened)],
    }
    draft.add("v1 Service", each.name, {"spec": body}, each.origin, namespace=each.namespace)


def _show(target: targets.Target, draft: drafts.Draft) -> None:
    exporter = target.exports.exporter
    name = exporters.PORT if exporter else target.exports.port
    port = ports.Http(exporter.port) if exporter else target.owner.ports[name]
    body = {
        "clusterIP": "None",
        "type": "ClusterIP",
        "selector": draft.labels(target.job),
        "ports": [_port(name, port, headless=True)],
    }
    made, space = f"{target.job}{names.METRICS}", target.namespace
    draft.add("v1 Service", made, {"spec": body}, target.owner.origin, namespace=space, component=target.job)


def _introduce(each: component.Component, draft: drafts.Draft) -> None:
    """By which replicas of an engine find each other."""
    body = {
        "clusterIP": "None",
        "type": "ClusterIP",
        # One that joins is not ready before others have found it.
        "publishNotReadyAddresses": True,
        "selector": draft.labels(each.name),
        "ports": [_port(name, port, headless=True) for name, port in sorted(each.ports.items())],
    }
    # Its labels are its own: whoever scrapes by those of the engine finds each replica once.
    draft.add("v1 Service", f"{each.name}{names.PEERS}", {"spec": body}, each.origin, namespace=each.namespace)


def _is_ours(each: component.Component, cluster: clusters.Cluster) -> bool:
    return isinstance(each, service.Program) or isinstance(cluster.answers.get(each.name), workloads.Engine)


def _port(name: str, port: ports.Port, *, headless: bool) -> objects.Tree:
    return {
        "name": name,
        "protocol": "UDP" if port.speaks == "udp" else "TCP",
        "port": port.number if headless else port.exposed,
        "targetPort": name,
    }
