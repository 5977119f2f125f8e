"""Whether every query has an answer: each names metrics that somebody exports, by labels that these have."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import findings, platform
from groundplan.model import origin as origins
from groundplan.shapes import alerts, boards
from groundplan.telemetry import queries
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
    for board in boardbook.of(plan):
        where = origin.get(id(board), plan.origin)
        for panel in panels(board):
            yield from _found(f"panel {board.title} / {panel.title}", tuple(panel.queries.values()), where, known)


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
