"""Promises and how fast their error budgets burn: several windows at once, so that a page means days, not noise.

Source: https://sre.google/workbook/alerting-on-slos/ (table 5-8: multiwindow, multi-burn-rate)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from groundplan.model import platform, service
from groundplan.shapes import alerts
from groundplan.telemetry.rules import requests

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


@dataclasses.dataclass(frozen=True)
class Burn:
    """How fast a budget of thirty days burns when both windows show it."""

    rate: float
    long: str
    short: str
    severity: alerts.Severity
    lasts: int
    """Minutes."""
    heals: int
    """Minutes until the short window has forgotten."""


Rule = alerts.Alert | alerts.Record
Phase = tuple[float, int]
"""A share of bad requests, and for how many minutes."""
Example = Callable[[service.Program, tuple[Phase, ...]], alerts.Series]


BURNS = (
    Burn(14.4, "1h", "5m", "critical", 2, 6),
    Burn(6, "6h", "30m", "critical", 15, 35),
    Burn(3, "1d", "2h", "warning", 60, 130),
    Burn(1, "3d", "6h", "warning", 180, 370),
)


def groups(plan: platform.Platform) -> Iterator[alerts.Group]:
    """For each protocol, and each promise that services make about it."""
    for kind in requests.KINDS:
        served = requests.served(kind, plan)
        if served:
            yield alerts.Group(f"availability-{kind.name}", tuple(_availability(kind, served)))
            yield alerts.Group(f"latency-{kind.name}", tuple(_latency(kind, served)))


def faults(kind: requests.Kind, window: str) -> str:
    """The name under which the share of faults in `window` is kept."""
    return f"job:{kind.name}_faults:ratio_rate{window}"


def slow(kind: requests.Kind, window: str) -> str:
    """The name under which the share of slow requests in `window` is kept."""
    return f"job:{kind.name}_slow:ratio_rate{window}"


def _availability(kind: requests.Kind, served: tuple[service.Program, ...]) -> Iterator[Rule]:
    for window in WINDOWS:
        yield alerts.Record(faults(kind, window), requests.faults(kind, window))

    def example(program: service.Program, phases: tuple[Phase, ...]) -> alerts.Series:
        good = _counted([(1 - bad, minutes) for bad, minutes in phases])
        return {
            f"{kind.total}{{{_of(program)}, {kind.example}}}": good,
            f"{kind.total}{{{_of(program)}, {kind.bad}}}": _counted(phases),
        }

    for share, those in _alike(served, "availability"):
        yield from _burning("AvailabilityBudgetBurns", "fails", faults, kind, share, those, example)


def _latency(kind: requests.Kind, served: tuple[service.Program, ...]) -> Iterator[Rule]:
    for limit, those in _alike(served, "latency"):
        for window in WINDOWS:
            yield alerts.Record(slow(kind, window), requests.slow(kind, window, limit, requests.jobs(those)))

    def example(program: service.Program, phases: tuple[Phase, ...]) -> alerts.Series:
        bucket = f'{kind.seconds}_bucket{{{_of(program)}, le="{program.objective.latency:g}"}}'
        return {
            bucket: _counted([(1 - bad, minutes) for bad, minutes in phases]),
            f"{kind.seconds}_count{{{_of(program)}}}": _counted([(1, minutes) for _, minutes in phases]),
        }

    for share, those in _alike(served, "within"):
        yield from _burning("LatencyBudgetBurns", "is slow", slow, kind, share, those, example)


def _burning(
    name: str,
    verb: str,
    record: Callable[[requests.Kind, str], str],
    kind: requests.Kind,
    share: float,
    those: tuple[service.Program, ...],
    example: Example,
) -> Iterator[alerts.Alert]:
    """An alert for each rate at which the budget of `share` percent may burn, as far as it can burn so fast."""
    for burn in BURNS:
        limit = round(burn.rate * (1 - share / 100), 9)
        if limit >= 1:
            continue
        windows = (burn.long, burn.short)
        bad = min(1.0, limit * 1.5)
        yield alerts.Alert(
            name,
            tuple(alerts.Condition(f"{record(kind, each)}{{{requests.jobs(those)}}}", ">", limit) for each in windows),
            burn.severity,
            f"of the requests to {{{{ $labels.job }}}} a share of {{{{ $value | humanizePercentage }}}} {verb}: "
            f"its budget for thirty days is burnt in {30 / burn.rate:.3g} days",
            "what changed when it began? Roll that back first, then look for the reason on the service's board",
            fires=example(those[0], ((bad, burn.lasts + burn.heals),)),
            # Over, though the long window still remembers it.
            quiet=example(those[0], ((bad, burn.lasts), (0, burn.heals))),
            lasts=f"{burn.lasts}m",
            labels=(("burns", f"{burn.rate:g}"), ("protocol", kind.name)),
            at=f"{burn.lasts + burn.heals}m",
        )


def _alike(served: tuple[service.Program, ...], field: str) -> list[tuple[float, tuple[service.Program, ...]]]:
    """Programs by what they promise."""
    found: dict[float, list[service.Program]] = {}
    for program in served:
        found.setdefault(getattr(program.objective, field), []).append(program)
    return [(value, tuple(found[value])) for value in sorted(found)]


def _of(program: service.Program) -> str:
    return f'job="{program.name}", namespace="{program.namespace}"'


def _counted(phases: tuple[Phase, ...] | list[Phase]) -> str:
    """A counter's values, in promtool's words: 10,000 requests a minute, of which a share counts."""
    parts, at = [], 0
    for share, minutes in phases:
        step = round(share * 10_000)
        parts.append(f"{at}+{step}x{minutes}")
        at += step * (minutes + 1)
    return " ".join(parts)
