"""What the author's own code runs as: services, workers, and jobs that recur."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from groundplan.model import autoscale, component, endpoint, findings, processes, rights
from groundplan.shapes import objectives, ports, probes, quantities, signals, values
from groundplan_runtime import contract


class Program(component.Component):
    """A process of the author's, in any language."""

    def __init__(
        self,
        name: str,
        process: processes.Process,
        *,
        ports: dict[str, ports.Port],
        replicas: int = 1,
        resources: quantities.Compute | None = None,
        probes: probes.Probes | None = None,
        env: Mapping[str, str | values.Value] | None = None,
        grace: float = 30,
        exports: Sequence[signals.Metric] = (),
        objective: objectives.Objective | None = None,
    ) -> None:
        super().__init__(name, ports=ports)
        self.process = checked_process(name, process)
        self.replicas = checked_count(name, "replicas", replicas)
        self.resources = resources or quantities.Compute()
        self.probes = probes
        """None: the platform's."""
        self.environment = {key: values.of(value) for key, value in (env or {}).items()}
        self.grace = grace
        self.exports = checked_metrics(name, exports)
        """Metrics of its own, beside those of the runtime."""
        self.objective = checked_objective(name, objective or objectives.Objective())

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {
            "replicas": (int, autoscale.Autoscale),
            "resources": quantities.Compute,
            "env": dict,
            "available": int,
        }

    @property
    def metrics(self) -> endpoint.Endpoint:
        """Where it answers probes and scrapes."""
        return self.port("metrics")

    def signals(self) -> signals.Signals:
        """What it tells of itself."""
        if "metrics" not in self.ports:
            return signals.NoSignals("it has no port called metrics")
        spoken = {port.speaks for name, port in self.ports.items() if name != "metrics"}
        calls = ("calls",) if any(isinstance(edge.right, rights.Call) for edge in self.edges) else ()
        tables = ("process", *calls, *(each for each in ("http", "grpc") if each in spoken))
        runtime = [_of_contract(row) for table in tables for row in contract.EXPORTED[table]]
        return signals.Exports(
            metrics=(*(runtime if isinstance(self.process, processes.Python) else ()), *self.exports)
        )


def _of_contract(row: contract.Exported) -> signals.Metric:
    name, kind, labels, unit = row
    return signals.Metric(name, kind, labels, unit)


class Service(Program):
    """Answers calls. Ports are given as numbers or as `Http(…)`, `Grpc(…)`, `Tcp(…)`."""

    kind = "service"

    def __init__(
        self,
        name: str,
        process: processes.Process,
        *,
        http: int | ports.Port | None = None,
        grpc: int | ports.Port | None = None,
        metrics: int | Literal["usual"] | None = "usual",
        ports: dict[str, ports.Port] | None = None,
        replicas: int = 1,
        resources: quantities.Compute | None = None,
        probes: probes.Probes | None = None,
        env: Mapping[str, str | values.Value] | None = None,
        grace: float = 30,
        exports: Sequence[signals.Metric] = (),
        objective: objectives.Objective | None = None,
    ) -> None:
        listens = _listeners(name, process, {"http": http, "grpc": grpc, **(ports or {})}, metrics)
        super().__init__(
            name,
            process,
            ports=listens,
            replicas=replicas,
            resources=resources,
            probes=probes,
            env=env,
            grace=grace,
            exports=exports,
            objective=objective,
        )

    @property
    def http(self) -> endpoint.Endpoint:
        """Its HTTP endpoint."""
        return self.port("http")

    @property
    def grpc(self) -> endpoint.Endpoint:
        """Its gRPC endpoint."""
        return self.port("grpc")


class Worker(Program):
    """Works without being called: consumes a queue, sends what an outbox holds."""

    kind = "worker"

    def __init__(
        self,
        name: str,
        process: processes.Process,
        *,
        metrics: int | Literal["usual"] | None = "usual",
        replicas: int = 1,
        resources: quantities.Compute | None = None,
        probes: probes.Probes | None = None,
        env: Mapping[str, str | values.Value] | None = None,
        grace: float = 30,
        exports: Sequence[signals.Metric] = (),
    ) -> None:
        super().__init__(
            name,
            process,
            ports=_listeners(name, process, {}, metrics),
            replicas=replicas,
            resources=resources,
            probes=probes,
            env=env,
            grace=grace,
            exports=exports,
        )


