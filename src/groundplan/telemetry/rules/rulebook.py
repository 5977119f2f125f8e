"""Rules in Prometheus' own form: a rules file, and the ``spec`` of a PrometheusRule.

Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from groundplan.model import platform
from groundplan.shapes import alerts, objects
from groundplan.telemetry.rules import cluster, engines, objectives, services, watching

GROUPS: tuple[Callable[[platform.Platform], Iterator[alerts.Group]], ...] = (
    services.groups,
    objectives.groups,
    engines.groups,
    cluster.groups,
    watching.groups,
)


def of(plan: platform.Platform) -> tuple[alerts.Group, ...]:
    """Every group of rules over what `plan` exports: those made here, and the author's own."""
    found = [group for each in GROUPS for group in each(plan)]
    own = tuple(each.what for each in plan.watched if isinstance(each.what, alerts.Alert))
    return tuple(found) + ((alerts.Group(plan.name, own),) if own else ())


def tree(groups: tuple[alerts.Group, ...]) -> objects.Tree:
    """All of `groups` as Prometheus reads them."""
    return {"groups": [{"name": group.name, "rules": [_rule(rule) for rule in group.rules]} for group in groups]}


def _rule(rule: alerts.Alert | alerts.Record) -> objects.Tree:
    if isinstance(rule, alerts.Record):
        return {"record": rule.name, "expr": rule.query}
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": rule.lasts,
        "labels": {"severity": rule.severity, **dict(rule.labels)},
        "annotations": {"summary": rule.summary, "runbook": rule.remedy},
    }
