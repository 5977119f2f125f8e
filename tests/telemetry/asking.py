"""A Prometheus asked for its answers, and which queries a laptop can answer at all."""

from __future__ import annotations

import dataclasses
import json
import math
import urllib.parse
import urllib.request
from typing import Any

from groundplan.model import platform
from groundplan.shapes import alerts
from groundplan.telemetry import catalogue, check, queries, targets
from groundplan.telemetry.boards import boardbook
from groundplan.telemetry.rules import rulebook


@dataclasses.dataclass(frozen=True)
class Query:
    """One query, and where it stands."""

    place: str
    text: str


def every(plan: platform.Platform) -> list[Query]:
    """Every panel's and every rule's query; an alert's without its limit."""
    found = []
    for board in boardbook.of(plan):
        for panel in check.panels(board):
            found += [Query(f"{board.name} / {panel.title}", queries.filled(text)) for text in panel.queries.values()]
    for group in rulebook.of(plan):
        for rule in group.rules:
            asked = [rule.query] if isinstance(rule, alerts.Record) else [each.query for each in rule.conditions]
            found += [Query(f"{group.name} / {rule.name}", text) for text in asked]
    return found


def elsewhere(plan: platform.Platform) -> set[str]:
    """Names of series that only a cluster has: of whoever runs on no laptop."""
    names = {name for target in targets.of(plan) if not target.exports.exporter for name in target.exports.documented}
    shapes = (metric for name in names - HERE for metric in catalogue.of(name).shapes())
    return {series for metric in shapes for series in metric.series()}


def split(plan: platform.Platform) -> tuple[list[Query], list[Query]]:
    """Queries that are answered here, and those that need a cluster."""
    far = elsewhere(plan)
    here, there = [], []
    for query in every(plan):
        names = {selector.name for selector in queries.selectors(query.text)}
        (there if names & far else here).append(query)
    return here, there


HERE = {"node-exporter", "prometheus", "alertmanager"}
"""Catalogues of those who watch a laptop, too."""


class Prometheus:
    def __init__(self, base: str) -> None:
        self._base = base

    def get(self, path: str, **parameters: str) -> Any:
        words = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._base}{path}?{words}", timeout=10) as answer:
            return json.loads(answer.read())["data"]

    def values(self, query: str) -> list[float]:
        """The values of its series that are numbers."""
        found = self.get("/api/v1/query", query=query)["result"]
        return [value for each in found if not math.isnan(value := float(each["value"][1]))]
