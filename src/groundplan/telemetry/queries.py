"""Queries read with Prometheus' own grammar, and held against the metrics that somebody exports."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping

from groundplan.model import platform
from groundplan.shapes import alerts
from groundplan.telemetry import targets

Known = Mapping[str, frozenset[str]]
"""Time series by name, with their labels."""

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

    def visit(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            chosen = {matcher.name: matcher.value for matcher in node.matchers.matchers}
            found.append(Selector(node.name or chosen.pop("__name__", ""), tuple(chosen)))

    promql_parser.walk(promql_parser.parse(filled(query)), visit)
    return tuple(found)


def filled(query: str, interval: str = "5m") -> str:
    """`query` as Prometheus takes it, without Grafana's variables."""
    return re.sub(r"\$\{__rate_interval\}|\$__rate_interval\b", interval, query)


def known(plan: platform.Platform, groups: tuple[alerts.Group, ...]) -> Known:
    """What `plan` exports, what Prometheus adds, and what `groups` record."""
    found: dict[str, frozenset[str]] = {"up": targets.SCRAPED, "scrape_duration_seconds": targets.SCRAPED}
    for target in targets.of(plan):
        for metric in target.metrics:
            for name, labels in metric.series().items():
                found[name] = found.get(name, targets.SCRAPED) | labels
    for group in groups:
        found |= {rule.name: targets.SCRAPED for rule in group.rules if isinstance(rule, alerts.Record)}
    return found


def troubles(query: str, metrics: Known) -> Iterator[str]:
    """What is wrong with `query`: no PromQL, a metric that nobody exports, a label that it does not have."""
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
            if label not in metrics[selector.name]:
                yield f"{selector.name} has no label {label}"
