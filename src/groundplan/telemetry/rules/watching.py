"""Those who watch: whether anything is scraped, whether rules and messages come through, whether spans do.

Alerts that Prometheus' and Alertmanager's own mixins have too are called as there, so that their runbooks can be found:
https://github.com/prometheus/prometheus/tree/main/documentation/prometheus-mixin,
https://github.com/prometheus/alertmanager/tree/main/doc/alertmanager-mixin. About spans:
https://opentelemetry.io/docs/collector/internal-telemetry/#use-internal-telemetry-to-monitor-the-collector
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from groundplan.model import platform
from groundplan.shapes import alerts
from groundplan.telemetry import targets

_MIXINS = ("prometheus", "alertmanager")
_PROMETHEUS = 'job="prometheus", namespace="watch"'
_ALERTMANAGER = 'job="alertmanager", namespace="watch"'
_COLLECTOR = 'job="collector", namespace="tracing"'


def groups(plan: platform.Platform) -> Iterator[alerts.Group]:
    """For each of them that the plan has."""
    documented = {name for target in targets.of(plan) for name in target.exports.documented}
    for name, rules in RULES:
        if name in documented:
            yield alerts.Group(name, rules())


def in_mixins(plan: platform.Platform) -> tuple[str, ...]:
    """Names of the alerts that whoever installs the mixins has already, and that ours stand for."""
    ours = (rule.name for group in groups(plan) if group.name in _MIXINS for rule in group.rules)
    return (*ours, "AlertmanagerClusterFailedToSendAlerts")  # of one Alertmanager it says the same a second time


def _prometheus() -> tuple[alerts.Alert, ...]:
    web = 'up{job="web", namespace="shop"}'
    failures = f'prometheus_rule_evaluation_failures_total{{{_PROMETHEUS}, rule_group="shop"}}'
    loaded = f"prometheus_config_last_reload_successful{{{_PROMETHEUS}}}"
    return (
        alerts.Alert(
            alerts.ALWAYS,
            # Not a constant: a Prometheus that reaches nothing has nothing to tell of either.
            (alerts.Condition("count(up == 1)", ">", 0),),
            "none",
            "alerts come through: this one fires as long as all is well",
            "nothing; whoever it calls wakes somebody when the calls end: then Prometheus or Alertmanager is down",
            fires={web: "1x60"},
            quiet={web: "1x20 0x40"},
            lasts="0m",
        ),
        alerts.Alert(
            "TargetDown",
            # A job of which nothing is left has no series any more: what was there within the hour counts as 0.
            (
                alerts.Condition(
                    "sum by (namespace, job) (up) or 0 * sum by (namespace, job) (max_over_time(up[1h]))", "<", 1
                ),
            ),
            "warning",
            "nothing of {{ $labels.job }} can be scraped: whatever alerts ask of it, they get no answer",
            "is it gone on purpose? If not, look at its pods, its Service's endpoints, and its network policy",
            fires={web: "1x20 _x40"},
            quiet={web: "1x20 0x3 1x30"},
        ),
        alerts.Alert(
            "PrometheusRuleFailures",
            (
                alerts.Condition(
                    "sum by (namespace, job, rule_group) (increase(prometheus_rule_evaluation_failures_total[5m]))",
                    ">",
                    0,
                ),
            ),
            "critical",
            "rules of {{ $labels.rule_group }} cannot be evaluated: their alerts sleep",
            "Prometheus shows the error beside the rule, under Status and Rules; often one series has two partners",
            fires={failures: "0x10 0+1x50"},
            quiet={failures: "0x10 2x50"},
        ),
        alerts.Alert(
            "PrometheusBadConfig",
            (alerts.Condition("max_over_time(prometheus_config_last_reload_successful[5m])", "<", 1),),
            "critical",
            "Prometheus runs on an old configuration: it could not load the new one",
            "its log names the file and the line; until then nothing new is scraped, and no new rule runs",
            fires={loaded: "1x10 0x50"},
            quiet={loaded: "1x10 0x8 1x40"},
            lasts="10m",
        ),
    )


def _alertmanager() -> tuple[alerts.Alert, ...]:
    failed = f'alertmanager_notifications_failed_total{{{_ALERTMANAGER}, integration="email"}}'
    loaded = f"alertmanager_config_last_reload_successful{{{_ALERTMANAGER}}}"
    return (
        alerts.Alert(
            "AlertmanagerFailedToSendAlerts",
            (
                alerts.Condition(
                    "sum by (namespace, job, integration) (increase(alertmanager_notifications_failed_total[15m]))",
                    ">",
                    0,
                ),
            ),
            "critical",
            "Alertmanager fails to tell by {{ $labels.integration }}: somebody does not hear of alerts",
            "its log says what the other side answered: a password that changed, a URL that ended, a port that is shut",
            fires={failed: "0x10 0+1x50"},
            quiet={failed: "2x60"},
        ),
        alerts.Alert(
            "AlertmanagerFailedReload",
            (alerts.Condition("max_over_time(alertmanager_config_last_reload_successful[5m])", "<", 1),),
            "critical",
            "Alertmanager runs on an old configuration: it could not load the new one",
            "its log names the receiver; `amtool check-config` says the same before anything is applied",
            fires={loaded: "1x10 0x50"},
            quiet={loaded: "1x10 0x8 1x40"},
            lasts="10m",
        ),
    )


def _collector() -> tuple[alerts.Alert, ...]:
    def rate(name: str, by: str) -> str:
        return f"sum by (namespace, job, {by}) (rate(otelcol_{name}_spans[5m]))"

    accepted, refused = (f'otelcol_receiver_{each}_spans{{{_COLLECTOR}, receiver="otlp"}}' for each in _TAKEN)
    failed, dropped = (f'otelcol_exporter_{each}_failed_spans{{{_COLLECTOR}, exporter="otlphttp"}}' for each in _LOST)
    size, room = (f'otelcol_exporter_queue_{each}{{{_COLLECTOR}, exporter="otlphttp"}}' for each in _QUEUE)
    return (
        alerts.Alert(
            "SpansRefused",
            (alerts.Condition(rate("receiver_refused", "receiver"), ">", 0),),
            "warning",
            "{{ $labels.job }} refuses {{ $value | humanize }} spans a second",
            "it is short of memory, or behind it nobody takes them: look at its memory and its queue on the board",
            fires={refused: "0x10 0+60x50", accepted: "0+600x60"},
            quiet={refused: "90x60", accepted: "0+600x60"},
        ),
        alerts.Alert(
            "SpansNotSent",
            (alerts.Condition(rate("exporter_send_failed", "exporter"), ">", 0),),
            "warning",
            "{{ $labels.job }} gives up {{ $value | humanize }} spans a second: nobody takes them",
            "its log says what the other side answered; may it go there, and does its account still hold?",
            fires={failed: "0x10 0+60x50"},
            quiet={failed: "90x60"},
        ),
        alerts.Alert(
            "SpanQueueFills",
            (
                alerts.Condition(
                    "max by (namespace, job, exporter) (otelcol_exporter_queue_size)"
                    " / max by (namespace, job, exporter) (otelcol_exporter_queue_capacity)",
                    ">",
                    0.8,
                ),
            ),
            "warning",
            "the queue of {{ $labels.job }} is {{ $value | humanizePercentage }} full",
            "whoever keeps traces is too slow or away: when it is full, spans are lost",
            fires={size: "900x60", room: "1000x60"},
            quiet={size: "700x60", room: "1000x60"},
        ),
        alerts.Alert(
            "SpansDropped",
            (alerts.Condition(rate("exporter_enqueue_failed", "exporter"), ">", 0),),
            "warning",
            "{{ $labels.job }} drops {{ $value | humanize }} spans a second: its queue is full",
            "whoever keeps traces is too slow or away; what was dropped is lost",
            fires={dropped: "0x10 0+60x50"},
            quiet={dropped: "90x60"},
        ),
    )


_TAKEN = ("accepted", "refused")
_LOST = ("send", "enqueue")
_QUEUE = ("size", "capacity")

RULES: tuple[tuple[str, Callable[[], tuple[alerts.Alert, ...]]], ...] = (
    ("prometheus", _prometheus),
    ("alertmanager", _alertmanager),
    ("otel-collector", _collector),
)
"""By the catalogue of who tells."""
