"""What a component tells of itself: metrics by name as they are scraped, and who tells them.

Names follow Prometheus (https://prometheus.io/docs/practices/naming/): base units, counters end in ``_total``
unless their exporter was named before that rule.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Literal

from groundplan.shapes import processes

Kind = Literal["counter", "gauge", "histogram", "summary", "untyped"]

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

_SERIES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "histogram": (("_bucket", ("le",)), ("_sum", ()), ("_count", ())),
    "summary": (("", ("quantile",)), ("_sum", ()), ("_count", ())),
}


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric: its name, kind and labels, beside those that a scrape adds."""

    name: str
    kind: Kind
    labels: tuple[str, ...] = ()
    unit: str = ""
    """seconds, bytes, …; empty for plain numbers."""

    def series(self) -> dict[str, frozenset[str]]:
        """The names of its time series, with their labels."""
        endings = _SERIES.get(self.kind, (("", ()),))
        return {f"{self.name}{ending}": frozenset((*self.labels, *extra)) for ending, extra in endings}


@dataclasses.dataclass(frozen=True)
class Exporter:
    """A program that looks at an engine and tells of it: it runs beside the engine, as a user that may only look."""

    image: str
    binaries: processes.Binaries
    """The same program on this machine."""
    port: int
    listen: str
    """The argument before the address that it listens on: ``--web.listen-address=``."""
    argv: tuple[processes.Word, ...] = ()
    environment: tuple[tuple[str, processes.Word], ...] = ()
    files: tuple[processes.File, ...] = ()
    """In the folder of its own name (see `exporter_name`)."""


@dataclasses.dataclass(frozen=True)
class Exports:
    """Metrics on one port: of the component itself, or of its exporter."""

    metrics: tuple[Metric, ...] = ()
    documented: tuple[str, ...] = ()
    """Catalogues (`groundplan.telemetry.catalogue`) of names that somebody else documents."""
    port: str = "metrics"
    """The component's; an exporter has its own."""
    path: str = "/metrics"
    parameters: tuple[tuple[str, str], ...] = ()
    """Of the scrape's URL."""
    exporter: Exporter | None = None
    monitored: bool = True
    """Whether it waits for a monitor of ours: a chart may bring its own."""
    collects: bool = False
    """Whether it is the one that scrapes all others."""
    door: str = ""
    """What the port is called in the pods, where a chart calls it otherwise."""


@dataclasses.dataclass(frozen=True)
class NoSignals:
    """It tells nothing, because."""

    reason: str


Signals = Exports | NoSignals


def exporter_name(engine: str) -> str:
    """Of what tells about `engine`."""
    return f"{engine}-exporter"


def faults(metric: Metric) -> list[str]:
    """What is wrong with how it is called."""
    wrong = [] if NAME.fullmatch(metric.name) else [f"{metric.name!r} is not a metric's name"]
    if metric.kind == "counter" and not metric.name.endswith("_total"):
        wrong.append(f"{metric.name} is a counter: its name ends in _total")
    return wrong + [f"{label!r} is not a label's name" for label in metric.labels if not LABEL.fullmatch(label)]


def counter(name: str, *labels: str, unit: str = "") -> Metric:
    """Something that only grows."""
    return Metric(name, "counter", labels, unit)


def gauge(name: str, *labels: str, unit: str = "") -> Metric:
    """Something that goes up and down."""
    return Metric(name, "gauge", labels, unit)


def histogram(name: str, *labels: str, unit: str = "seconds") -> Metric:
    """Something that is measured often, counted in buckets."""
    return Metric(name, "histogram", labels, unit)
