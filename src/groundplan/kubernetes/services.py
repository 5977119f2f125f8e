"""Services: how a component is found. A name that resolves to every replica lets gRPC clients spread their calls."""

from __future__ import annotations

from groundplan.kubernetes import clusters, drafts
from groundplan.model import component, service
from groundplan.shapes import objects, ports, workloads


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """One for each program that is called and each engine."""
    for each in cluster.plan.components:
        listens = {name: port for name, port in sorted(each.ports.items()) if name != "metrics"}
        if listens and _is_ours(each, cluster):
            headless = cluster.is_headless(each.name)
            body = {
                **({"clusterIP": "None"} if headless else {}),
                "type": "ClusterIP",
                "selector": draft.labels(each.name),
                "ports": [_port(name, port, headless=headless) for name, port in listens.items()],
            }
            draft.add("v1 Service", each.name, {"spec": body}, each.origin, namespace=each.namespace)


def _is_ours(each: component.Component, cluster: clusters.Cluster) -> bool:
    return isinstance(each, service.Program) or isinstance(cluster.answers.get(each.name), workloads.Engine)


def _port(name: str, port: ports.Port, *, headless: bool) -> objects.Tree:
    return {
        "name": name,
        "protocol": "UDP" if port.speaks == "udp" else "TCP",
        "port": port.number if headless else port.exposed,
        "targetPort": name,
    }
