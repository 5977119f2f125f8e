"""What runs in one environment of a platform, as far as claims are about it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import cast

from groundplan.model import component, entries, environment, platform, resource, service
from groundplan.model import store as stores
from groundplan.shapes import backups, processes, signals, workloads

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
class Beside:
    """Pods that run beside an engine, for it: a step, an exporter, a backup."""

    name: str
    owner: resource.Resource
    calls: tuple[str, ...]
    """The engine's ports that it talks to."""
    secret: bool
    """Whether it holds a secret of the store."""
    place: backups.ObjectStore | None = None
    """Where it brings backups to, or fetches them from."""

    @property
    def at(self) -> str:
        return f"{self.owner.namespace}/{self.name}"


@dataclasses.dataclass(frozen=True)
class Guest:
    """Pods that a chart's controller starts where an entry leads to."""

    chart: resource.Resource
    namespace: str
    shape: workloads.Guest
    entry: entries.Entry

    @property
    def name(self) -> str:
        return f"{self.chart.name}-guest"


class World:
    """One environment, asked for what runs in it."""

    def __init__(self, plan: platform.Platform, env: environment.Environment) -> None:
        self.plan, self.env = plan, env
        self.answers = {each.name: each.objects(env, plan.edges_to(each)) for each in plan.resources}
        self.charts = {
            each: answer for each in plan.resources if isinstance(answer := self.answers[each.name], workloads.Chart)
        }
        self.engines = {
            each: answer for each in plan.resources if isinstance(answer := self.answers[each.name], workloads.Engine)
        }

    def calling(self, chart: resource.Resource) -> str:
        """The pods of a chart that call outward, by ``namespace/name``."""
        return f"{at(chart)}-callers" if self.charts[chart].callers else at(chart)

    def runs(self, each: component.Component) -> bool:
        """Whether there are pods of it."""
        there = isinstance(self.answers.get(each.name), workloads.Engine | workloads.Chart)
        return there or isinstance(each, service.Program)

    def is_headless(self, each: component.Component) -> bool:
        """Whether its name leads to its pods: one pod with a disk, or gRPC alone, whose callers choose themselves."""
        spoken = {port.speaks for name, port in each.ports.items() if name != "metrics"}
        grpc = isinstance(each, service.Program) and spoken == {"grpc"}
        return grpc or isinstance(self.answers.get(each.name), workloads.Stateful)

    def listed(self, name: str) -> tuple[str, ...]:
        """A word of the environment that is a list."""
        return tuple(str(each) for each in cast(list[str], self.env.defaults.get(name, ())))

    @property
    def store(self) -> tuple[component.Component, str] | None:
        """Where workloads fetch their secrets: the component and its port; None where others bring them."""
        found = self.env.defaults.get("secrets")
        return found.server if isinstance(found, stores.Store) else None

    @property
    def gateway(self) -> str:
        """The namespace of the Gateway that routes attach to; empty for none."""
        namespace, _, name = str(self.env.defaults.get("gateway", "")).partition("/")
        return namespace if name else ""

    @property
    def api_server(self) -> str:
        return ",".join(self.listed("api_server") or _PRIVATE)

    @property
    def nodes(self) -> str:
        return ",".join(self.listed("nodes") or _PRIVATE)

    @property
    def public(self) -> str:
        """Every public address but the cluster's own."""
        return f"0.0.0.0/0,::/0 except {','.join((*_NOT_PUBLIC, *self.listed('ranges')))}"

    @property
    def is_monitored(self) -> bool:
        said = (each.signals() for each in self.plan.resources)
        return any(isinstance(each, signals.Exports) and each.collects for each in said)

    @functools.cached_property
    def besides(self) -> tuple[Beside, ...]:
        """Everything that runs beside engines."""
        return tuple(each for engine in self.engines for each in (*self._steps(engine), *self._tools(engine)))

    def _steps(self, engine: resource.Resource) -> Iterator[Beside]:
        answer = self.engines[engine]
        for step in answer.after if isinstance(answer, workloads.Stateful) else ():
            secret = _is_secret(step.files)
            yield Beside(step.name, engine, self._open(engine), secret)
            if step.undo:
                yield Beside(f"{step.name.removesuffix('-migrate')}-rollback", engine, self._open(engine), secret)

    def _tools(self, engine: resource.Resource) -> Iterator[Beside]:
        said = engine.signals()
        if isinstance(said, signals.Exports) and said.exporter and self.is_monitored:
            secret = _is_secret(said.exporter.files)
            yield Beside(signals.exporter_name(engine.name), engine, self._open(engine), secret)
        place = self.env.defaults.get("backups")
        procedures = engine.procedures(self.plan.edges_to(engine), "")
        wanted = isinstance(place, backups.Volume | backups.ObjectStore)
        if not wanted or not isinstance(engine.backed_up(), backups.Daily) or procedures is None:
            return
        bucket = place if isinstance(place, backups.ObjectStore) else None
        for name, work in (("backup", procedures.save), ("restore", procedures.restore)):
            # A store that has yet to be restored hands out nothing.
            account = bucket is not None and not (self.store and engine is self.store[0] and name == "restore")
            calls = self._open(engine) if work.on == "port" else ()
            yield Beside(f"{engine.name}-{name}", engine, calls, account or _is_secret(work.files), bucket)

    def peers(self, engine: resource.Resource) -> workloads.Peers | None:
        """How the replicas of an engine find each other."""
        answer = self.engines[engine]
        return answer.peers if isinstance(answer, workloads.Stateful) else None

    def _open(self, engine: resource.Resource) -> tuple[str, ...]:
        """Its ports, without those that are for its peers alone."""
        peers = self.peers(engine)
        return tuple(name for name in engine.ports if not peers or name not in peers.alone)

    @functools.cached_property
    def guests(self) -> tuple[Guest, ...]:
        """Those of every chart, once a namespace."""
        found: dict[tuple[str, str], Guest] = {}
        for chart, answer in self.charts.items():
            for entry in self.plan.entries if answer.guest else ():
                for _, endpoint in entry.routes:
                    made = Guest(chart, endpoint.owner.namespace or "", cast(workloads.Guest, answer.guest), entry)
                    found.setdefault((chart.name, made.namespace), made)
        return tuple(found.values())


def at(each: component.Component) -> str:
    """As ends of claims are called."""
    return f"{each.namespace}/{each.name}"


def _is_secret(files: tuple[processes.File, ...]) -> bool:
    return any(file.content.sensitive for file in files)
