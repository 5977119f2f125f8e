"""From a platform to the claims that its manifests must keep: who may reach whom in one environment, and whose pods
are assumed.

Derived from the model's edges and from a list of what every cluster adds (`RULES`), and from nothing that lowers a
platform: where a policy and a claim disagree, one of the two is wrong, and the proof says which line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import cast

from groundplan.model import component, environment, external, platform, resource, service, surroundings
from groundplan.proof import claims
from groundplan.shapes import ports, processes, signals, workloads

DNS = claims.Assumed("kube-system", "kube-dns", {"k8s-app": "kube-dns"}, "the cluster's DNS")
OTHERS = "any-other-pod"
"""Of a namespace: pods that somebody may start there, and, in a chart's namespace, whatever else the chart starts."""

_PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
)  # fmt: skip
"""Where the API server is unless the plan says it: RFC 1918 and RFC 6598."""
_NOT_PUBLIC = (
    "0.0.0.0/8", *_PRIVATE, "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/3",
    "::/127", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8",
)  # fmt: skip
"""Not globally reachable, by the IANA special-purpose address registries, and multicast; 64:ff9b::/96 leads to any
IPv4 address (RFC 6052)."""


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What a platform claims of one environment."""

    environment: str
    said: tuple[claims.Claim, ...]
    assumed: tuple[claims.Assumed, ...]
    closed: frozenset[str]
    """The platform's namespaces."""
    origins: dict[str, str]
    """Where each workload is declared, by ``namespace/name``."""


class World:
    """One environment of a platform, asked for what runs in it."""

    def __init__(self, plan: platform.Platform, env: environment.Environment) -> None:
        self.plan, self.env = plan, env
        self.answers = {each.name: each.objects(env, plan.edges_to(each)) for each in plan.resources}
        self.charts = {
            each: answer for each in plan.resources if isinstance(answer := self.answers[each.name], workloads.Chart)
        }
        self.engines = {
            each: answer for each in plan.resources if isinstance(answer := self.answers[each.name], workloads.Engine)
        }

    def runs(self, each: component.Component) -> bool:
        """Whether there are pods of it."""
        return isinstance(each, service.Program) or isinstance(
            self.answers.get(each.name), workloads.Engine | workloads.Chart
        )

    def listed(self, name: str) -> tuple[str, ...]:
        """A word of the environment that is a list."""
        return tuple(str(each) for each in cast(list[str], self.env.defaults.get(name, ())))

    @property
    def store(self) -> resource.Store | None:
        found = self.env.defaults.get("secrets")
        return found if isinstance(found, resource.Store) else None

    @property
    def api_server(self) -> str:
        return ",".join(self.listed("api_server") or _PRIVATE)

    @property
    def public(self) -> str:
        """Every public address but the cluster's own."""
        return f"0.0.0.0/0,::/0 except {','.join((*_NOT_PUBLIC, *self.listed('ranges')))}"

    @property
    def is_monitored(self) -> bool:
        return any(
            isinstance(said := each.signals(), signals.Exports) and said.collects for each in self.plan.resources
        )


def of(plan: platform.Platform, env: environment.Environment) -> Drawing:
    """The claims of `plan` in `env`, a cluster."""
    world = World(plan, env)
    found = [claim for rule in RULES for claim in rule(world)]
    closed = frozenset(each.name for each in plan.namespaces)
    found += _names(found, closed)
    origins = {_at(each): str(each.origin) for each in plan.components}
    return Drawing(env.name, tuple(found), tuple(_assumed(world)), closed, origins)


def _edges(world: World) -> Iterator[claims.Claim]:
    """What the author drew."""
    for edge in world.plan.edges:
        target, origin, why = edge.right.target, str(edge.origin), f"{edge.source.name} → {edge.right}"
        if isinstance(target, external.External):
            yield claims.Claim(_at(edge.source), _outside(target, world), f"TCP {target.port.number}", origin, why)
        elif isinstance(target, component.Component) and world.runs(target):
            for name in edge.right.opens:
                yield _call(_at(edge.source), target, name, origin, why, world)


