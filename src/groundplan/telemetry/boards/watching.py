"""Boards for those who watch: Prometheus, Alertmanager, the collector of traces."""

from __future__ import annotations

from collections.abc import Callable

from groundplan.shapes import boards
from groundplan.telemetry import queries

_WINDOW = queries.INTERVAL
Rows = tuple[tuple[str, tuple[boards.Panel, ...]], ...]


def _collector(own: str) -> Rows:
    def rate(name: str, by: str) -> str:
        return f"sum by ({by}) (rate(otelcol_{name}_spans{{{own}}}[{_WINDOW}]))"

    queue = "otelcol_exporter_queue"
    return (
        (
            "Spans",
            (
                boards.Panel("Accepted", {"{{receiver}}": rate("receiver_accepted", "receiver")}, unit="ops"),
                boards.Panel("Refused", {"{{receiver}}": rate("receiver_refused", "receiver")}, unit="ops"),
                boards.Panel("Sent", {"{{exporter}}": rate("exporter_sent", "exporter")}, unit="ops"),
                boards.Panel(
                    "Lost",
                    {
                        "{{exporter}} gave up": rate("exporter_send_failed", "exporter"),
                        "{{exporter}} had no room": rate("exporter_enqueue_failed", "exporter"),
                    },
                    unit="ops",
                ),
            ),
        ),
        (
            "Room",
            (
                boards.Panel(
                    "Queue",
                    {"{{exporter}}": f"{queue}_size{{{own}}} / {queue}_capacity{{{own}}}"},
                    unit="percentunit",
                ),
                boards.Panel("Memory", {"{{instance}}": f"otelcol_process_memory_rss{{{own}}}"}, unit="bytes"),
                boards.Panel("CPU", {"{{instance}}": f"rate(otelcol_process_cpu_seconds{{{own}}}[{_WINDOW}])"}),
            ),
        ),
    )


def _prometheus(own: str) -> Rows:
    took, due = (f"prometheus_rule_group_{each}_seconds{{{own}}}" for each in ("last_duration", "interval"))
    failed = f"sum by (rule_group) (rate(prometheus_rule_evaluation_failures_total{{{own}}}[{_WINDOW}]))"
    loaded = f"prometheus_config_last_reload_successful{{{own}}}"
    errors = f"prometheus_notifications_errors_total{{{own}}}"
    return (
        (
            "Scrapes",
            (
                boards.Panel("Up", {"{{job}}": "sum by (job) (up)"}),
                boards.Panel("Slowest scrape", {"{{job}}": "max by (job) (scrape_duration_seconds)"}, unit="s"),
                boards.Panel(
                    "Samples",
                    {"all": f"sum(rate(prometheus_tsdb_head_samples_appended_total{{{own}}}[{_WINDOW}]))"},
                    unit="ops",
                ),
                boards.Panel("Series", {"{{instance}}": f"prometheus_tsdb_head_series{{{own}}}"}),
            ),
        ),
        (
            "Rules",
            (
                boards.Panel("Failures", {"{{rule_group}}": failed}, unit="ops"),
                boards.Panel(
                    "Time taken, of the time there is",
                    {"{{rule_group}}": f"max by (rule_group) ({took} / {due})"},
                    unit="percentunit",
                ),
                boards.Panel("Configuration loaded", {"{{instance}}": loaded}, unit="bool"),
            ),
        ),
        (
            "Messages to Alertmanager",
            (
                boards.Panel(
                    "Alertmanagers", {"found": f"max(prometheus_notifications_alertmanagers_discovered{{{own}}})"}
                ),
                boards.Panel("Failed", {"{{alertmanager}}": f"rate({errors}[{_WINDOW}])"}, unit="ops"),
            ),
        ),
    )


def _alertmanager(own: str) -> Rows:
    def rate(name: str) -> dict[str, str]:
        counted = f"alertmanager_notifications_{name}{{{own}}}"
        return {"{{integration}}": f"sum by (integration) (rate({counted}[{_WINDOW}]))"}

    return (
        (
            "Alertmanager",
            (
                boards.Panel("Alerts", {"{{state}}": f"max by (state) (alertmanager_alerts{{{own}}})"}),
                boards.Panel("Messages", rate("total"), unit="ops"),
                boards.Panel("Messages that failed", rate("failed_total"), unit="ops"),
                boards.Panel(
                    "Configuration loaded",
                    {"{{instance}}": f"alertmanager_config_last_reload_successful{{{own}}}"},
                    unit="bool",
                ),
            ),
        ),
    )


ROWS: dict[str, Callable[[str], Rows]] = {
    "otel-collector": _collector,
    "prometheus": _prometheus,
    "alertmanager": _alertmanager,
}
"""By the catalogue of who tells."""
