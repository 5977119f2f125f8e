"""A board for each service: rate, errors, duration; then what it costs, and how those behind it do."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import platform, service
from groundplan.shapes import boards
from groundplan.telemetry import queries, targets
from groundplan.telemetry.rules import requests

_WINDOW = queries.INTERVAL
_BY = {"http": "route", "grpc": "grpc_method"}
_STATUS = {"http": "status", "grpc": "grpc_code"}


def boards_of(plan: platform.Platform) -> Iterator[boards.Board]:
    """One for each program that tells something."""
    documented = {name for target in targets.of(plan) for name in target.exports.documented}
    for program in plan.programs:
        names = {metric.name for metric in requests.metrics(program)}
        rows = [*_served(program, names), *_process(program, names)]
        if rows and {"kube-state-metrics", "kubelet"} <= documented:
            rows.append(("In the cluster", _in_cluster(program)))
        if rows:
            yield boards.Board(program.name, f"{plan.name} / {program.name}", tuple(rows))


def _served(program: service.Program, names: set[str]) -> Iterator[tuple[str, tuple[boards.Panel, ...]]]:
    own = f'job="{program.name}"'
    for kind in requests.KINDS:
        if kind.total in names:
            by, status = _BY[kind.name], _STATUS[kind.name]
            rate = f"rate({kind.total}{{{own}}}[{_WINDOW}])"
            yield (
                "HTTP" if kind.name == "http" else "gRPC",
                (
                    boards.Panel("Rate", {f"{{{{{by}}}}}": f"sum by ({by}) ({rate})"}, unit="reqps"),
                    boards.Panel("Answers", {f"{{{{{status}}}}}": f"sum by ({status}) ({rate})"}, unit="reqps"),
                    boards.Panel("Errors", {"faults": requests.faults(kind, _WINDOW, own)}, unit="percentunit"),
                    boards.Panel(
                        "Duration",
                        {
                            name: requests.quantile(kind, share, _WINDOW, own)
                            for name, share in (("half", 0.5), ("95 %", 0.95), ("99 %", 0.99))
                        },
                        unit="s",
                    ),
                ),
            )


def _process(program: service.Program, names: set[str]) -> Iterator[tuple[str, tuple[boards.Panel, ...]]]:
    own = f'job="{program.name}"'
    panels = []
    if "process_cpu_seconds_total" in names:
        panels += [
            boards.Panel(
                "CPU", {"{{instance}}": f"rate(process_cpu_seconds_total{{{own}}}[{_WINDOW}])"}, unit="percentunit"
            ),
            boards.Panel("Memory", {"{{instance}}": f"process_resident_memory_bytes{{{own}}}"}, unit="bytes"),
        ]
    if "circuit_breaker_state" in names:
        panels.append(
            boards.Panel("Open breakers", {"{{callee}}": f'circuit_breaker_state{{{own}, state="open"}}'}, unit="bool")
        )
    if "db_pool_connections" in names:
        panels.append(boards.Panel("Database connections", {"{{state}}": f"db_pool_connections{{{own}}}"}))
    if panels:
        yield "Inside", tuple(panels)


def _in_cluster(program: service.Program) -> tuple[boards.Panel, ...]:
    own = f'namespace="{program.namespace}", pod=~"{program.name}-.+", container="{program.name}"'
    used = f"container_memory_working_set_bytes{{{own}}}"
    limit = f'kube_pod_container_resource_limits{{{own}, resource="memory"}}'
    return (
        boards.Panel("Restarts", {"{{pod}}": f"increase(kube_pod_container_status_restarts_total{{{own}}}[1h])"}),
        boards.Panel(
            "Memory of its limit",
            {"{{pod}}": f"sum by (pod) ({used}) / sum by (pod) ({limit})"},
            unit="percentunit",
        ),
        boards.Panel(
            "CPU throttled",
            {
                "{{pod}}": f"sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{{{own}}}[{_WINDOW}]))"
                f" / sum by (pod) (rate(container_cpu_cfs_periods_total{{{own}}}[{_WINDOW}]))"
            },
            unit="percentunit",
        ),
    )
