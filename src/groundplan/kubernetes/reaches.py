"""Every flow of an environment: the edges as declared, and what follows from the way a cluster works."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from typing import NamedTuple, cast

from groundplan.kubernetes import clusters, configuration, drafts, flows, names, settings
from groundplan.model import component, entries, external, rights
from groundplan.shapes import workloads
from groundplan.telemetry import targets

_DNS = flows.Pods("kube-system", (("k8s-app", "kube-dns"),), "kube-dns")
_NAMES = (flows.Port(53, "TCP"), flows.Port(53, "UDP"))  # long answers come by TCP
_API_PORTS = (flows.Port(443), flows.Port(6443))
_API_SERVER = "API server"


def all_of(cluster: clusters.Cluster, draft: drafts.Draft) -> Iterator[flows.Flow]:
    """Every flow, by the workload that opens it."""
    found: list[flows.Flow] = []
    for pod in draft.pods.values():
        found += _of_pod(pod, cluster, draft)
    found += [*_entries(cluster, draft), *_guests(cluster, draft), *_scrapes(cluster, draft)]
    for name, chart_ in draft.charts.items():
        found += _of_chart(name, chart_, cluster)
    for name, part in draft.parts.items():
        found += _to_store(part, callers(name, cluster), cluster, draft)
    yield from found
    ours = {space.name for space in cluster.plan.namespaces}
    opening = {flow.source: flow.origin for flow in found if isinstance(flow.source, flows.Pods)}
    whole = {source.namespace for source in opening if not source.labels}
    for source, origin in opening.items():
        # Where a chart's pods may all ask for names, nobody's own policy says it again.
        if source.namespace in ours and (not source.labels or source.namespace not in whole):
            yield flows.Flow(source, _DNS, _NAMES, "names", origin, "names")


def pods(name: str, namespace: str, draft: drafts.Draft) -> flows.Pods:
    """The pods of one of our workloads."""
    return flows.Pods(namespace, tuple(sorted(draft.labels(name).items())), name)


def chart(name: str, cluster: clusters.Cluster) -> flows.Pods:
    """The pods that a chart installs, as far as edges lead to and from them."""
    answer = cast(workloads.Chart, cluster.answers[name])
    return flows.Pods(cluster.components[name].namespace or "", answer.pods, name)


def callers(name: str, cluster: clusters.Cluster) -> flows.Pods:
    """The pods of a chart that call outward."""
    answer = cast(workloads.Chart, cluster.answers[name])
    what = f"{name}{names.CALLERS}" if answer.callers else name
    return flows.Pods(cluster.components[name].namespace or "", answer.callers or answer.pods, what)


def end_of(name: str, cluster: clusters.Cluster, draft: drafts.Draft) -> flows.Pods | None:
    """The pods behind a component; None where nothing runs."""
    if name in draft.pods:
        return pods(name, draft.pods[name].namespace, draft)
    return chart(name, cluster) if name in draft.charts else None


def _of_pod(pod: drafts.Pod, cluster: clusters.Cluster, draft: drafts.Draft) -> Iterator[flows.Flow]:
    source, origin = pods(pod.name, pod.namespace, draft), str(pod.origin)
    for edge in pod.owner.edges if pod.name == pod.owner.name else ():
        yield from _of_edge(edge, source, cluster, draft)
    if pod.opens:
        target = pods(pod.owner.name, pod.namespace, draft)
        numbers = tuple(flows.Port(pod.owner.ports[name].number) for name in pod.opens)
        yield flows.Flow(source, target, numbers, f"{pod.name} → {pod.owner.name}", origin, "step")
    yield from _to_store(pod, source, cluster, draft)
    peers = cluster.peers(pod.name)
    if peers and peers.replicas > 1:
        numbers = tuple(flows.Port(port.number) for port in pod.owner.ports.values())
        yield flows.Flow(source, source, numbers, f"{pod.name} → its peers", origin, "peers")
    if pod.place:
        port = flows.Port(urllib.parse.urlsplit(pod.place.endpoint).port or 443)
        bucket = f"bucket {pod.place.bucket}"
        for addresses in _ranges(tuple(pod.place.cidrs), cluster, bucket):
            yield flows.Flow(source, addresses, (port,), f"{pod.name} → {bucket}", origin, "backup")
    if pod.cluster_role:
        yield from _to_api_server(source, cluster, f"{pod.name} → API server", origin)


def _to_store(
    pod: drafts.Pod, source: flows.Pods, cluster: clusters.Cluster, draft: drafts.Draft
) -> Iterator[flows.Flow]:
    server = cluster.store.server if cluster.store else None
    if server and configuration.is_secret(pod):
        kept, name = server
        target, port = pods(kept.name, kept.namespace or "", draft), flows.Port(kept.ports[name].number)
        yield flows.Flow(source, target, (port,), f"{pod.name} → its secrets", str(pod.origin), "secrets")


def _of_edge(
    edge: component.Edge, source: flows.Pods, cluster: clusters.Cluster, draft: drafts.Draft
) -> Iterator[flows.Flow]:
    target, why, origin = edge.right.target, f"{edge.source.name} → {edge.right}", str(edge.origin)
    if isinstance(edge.right, rights.Reach):
        port = flows.Port(edge.right.external.port.number)
        for addresses in outside(edge.right.external, cluster):
            yield flows.Flow(source, addresses, (port,), why, origin, "edge")
    elif isinstance(target, component.Component):
        end = end_of(target.name, cluster, draft)
        numbers = tuple(_port(target, name) for name in edge.right.opens)
        if end and numbers:
            yield flows.Flow(source, end, numbers, why, origin, "edge")


def _port(owner: component.Component, name: str) -> flows.Port:
    shape = owner.ports[name]
    return flows.Port(shape.number, "UDP" if shape.speaks == "udp" else "TCP")


def outside(thing: external.External, cluster: clusters.Cluster) -> tuple[flows.Range, ...]:
    """The addresses of an external: those given, or every public one."""
    found = cluster.environment.own(thing, "cidrs") if thing.kind == "external" else None
    return _ranges(tuple(cast(list[str], found.value)) if found else (), cluster, thing.name)


def _ranges(given: tuple[str, ...], cluster: clusters.Cluster, what: str) -> tuple[flows.Range, ...]:
    """The addresses given, or every public one; `what` is there."""
    named = tuple(flows.Range(str(each), what=what) for each in sorted(given))
    return named or _public(cluster, what)


def _public(cluster: clusters.Cluster, what: str) -> tuple[flows.Range, ...]:
    own = settings.cluster_ranges(cluster.environment)
    four = tuple(sorted({*settings.PRIVATE, *(each for each in own if ":" not in each)}))
    six = tuple(sorted({*settings.PRIVATE_6, *(each for each in own if ":" in each)}))
    return flows.Range("0.0.0.0/0", four, what), flows.Range("::/0", six, what)


def _to_api_server(source: flows.Pods, cluster: clusters.Cluster, why: str, origin: str) -> Iterator[flows.Flow]:
    for cidr in settings.api_server(cluster.environment):
        yield flows.Flow(source, flows.Range(cidr, what=_API_SERVER), _API_PORTS, why, origin, "api server")


def _entries(cluster: clusters.Cluster, draft: drafts.Draft) -> Iterator[flows.Flow]:
    for entry in cluster.plan.entries:
        for path, endpoint in entry.routes:
            source = end_of(entry.controller.name, cluster, draft)
            target = end_of(endpoint.owner.name, cluster, draft)
            if source and target:
                why = f"entry {path} → {endpoint.owner.name}:{endpoint.name}"
                port = (_port(endpoint.owner, endpoint.name),)
                yield flows.Flow(source, target, port, why, str(entry.origin), "entry")
                gateway = settings.gateway(cluster.environment)
                if gateway:
                    through = flows.Pods(gateway[0])
                    yield flows.Flow(through, target, port, f"gateway {why}", str(entry.origin), "entry")


class Guest(NamedTuple):
    """Pods that the controller of `chart` starts beside an entry, and the port on which they are called."""

    chart: str
    pods: flows.Pods
    port: int
    entry: entries.Entry


def guests(cluster: clusters.Cluster, draft: drafts.Draft) -> tuple[Guest, ...]:
    """Those of every chart, once a namespace."""
    found: dict[tuple[str, flows.Pods], Guest] = {}
    for name, answer in draft.charts.items():
        for entry in cluster.plan.entries if answer.guest else ():
            for _, endpoint in entry.routes:
                shape = cast(workloads.Guest, answer.guest)
                end = flows.Pods(endpoint.owner.namespace or "", shape.labels, f"{name}{names.GUESTS}")
                found.setdefault((name, end), Guest(name, end, shape.port, entry))
    return tuple(found.values())


def _guests(cluster: clusters.Cluster, draft: drafts.Draft) -> Iterator[flows.Flow]:
    for guest in guests(cluster, draft):
        source = end_of(guest.entry.controller.name, cluster, draft)
        if source:
            why = f"entry → what {guest.chart} starts beside it"
            yield flows.Flow(source, guest.pods, (flows.Port(guest.port),), why, str(guest.entry.origin), "entry")


def _scrapes(cluster: clusters.Cluster, draft: drafts.Draft) -> Iterator[flows.Flow]:
    for name in (name for name, answer in draft.charts.items() if answer.scrapes):
        source, scraper = chart(name, cluster), cluster.components[name]
        for target in (each for each in targets.of(cluster.plan) if each.exports.monitored):
            end = end_of(target.job, cluster, draft)
            if end:
                told = target.exports.exporter
                port = flows.Port(told.port) if told else _port(target.owner, target.exports.port)
                why = f"{scraper.name} scrapes {target.job}"
                yield flows.Flow(source, end, (port,), why, str(scraper.origin), "scrape")


def _of_chart(name: str, answer: workloads.Chart, cluster: clusters.Cluster) -> Iterator[flows.Flow]:
    """Its pods among each other, to the API server and back, and the world where it is let in."""
    owner = cluster.components[name]
    own, everything, origin = chart(name, cluster), flows.Pods(owner.namespace or ""), str(owner.origin)
    yield flows.Flow(everything, everything, (), f"{answer.source.name} within itself", origin, "chart")
    yield from _to_api_server(everything, cluster, f"{answer.source.name} → API server", origin)
    for number in answer.webhooks:
        for cidr in settings.api_server(cluster.environment):
            caller = flows.Range(cidr, what=_API_SERVER)
            yield flows.Flow(caller, everything, (flows.Port(number),), "API server → webhook", origin, "api server")
    for cidr in settings.nodes(cluster.environment) if answer.nodes else ():
        numbers = tuple(flows.Port(number) for number in answer.nodes)
        yield flows.Flow(
            own, flows.Range(cidr, what="nodes"), numbers, f"{answer.source.name} → nodes", origin, "chart"
        )
    for addresses in _public(cluster, "internet") if answer.outward else ():
        numbers = tuple(flows.Port(number) for number in answer.outward)
        yield flows.Flow(callers(name, cluster), addresses, numbers, f"{answer.source.name} → outside", origin, "chart")
    if answer.world:
        numbers = tuple(flows.Port(owner.ports[port].number) for port in answer.world)
        yield flows.Flow(flows.Anyone(), own, numbers, "world → entry", origin, "entry")
