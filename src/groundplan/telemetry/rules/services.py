"""Services: up, answering, in time (the alerts of the documents, with expressions that can fire rightly)."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import platform, service
from groundplan.shapes import alerts
from groundplan.telemetry.rules import requests

_WINDOW = "5m"


def groups(plan: platform.Platform) -> Iterator[alerts.Group]:
    """For everything that answers on a metrics port."""
    found = [*_presence(plan)]
    for kind in requests.KINDS:
        if requests.served(kind, plan):
            found += [_errors(kind), _latency(kind)]
    found += [*_inside(plan)]
    if found:
        yield alerts.Group("services", tuple(found))


def _presence(plan: platform.Platform) -> Iterator[alerts.Alert]:
    for program in plan.programs:
        if "metrics" in program.ports:
            yield _down(program)
    if any("metrics" in program.ports for program in plan.programs):
        yield _replica()


def _down(program: service.Program) -> alerts.Alert:
    series = f'up{{job="{program.name}", namespace="{program.namespace}"}}'
    return alerts.Alert(
        "ServiceDown",
        # With its last pod its series are gone: nothing is not equal to 0.
        (alerts.Condition(f"sum({series}) or vector(0)", "<", 1),),
        "critical",
        f"{program.name} is down: not one replica answers",
        f"kubectl -n {program.namespace} describe pods -l app.kubernetes.io/name={program.name}; then its logs",
        fires={series: "1x20 0x30"},
        quiet={series: "1x20 0x3 1x30"},
        labels=(("job", program.name), ("namespace", program.namespace or "")),
    )


def _replica() -> alerts.Alert:
    series = 'up{job="web", namespace="shop", instance="a"}'
    return alerts.Alert(
        "ReplicaDown",
        (alerts.Condition("up", "==", 0),),
        "warning",
        "{{ $labels.instance }} of {{ $labels.job }} does not answer",
        "look at that pod's logs and its node; the other replicas serve meanwhile",
        fires={series: "1x20 0x30", series.replace('"a"', '"b"'): "1x60"},
        quiet={series: "1x20 0x3 1x30"},
        lasts="10m",
    )


def _errors(kind: requests.Kind) -> alerts.Alert:
    good, bad = (f'{kind.total}{{job="web", namespace="shop", {each}}}' for each in (kind.example, kind.bad))
    return alerts.Alert(
        "HighErrorRate",
        (alerts.Condition(requests.faults(kind, _WINDOW), ">", 0.05),),
        "critical",
        "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail",
        "look at the slowest and failing routes on its board, then at the breakers: who behind it fails?",
        fires={good: "0+90x60", bad: "0+10x60"},
        quiet={good: "0+98x60", bad: "0+2x60"},
        labels=(("protocol", kind.name),),
    )


def _latency(kind: requests.Kind) -> alerts.Alert:
    buckets = {"1.0": 94, "2.5": 100, "+Inf": 100}
    return alerts.Alert(
        "HighLatency",
        (alerts.Condition(requests.quantile(kind, 0.95, _WINDOW), ">", 1),),
        "warning",
        "of twenty requests to {{ $labels.job }} one takes longer than {{ $value | humanizeDuration }}",
        "compare with the database's board: connections, slow transactions; then the callees' durations",
        fires={_bucket(kind, le): f"0+{each}x60" for le, each in buckets.items()},
        quiet={_bucket(kind, le): f"0+{each}x60" for le, each in (buckets | {"1.0": 96}).items()},
        labels=(("protocol", kind.name),),
    )


def _bucket(kind: requests.Kind, le: str) -> str:
    return f'{kind.seconds}_bucket{{job="web", namespace="shop", le="{le}"}}'


def _inside(plan: platform.Platform) -> Iterator[alerts.Alert]:
    names = {metric.name for program in plan.programs for metric in requests.metrics(program)}
    if "circuit_breaker_state" in names:
        yield _breaker()
    if "process_start_time_seconds" in names:
        yield _restarting()


def _breaker() -> alerts.Alert:
    series = 'circuit_breaker_state{job="web", namespace="shop", callee="orders.http", state="open"}'
    return alerts.Alert(
        "BreakerOpen",
        (
            alerts.Condition(
                'max by (namespace, job, callee) (max_over_time(circuit_breaker_state{state="open"}[2m]))', ">", 0
            ),
        ),
        "warning",
        "{{ $labels.job }} has given up calling {{ $labels.callee }} for now",
        "look at the callee: it failed or was too slow; the breaker closes by itself once it answers",
        fires={series: "0x20 1x30"},
        quiet={series: "0x20 1 0x30"},
    )


def _restarting() -> alerts.Alert:
    series = 'process_start_time_seconds{job="web", namespace="shop", instance="a"}'
    return alerts.Alert(
        "Restarting",
        (alerts.Condition("changes(process_start_time_seconds[15m])", ">", 2),),
        "warning",
        "{{ $labels.job }} has restarted {{ $value }} times in a quarter of an hour",
        "its logs say why it ends; a liveness probe that fails says so in the pod's events",
        fires={series: "100x25 200x3 300x3 400x3 500x20"},
        quiet={series: "100x25 200x30"},
        lasts="0m",
    )