class Job(Program):
    """Runs every so often (``every="5m"``), never twice at once, and is given `timeout` seconds."""

    kind = "job"

    def __init__(
        self,
        name: str,
        process: processes.Process,
        *,
        every: str,
        timeout: float = 300,
        resources: quantities.Compute | None = None,
        env: Mapping[str, str | values.Value] | None = None,
    ) -> None:
        super().__init__(name, process, ports={}, resources=resources, env=env)
        self.every = checked_duration(name, every)
        self.timeout = timeout


def _listeners(
    name: str,
    process: object,
    wanted: dict[str, int | ports.Port | None],
    metrics: int | Literal["usual"] | None,
) -> dict[str, ports.Port]:
    if metrics == "usual":
        metrics = contract.DEFAULT_METRICS_PORT if isinstance(process, processes.Python) else None
    wanted = {**wanted, "metrics": metrics}
    return {port: _listener(name, port, given) for port, given in wanted.items() if given is not None}


def _listener(name: str, port: str, given: object) -> ports.Port:
    speaks: dict[str, ports.Speaks] = {"http": "http", "grpc": "grpc", "metrics": "http"}
    made = given if isinstance(given, ports.Port) else ports.Port(_number(name, port, given), speaks.get(port, "tcp"))
    for number in (made.number, made.exposed):
        _number(name, port, number)
    return made


def _number(name: str, port: str, given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= 65535:
        return given
    findings.report("GP105", f"{name}: {port}={given!r} is not a port", remedy="give a number from 1 to 65535")
    return 1


def checked_process(name: str, process: object) -> processes.Process:
    if isinstance(process, processes.Python | processes.Command | processes.Image):
        return process
    findings.report(
        "GP106",
        f"{name} runs {process!r}",
        why="a service runs python(…), command([…]) or image(…)",
        remedy=f'write {name}: Service("{name}", python("package.module"), …)',
    )
    return processes.Command(("false",))


def checked_count(name: str, what: str, given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    findings.report("GP105", f"{name}: {what}={given!r} is not a count", remedy="give a whole number, 0 or more")
    return 1


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def checked_duration(name: str, given: object) -> float:
    """Seconds of a duration such as 30s, 5m, 1h or 1d."""
    match = re.fullmatch(r"(\d+)([smhd])", given) if isinstance(given, str) else None
    if match and int(match[1]) > 0:
        return float(match[1]) * _UNITS[match[2]]
    findings.report(
        "GP105", f"{name}: every={given!r} is not a duration", remedy='write every="30s", "5m", "1h" or "1d"'
    )
    return 60.0


def checked_metrics(name: str, given: Sequence[signals.Metric]) -> tuple[signals.Metric, ...]:
    """Those that Prometheus takes; a finding for each other."""
    good = []
    for metric in given:
        wrong = signals.faults(metric)
        for why in wrong:
            findings.report(
                "GP105", f"{name} exports {metric.name}", why=why, remedy='write counter("things_done_total", "kind")'
            )
        good += [] if wrong else [metric]
    return tuple(good)


def checked_objective(name: str, given: objectives.Objective) -> objectives.Objective:
    """`given`, if it can be measured: shares below 100, and a time that the runtime's buckets count."""
    wrong = []
    if not (0 < given.availability < 100 and 0 < given.within < 100):
        wrong.append("a promise of 100 % leaves no budget: give shares between 0 and 100")
    if given.latency not in contract.BUCKETS:
        listed = ", ".join(f"{each:g}" for each in contract.BUCKETS)
        wrong.append(f"latency is counted in buckets: give one of {listed} seconds")
    for why in wrong:
        findings.report("GP105", f"{name}: {given}", why=why, remedy="write Objective(availability=99.9, latency=1.0)")
    return objectives.Objective() if wrong else given
