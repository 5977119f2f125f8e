"""Whether every query has an answer: each names metrics that somebody exports, by labels that these have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from groundplan.model import findings, platform
from groundplan.model import origin as origins
from groundplan.shapes import alerts, boards
from groundplan.telemetry import queries, routing
from groundplan.telemetry.boards import boardbook
from groundplan.telemetry.rules import rulebook

_REMEDY = 'mend the query, or say who exports it: Service(…, exports=[counter("orders_total", "kind")])'


def check(plan: platform.Platform) -> Iterator[findings.Finding]:
    """A finding for each query that cannot be answered, at the line of whoever wrote it."""
    groups = rulebook.of(plan)
    known = queries.known(plan, groups)
    origin = {id(each.what): each.origin for each in plan.watched}
    for group in groups:
        for rule in group.rules:
            yield from _found(f"alert {rule.name}", _of_rule(rule), origin.get(id(rule), plan.origin), known)
    for each in plan.watched:
        if isinstance(each.what, alerts.Alert):
            yield from _shape(each.what, each.origin)
    for board in boardbook.of(plan):
        where = origin.get(id(board), plan.origin)
        for panel in panels(board):
            yield from _found(f"panel {board.title} / {panel.title}", tuple(panel.queries.values()), where, known)


def _shape(alert: alerts.Alert, where: origins.Origin) -> Iterator[findings.Finding]:
    """What Prometheus and whoever routes would not understand."""
    if not alert.name.isidentifier():
        yield findings.Finding("GP105", f"alert {alert.name!r}", where, "a name is one word", 'call it "ManyOrders"')
    if alert.severity not in routing.SEVERITIES:
        why, remedy = f"nobody hears of {alert.severity!r}", f"say one of {', '.join(routing.SEVERITIES)}"
        yield findings.Finding("GP105", f"alert {alert.name}: severity", where, why, remedy)
    if not re.fullmatch(r"\d+[smhd]", alert.lasts):
        yield findings.Finding(
            "GP105", f"alert {alert.name}: lasts={alert.lasts!r}", where, "no duration", 'write "0m", "5m" or "1h"'
        )
    if not (alert.conditions and alert.fires and alert.quiet):
        why = "without a condition, and an example of each kind, nobody can tell whether it works"
        yield findings.Finding("GP105", f"alert {alert.name}", where, why, "give it conditions, fires and quiet")


def panels(board: boards.Board) -> Iterator[boards.Panel]:
    """Every panel of `board`."""
    for _, row in board.rows:
        yield from row


def _of_rule(rule: alerts.Alert | alerts.Record) -> tuple[str, ...]:
    return (rule.query,) if isinstance(rule, alerts.Record) else tuple(each.query for each in rule.conditions)


def _found(
    what: str, asked: tuple[str, ...], where: origins.Origin, known: queries.Known
) -> Iterator[findings.Finding]:
    for query in asked:
        for trouble in queries.troubles(query, known):
            yield findings.Finding("GP311", what, where, f"{trouble}: {query}", _REMEDY)