def _outside(thing: external.External, world: World) -> str:
    """The addresses of what lies outside: those that the environment names, or all public ones."""
    named = None if isinstance(thing, external.Internet) else world.env.own(thing, "cidrs")
    return ",".join(cast(list[str], named.value)) if named else world.public


def _call(source: str, target: component.Component, port: str, origin: str, why: str, world: World) -> claims.Claim:
    """A connection to a port of a component, which is found by the component's name."""
    shape = target.ports[port]
    dialled = shape.number if _is_headless(target) else shape.exposed
    through = "" if target in world.charts else f"{_at(target)}:{dialled}"
    return claims.Claim(source, _at(target), _number(shape), origin, why, through)


def _is_headless(target: component.Component) -> bool:
    # Callers of gRPC spread their calls over all addresses themselves; an engine has one address.
    spoken = {port.speaks for name, port in target.ports.items() if name != "metrics"}
    return isinstance(target, resource.Resource) or spoken == {"grpc"}


def _steps(world: World) -> Iterator[claims.Claim]:
    """Bootstraps, migrations and what takes them back talk to their own engine; so does an exporter."""
    for engine, answer in world.engines.items():
        beside = [*_step_names(answer), *([signals.exporter_name(engine.name)] if _exporter(engine, world) else [])]
        for name in beside:
            for port in engine.ports:
                source = f"{engine.namespace}/{name}"
                yield _call(source, engine, port, str(engine.origin), f"{name} → {engine.name}", world)


def _step_names(answer: workloads.Engine) -> Iterator[str]:
    for step in answer.after if isinstance(answer, workloads.Stateful) else ():
        yield step.name
        if step.undo:
            yield _rollback(step)


def _rollback(step: processes.Step) -> str:
    return f"{step.name.removesuffix('-migrate')}-rollback"


def _exporter(engine: resource.Resource, world: World) -> signals.Exporter | None:
    said = engine.signals()
    return said.exporter if isinstance(said, signals.Exports) and world.is_monitored else None


def _secrets(world: World) -> Iterator[claims.Claim]:
    """Whoever holds a secret fetches it from the store."""
    store = world.store
    if store is None:
        return
    for holder, owner in _holders(world):
        why = f"{holder} → its secrets"
        yield _call(f"{owner.namespace}/{holder}", store, store.port_name, str(owner.origin), why, world)


def _holders(world: World) -> Iterator[tuple[str, component.Component]]:
    for program in world.plan.programs:
        # Who is called holds the keys that verify callers.
        around = surroundings.of(program, world.plan, world.env, world.plan.edges_to(program))
        if around.files:
            yield program.name, program
    for engine, answer in world.engines.items():
        if any(file.content.sensitive for file in answer.files):
            yield engine.name, engine
        for step in answer.after if isinstance(answer, workloads.Stateful) else ():
            if any(file.content.sensitive for file in step.files):
                yield step.name, engine
                if step.undo:
                    yield _rollback(step), engine
        exporter = _exporter(engine, world)
        if exporter and any(file.content.sensitive for file in exporter.files):
            yield signals.exporter_name(engine.name), engine


def _entries(world: World) -> Iterator[claims.Claim]:
    """The ingress controller, and a gateway where there is one, lead to the entry's endpoints."""
    gateway, slash, _ = str(world.env.defaults.get("gateway", "")).partition("/")
    for entry in world.plan.entries:
        for path, endpoint in entry.routes:
            sources = [_at(entry.controller)] if entry.controller in world.charts else []
            for source in (*sources, *([f"{gateway}/{OTHERS}"] if gateway and slash else [])):
                why = f"entry {path} → {endpoint.owner.name}:{endpoint.name}"
                yield _call(source, endpoint.owner, endpoint.name, str(entry.origin), why, world)


