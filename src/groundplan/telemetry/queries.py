"""Queries read with Prometheus' own grammar, and held against the metrics that somebody exports."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from groundplan.model import platform
from groundplan.shapes import alerts, signals
from groundplan.telemetry import targets


@dataclasses.dataclass(frozen=True)
class Series:
    """What is known of time series of one name."""

    kind: signals.Kind
    """A counter, a gauge, or untyped: a histogram's and a summary's parts are counters, its quantiles gauges."""
    labels: frozenset[str]


Known = Mapping[str, Series]
"""By name."""

_WRONG = {
    *(("gauge", function) for function in ("rate", "irate", "increase", "resets")),
    *(("counter", function) for function in ("delta", "idelta", "deriv", "predict_linear")),
}
"""Kinds, and the functions that take a fall of them for a restart, or a restart for a fall.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/
"""

INTERVAL = "$__rate_interval"
"""Grafana fills it in: long enough for a rate at the panel's resolution."""


@dataclasses.dataclass(frozen=True)
class Selector:
    """The series that a query asks for: a name, and the labels it chooses by."""

    name: str
    labels: tuple[str, ...]


def selectors(query: str) -> tuple[Selector, ...]:
    """Every selector of `query`; raises ValueError, with the parser's words, for one that is not PromQL."""
    import promql_parser

    found: list[Selector] = []
    for node in _nodes(query):
        if isinstance(node, promql_parser.VectorSelector):
            chosen = {matcher.name: matcher.value for matcher in node.matchers.matchers}
            found.append(Selector(node.name or chosen.pop("__name__", ""), tuple(chosen)))
    return tuple(found)


def _nodes(query: str) -> list[Any]:
    """Every node of `query`'s tree, from the top."""
    import promql_parser

    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(filled(query)), found.append)
    return found


def filled(query: str, interval: str = "5m") -> str:
    """`query` as Prometheus takes it, without Grafana's variables."""
    return re.sub(r"\$\{__rate_interval\}|\$__rate_interval\b", interval, query)


def known(plan: platform.Platform, groups: tuple[alerts.Group, ...]) -> Known:
    """What `plan` exports, what Prometheus adds, and what `groups` record."""
    found = dict.fromkeys(("up", "scrape_duration_seconds"), Series("gauge", targets.SCRAPED))
    for target in targets.of(plan):
        for metric in target.metrics:
            for name, labels in metric.series().items():
                before = found[name].labels if name in found else targets.SCRAPED
                found[name] = Series(_kind(metric, name), before | labels)
    for group in groups:
        recorded = (rule.name for rule in group.rules if isinstance(rule, alerts.Record))
        found |= dict.fromkeys(recorded, Series("gauge", targets.SCRAPED))
    return found


def _kind(metric: signals.Metric, series: str) -> signals.Kind:
    if metric.kind == "summary" and series == metric.name:
        return "gauge"
    return "counter" if metric.kind in ("histogram", "summary") else metric.kind


def troubles(query: str, metrics: Known) -> Iterator[str]:
    """What is wrong with `query`: no PromQL, a metric that nobody exports, a label that it does not have, a function
    that is not for metrics of its kind."""
    try:
        asked = selectors(query)
    except ValueError as error:
        yield f"not PromQL: {error}"
        return
    for selector in asked:
        if selector.name not in metrics:
            yield f"nobody exports {selector.name or 'a metric without a name'}"
            continue
        for label in selector.labels:
            if label not in metrics[selector.name].labels:
                yield f"{selector.name} has no label {label}"
    for node in _nodes(query):
        yield from _misread(node, metrics)


def _misread(node: Any, metrics: Known) -> Iterator[str]:
    """What a call of a function takes its argument for, and it is not."""
    import promql_parser

    if not isinstance(node, promql_parser.Call):
        return
    for asked in node.args:
        if isinstance(asked, promql_parser.MatrixSelector):
            name = asked.vector_selector.name or ""
            kind = metrics[name].kind if name in metrics else "untyped"
            if (kind, node.func.name) in _WRONG:
                yield f"{node.func.name} of {name}, which is a {kind}"
        elif node.func.name == "histogram_quantile" and isinstance(asked, promql_parser.AggregateExpr):
            by = asked.modifier
            kept = by is not None and ("le" in by.labels) is (by.type == promql_parser.AggModifierType.By)
            if not kept:
                yield "histogram_quantile of buckets without their le"
