"""The rules by which claims follow from a platform: what the author drew, and what every cluster adds."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from typing import cast

from groundplan.claims import world
from groundplan.model import component, external, resource, service, surroundings
from groundplan.proof import claims
from groundplan.shapes import ports, signals, workloads

Claims = Iterator[claims.Claim]


def _edges(here: world.World) -> Claims:
    """What the author drew."""
    for edge in here.plan.edges:
        target, origin, why = edge.right.target, str(edge.origin), f"{edge.source.name} → {edge.right}"
        if isinstance(target, external.External):
            addresses = _outside(target, here)
            yield claims.Claim(world.at(edge.source), addresses, f"TCP {target.port.number}", origin, why)
        elif isinstance(target, component.Component) and here.runs(target):
            for name in edge.right.opens:
                yield _call(world.at(edge.source), target, name, origin, why, here)


def _outside(thing: external.External, here: world.World) -> str:
    """The addresses of what lies outside: those that the environment names, or all public ones."""
    named = None if isinstance(thing, external.Internet) else here.env.own(thing, "cidrs")
    return ",".join(cast(list[str], named.value)) if named else here.public


def _call(
    source: str, target: component.Component, port: str, origin: str, why: str, here: world.World
) -> claims.Claim:
    """A connection to a port of a component, which is found by the component's name."""
    shape = target.ports[port]
    dialled = shape.number if here.is_headless(target) else shape.exposed
    through = "" if target in here.charts else f"{world.at(target)}:{dialled}"
    return claims.Claim(source, world.at(target), _number(shape), origin, why, through)


def _besides(here: world.World) -> Claims:
    """Steps, exporters and backups talk to their own engine, and backups go where the environment keeps them."""
    for each in here.besides:
        origin, engine = str(each.owner.origin), each.owner
        for port in each.calls:
            yield _call(each.at, engine, port, origin, f"{each.name} → {engine.name}", here)
        if each.place:
            number = urllib.parse.urlsplit(each.place.endpoint).port or 443
            why = f"{each.name} → bucket {each.place.bucket}"
            yield claims.Claim(each.at, ",".join(each.place.cidrs) or here.public, f"TCP {number}", origin, why)


def _peers(here: world.World) -> Claims:
    """Replicas of an engine that are several talk to each other, on all its ports, each by a name of its own."""
    for engine in here.engines:
        peers = here.peers(engine)
        if peers and peers.replicas > 1:
            for shape in engine.ports.values():
                through = f"{world.at(engine)}{workloads.PEERS}:{shape.number}"
                why = f"{engine.name} → its peers"
                at = world.at(engine)
                yield claims.Claim(at, at, _number(shape), str(engine.origin), why, through)


def _secrets(here: world.World) -> Claims:
    """Whoever holds a secret fetches it from the store."""
    store = here.store
    if store is None:
        return
    for holder, origin in _holders(here):
        yield _call(holder, *store, origin, f"{holder} → its secrets", here)


def _holders(here: world.World) -> Iterator[tuple[str, str]]:
    for program in here.plan.programs:
        # Who is called holds the keys that verify callers.
        around = surroundings.of(program, here.plan, here.env, here.plan.edges_to(program))
        if around.files:
            yield world.at(program), str(program.origin)
    for engine, answer in here.engines.items():
        if any(file.content.sensitive for file in answer.files):
            yield world.at(engine), str(engine.origin)
    yield from ((each.at, str(each.owner.origin)) for each in here.besides if each.secret)
    yield from ((here.calling(chart), str(chart.origin)) for chart, answer in here.charts.items() if answer.reads)


