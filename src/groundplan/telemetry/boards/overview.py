"""The platform at a glance: is everything there, how much comes in, how much fails, how long it takes."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import platform
from groundplan.shapes import boards
from groundplan.telemetry import queries
from groundplan.telemetry.rules import objectives, requests

_JOB = "{{job}}"


def boards_of(plan: platform.Platform) -> Iterator[boards.Board]:
    """One."""
    kinds = [kind for kind in requests.KINDS if requests.served(kind, plan)]
    rows: list[tuple[str, tuple[boards.Panel, ...]]] = [("Presence", _presence())]
    for kind in kinds:
        rows.append((f"Requests over {kind.name.upper() if kind.name == 'http' else 'gRPC'}", _requests(kind)))
        rows.append((f"Budgets over {kind.name.upper() if kind.name == 'http' else 'gRPC'}", _budgets(kind)))
    yield boards.Board(plan.name, f"{plan.name} / overview", tuple(rows))


def _presence() -> tuple[boards.Panel, ...]:
    return (
        boards.Panel("Answering", {"answer": "sum(up)"}, kind="number"),
        boards.Panel("Not answering", {"do not": "count(up == 0) or vector(0)"}, kind="number"),
        boards.Panel("Up", {_JOB: "min by (job) (up)"}, unit="bool"),
    )


def _requests(kind: requests.Kind) -> tuple[boards.Panel, ...]:
    window = queries.INTERVAL
    return (
        boards.Panel("Rate", {_JOB: f"sum by (job) (rate({kind.total}[{window}]))"}, unit="reqps"),
        boards.Panel("Faults", {_JOB: requests.faults(kind, window)}, unit="percentunit"),
        boards.Panel("Of twenty, nineteen within", {_JOB: requests.quantile(kind, 0.95, window)}, unit="s"),
    )


def _budgets(kind: requests.Kind) -> tuple[boards.Panel, ...]:
    return (
        boards.Panel("Faults in an hour", {_JOB: objectives.faults(kind, "1h")}, unit="percentunit"),
        boards.Panel("Slow in an hour", {_JOB: objectives.slow(kind, "1h")}, unit="percentunit"),
        boards.Panel("Faults in three days", {_JOB: objectives.faults(kind, "3d")}, unit="percentunit"),
    )
