"""Series as exporters document them, so that a query about a cluster can be asked without one.

Labels are those of the catalogues and those that a scrape adds, each exporter's its own: what a query joins by is
equal only where it would be in a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import promql_parser

from groundplan.model import platform
from groundplan.shapes import signals
from groundplan.telemetry import catalogue, queries, targets

_BUCKETS = {"0.1": 20, "1": 50, "+Inf": 60}
_EQUAL, _LIKE = (promql_parser.MatchOp.Equal, promql_parser.MatchOp.Re)


def series(plan: platform.Platform, query: str) -> dict[str, str]:
    """One of each that `query` asks for, and its values, in promtool's notation."""
    asked = list(_asked(query))
    wishes = {name: value for _, chosen in reversed(asked) for name, value in _equal(chosen).items()}
    found: dict[str, str] = {}
    for name, chosen in asked:
        scraped, metric = _exported(plan, name)
        own = metric.series()[name]
        labels = scraped | {label: wishes.get(label, "x") for label in own} | _equal(chosen)
        assert all(_fits(matcher, labels.get(matcher.name, "")) for matcher in chosen), (query, labels)
        for bucket, more in _BUCKETS.items() if "le" in own else [("", 60)]:
            said = labels | ({"le": bucket} if bucket else {})
            written = ", ".join(f'{label}="{value}"' for label, value in sorted(said.items()))
            found[f"{name}{{{written}}}"] = "100x60" if metric.kind == "gauge" else f"0+{more}x60"
    return found


def _asked(query: str) -> Iterator[tuple[str, list]]:
    """Names of series and the matchers beside them."""
    nodes: list[promql_parser.VectorSelector] = []

    def visit(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            nodes.append(node)

    promql_parser.walk(promql_parser.parse(queries.filled(query)), visit)
    return ((node.name, node.matchers.matchers) for node in nodes)


def _exported(plan: platform.Platform, name: str) -> tuple[dict[str, str], signals.Metric]:
    """The metric that `name` is a series of, and what a scrape adds to it."""
    for target in targets.of(plan):
        told = [(target.job, target.exports.metrics)]
        told += [(each, catalogue.of(each).shapes()) for each in target.exports.documented]
        for who, metrics in told:
            for metric in metrics:
                if name in metric.series():
                    where = {"job": target.job, "namespace": target.namespace}
                    return dict.fromkeys(targets.SCRAPED, f"{target.job}-{who}") | where, metric
    assert name == "up", name
    return {"job": "any"}, signals.Metric("up", "gauge")


def _equal(chosen: list) -> dict[str, str]:
    """A value for each label that must be equal or alike to something."""
    same = {matcher.name: matcher.value for matcher in chosen if matcher.op == _EQUAL}
    return {matcher.name: _like(matcher.value) for matcher in chosen if matcher.op == _LIKE} | same


def _like(pattern: str) -> str:
    return re.sub(r"\.[+*]?", "0", pattern.partition("|")[0])


def _fits(matcher: promql_parser.Matcher, value: str) -> bool:
    alike = value == matcher.value
    if matcher.op not in (_EQUAL, promql_parser.MatchOp.NotEqual):
        alike = re.fullmatch(matcher.value, value) is not None
    return alike is (matcher.op in (_EQUAL, _LIKE))