def _entries(here: world.World) -> Claims:
    """The ingress controller, and a gateway where there is one, lead to the entry's endpoints, and to their guests."""
    for entry in here.plan.entries:
        controller = [world.at(entry.controller)] if entry.controller in here.charts else []
        gateway = [f"{here.gateway}/{world.OTHERS}"] if here.gateway else []
        for path, endpoint in entry.routes:
            for source in (*controller, *gateway):
                why = f"entry {path} → {endpoint.owner.name}:{endpoint.name}"
                yield _call(source, endpoint.owner, endpoint.name, str(entry.origin), why, here)
    for guest in here.guests:
        if guest.entry.controller in here.charts:
            source, origin = world.at(guest.entry.controller), str(guest.entry.origin)
            why = f"entry → what {guest.chart.name} starts beside it"
            yield claims.Claim(source, f"{guest.namespace}/{guest.name}", f"TCP {guest.shape.port}", origin, why)


def _scrapes(here: world.World) -> Claims:
    """Who collects signals asks everything that tells some."""
    for scraper in (each for each, answer in here.charts.items() if answer.scrapes):
        for each in here.plan.components:
            said = each.signals() if isinstance(each, service.Program | resource.Resource) else None
            if isinstance(said, signals.Exports) and said.monitored and here.runs(each):
                told = said.exporter
                name = f"{each.namespace}/{signals.exporter_name(each.name)}" if told else world.at(each)
                port = f"TCP {told.port}" if told else _number(each.ports[said.port])
                why = f"{scraper.name} scrapes {each.name}"
                yield claims.Claim(world.at(scraper), name, port, str(scraper.origin), why)


def _api_server(here: world.World) -> Claims:
    """Engines that ask the API server, and all that charts start."""
    asking = [(world.at(each), each) for each, answer in here.engines.items() if answer.cluster_role]
    asking += [(pods, each) for each in here.charts for pods in _mates(each, here)]
    for source, owner in asking:
        yield claims.Claim(source, here.api_server, "TCP 443,6443", str(owner.origin), f"{owner.name} → API server")


def _within_charts(here: world.World) -> Claims:
    """What charts start in a namespace is on its own: neither those pods nor their ports are ours to know."""
    for chart in here.charts:
        for source in _mates(chart, here):
            for destination in _mates(chart, here):
                yield claims.Claim(source, destination, "All", str(chart.origin), f"{chart.name} within itself")


def _around_charts(here: world.World) -> Claims:
    """The API server calls webhooks, the world the ports that are let in, and some call the world."""
    for chart, answer in here.charts.items():
        for number in answer.webhooks:
            for pods in _mates(chart, here):
                yield claims.Claim(
                    here.api_server, pods, f"TCP {number}", str(chart.origin), f"API server → webhook of {chart.name}"
                )
        if answer.nodes:
            wanted = f"TCP {','.join(map(str, sorted(answer.nodes)))}"
            yield claims.Claim(world.at(chart), here.nodes, wanted, str(chart.origin), f"{chart.name} → nodes")
        if answer.outward:
            wanted = f"TCP {','.join(map(str, sorted(answer.outward)))}"
            yield claims.Claim(here.calling(chart), here.public, wanted, str(chart.origin), f"{chart.name} → outside")
        for name in answer.world:
            why = f"world → {chart.name}"
            yield claims.Claim(claims.OUTSIDE, world.at(chart), _number(chart.ports[name]), str(chart.origin), why)


RULES: tuple[Callable[[world.World], Claims], ...] = (
    _edges,
    _besides,
    _peers,
    _secrets,
    _entries,
    _scrapes,
    _api_server,
    _within_charts,
    _around_charts,
)
"""What the author drew, and then what a cluster adds. Probes come from a pod's own node, which no policy holds off;
names are looked up by whoever opens connections (`drawing`)."""


def _mates(chart: component.Component, here: world.World) -> list[str]:
    """The pods of charts in the namespace of one, those that nobody knows among them."""
    beside = [each for each in here.charts if each.namespace == chart.namespace]
    known = sorted({name for each in beside for name in (world.at(each), here.calling(each))})
    return [*known, f"{chart.namespace}/{world.OTHERS}"]


def _number(shape: ports.Port) -> str:
    return f"{'UDP' if shape.speaks == 'udp' else 'TCP'} {shape.number}"
