"""How requests are counted, whatever they speak: all of them, the faulty ones, the slow ones.

A fault is the server's: a status from 500 on, or one of the codes that gRPC's guide gives to servers
(https://grpc.io/docs/guides/status-codes/). A caller's mistake takes nothing from anybody's budget.
"""

from __future__ import annotations

import dataclasses

from groundplan.model import platform, service
from groundplan.shapes import signals

_BY = "sum by (namespace, job)"


@dataclasses.dataclass(frozen=True)
class Kind:
    """Requests of one protocol."""

    name: str
    total: str
    faulty: str
    """A matcher."""
    seconds: str
    example: str
    """Labels of a good one."""
    bad: str
    """Labels of a faulty one."""


HTTP = Kind(
    "http", "http_requests_total", 'status=~"5.."', "http_request_duration_seconds", 'status="200"', 'status="503"'
)
GRPC = Kind(
    "grpc",
    "grpc_server_handled_total",
    'grpc_code=~"DATA_LOSS|DEADLINE_EXCEEDED|INTERNAL|UNAVAILABLE|UNIMPLEMENTED|UNKNOWN"',
    "grpc_server_handling_seconds",
    'grpc_code="OK"',
    'grpc_code="INTERNAL"',
)
KINDS = (HTTP, GRPC)


def served(kind: Kind, plan: platform.Platform) -> tuple[service.Program, ...]:
    """The programs that count requests of this kind."""
    return tuple(each for each in plan.programs if any(metric.name == kind.total for metric in metrics(each)))


def metrics(program: service.Program) -> tuple[signals.Metric, ...]:
    said = program.signals()
    return said.metrics if isinstance(said, signals.Exports) else ()


def jobs(programs: tuple[service.Program, ...]) -> str:
    """A matcher for their series."""
    return f'job=~"{"|".join(each.name for each in programs)}"'


def faults(kind: Kind, window: str, chosen: str = "") -> str:
    """The share of requests that failed by the server's fault; 0 and not nothing where none did."""
    comma = ", " if chosen else ""
    every = f"{_BY} (rate({kind.total}{{{chosen}}}[{window}]))"
    bad = f"{_BY} (rate({kind.total}{{{chosen}{comma}{kind.faulty}}}[{window}]))"
    return f"({bad} or 0 * {every}) / {every}"


def slow(kind: Kind, window: str, limit: float, chosen: str) -> str:
    """The share of requests that took longer than `limit` seconds, which is a bucket."""
    # Exporters in Go write le="1", those in Python le="1.0".
    bucket = f'le=~"{limit:g}"' if not float(limit).is_integer() else f'le=~"{limit:g}([.]0)?"'
    quick = f"{_BY} (rate({kind.seconds}_bucket{{{chosen}, {bucket}}}[{window}]))"
    return f"1 - {quick} / {_BY} (rate({kind.seconds}_count{{{chosen}}}[{window}]))"


def quantile(kind: Kind, share: float, window: str, chosen: str = "") -> str:
    """The time within which `share` of the requests were answered, in seconds."""
    rates = f"sum by (namespace, job, le) (rate({kind.seconds}_bucket{{{chosen}}}[{window}]))"
    return f"histogram_quantile({share:g}, {rates})"