def _scrapes(world: World) -> Iterator[claims.Claim]:
    """Who collects signals asks everything that tells some."""
    for scraper in (each for each, answer in world.charts.items() if answer.scrapes):
        for each in world.plan.components:
            said = each.signals() if isinstance(each, service.Program | resource.Resource) else None
            if isinstance(said, signals.Exports) and said.monitored and world.runs(each):
                told = said.exporter
                name = f"{each.namespace}/{signals.exporter_name(each.name)}" if told else _at(each)
                port = f"TCP {told.port}" if told else _number(each.ports[said.port])
                yield claims.Claim(_at(scraper), name, port, str(scraper.origin), f"{scraper.name} scrapes {each.name}")


def _api_server(world: World) -> Iterator[claims.Claim]:
    """Engines that ask the API server, and all that charts start."""
    asking = [(_at(each), each) for each, answer in world.engines.items() if answer.cluster_role]
    asking += [(pods, each) for each in world.charts for pods in _mates(each, world)]
    for source, owner in asking:
        yield claims.Claim(source, world.api_server, "TCP 443,6443", str(owner.origin), f"{owner.name} → API server")


def _within_charts(world: World) -> Iterator[claims.Claim]:
    """What charts start in a namespace is on its own: neither those pods nor their ports are ours to know."""
    for chart in world.charts:
        for source in _mates(chart, world):
            for destination in _mates(chart, world):
                yield claims.Claim(source, destination, "All", str(chart.origin), f"{chart.name} within itself")


def _into_charts(world: World) -> Iterator[claims.Claim]:
    """The API server calls webhooks, and the world the ports that are let in."""
    for chart, answer in world.charts.items():
        for number in answer.webhooks:
            for pods in _mates(chart, world):
                yield claims.Claim(
                    world.api_server, pods, f"TCP {number}", str(chart.origin), f"API server → webhook of {chart.name}"
                )
        for name in answer.world:
            why = f"world → {chart.name}"
            yield claims.Claim(claims.OUTSIDE, _at(chart), _number(chart.ports[name]), str(chart.origin), why)


RULES: tuple[Callable[[World], Iterator[claims.Claim]], ...] = (
    _edges,
    _steps,
    _secrets,
    _entries,
    _scrapes,
    _api_server,
    _within_charts,
    _into_charts,
)
"""What the author drew, and then what a cluster adds. Probes come from a pod's own node, which no policy holds off."""


def _names(found: list[claims.Claim], closed: frozenset[str]) -> Iterator[claims.Claim]:
    """Whoever opens connections may look up names, by both protocols: long answers come by TCP."""
    callers = {each.source: each.origin for each in reversed(found) if each.source.partition("/")[0] in closed}
    for source, origin in callers.items():
        yield claims.Claim(source, f"{DNS.namespace}/{DNS.name}", "TCP 53,UDP 53", origin, f"{source} → names")


def _assumed(world: World) -> Iterator[claims.Assumed]:
    yield DNS
    for chart, answer in world.charts.items():
        why = f"{chart.name} is what chart {answer.source.name} {answer.source.version} starts"
        yield claims.Assumed(chart.namespace or "", chart.name, dict(answer.pods), why)
    gateway, slash, _ = str(world.env.defaults.get("gateway", "")).partition("/")
    if gateway and slash:
        yield claims.Assumed(gateway, OTHERS, {}, "a gateway's pods are all")
    charts = {each.namespace for each in world.charts}
    for space in world.plan.namespaces:
        why = f"charts start more in {space.name}" if space.name in charts else ""
        yield claims.Assumed(space.name, OTHERS, {}, why)


def _mates(chart: component.Component, world: World) -> list[str]:
    """The pods of charts in the namespace of one, those that nobody knows among them."""
    return [*(_at(each) for each in world.charts if each.namespace == chart.namespace), f"{chart.namespace}/{OTHERS}"]


def _at(each: component.Component) -> str:
    return f"{each.namespace}/{each.name}"


def _number(shape: ports.Port) -> str:
    return f"{'UDP' if shape.speaks == 'udp' else 'TCP'} {shape.number}"
