"""Engines: what stops them, and what will stop them soon."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import platform
from groundplan.shapes import alerts
from groundplan.telemetry import targets

_DB = 'job="db-exporter", namespace="data"'


def groups(plan: platform.Platform) -> Iterator[alerts.Group]:
    """For each kind of engine that the plan has."""
    documented = {name for target in targets.of(plan) for name in target.exports.documented}
    for name, rules in (
        ("postgres-exporter", _postgres()),
        ("redis-exporter", _redis()),
        ("vault", _vault()),
        ("ingress-nginx", _ingress()),
        ("cert-manager", _certificates()),
    ):
        if name in documented:
            yield alerts.Group(name, rules)


def _postgres() -> tuple[alerts.Alert, ...]:
    return (
        alerts.Alert(
            "PostgresDown",
            (alerts.Condition("pg_up", "<", 1),),
            "critical",
            "{{ $labels.job }} cannot ask its PostgreSQL",
            "look at the server's logs and its volume; services answer 503 until it is back",
            fires={f"pg_up{{{_DB}}}": "1x20 0x30"},
            quiet={f"pg_up{{{_DB}}}": "1x60"},
            lasts="2m",
        ),
        alerts.Alert(
            "PostgresConnectionsRunOut",
            (
                alerts.Condition(
                    "sum by (namespace, job) (pg_stat_activity_count)"
                    " / on (namespace, job) max by (namespace, job) (pg_settings_max_connections)",
                    ">",
                    0.8,
                ),
            ),
            "warning",
            "{{ $value | humanizePercentage }} of PostgreSQL's connections are taken",
            "which service holds them? See the board; lower its pool or find what keeps transactions open",
            fires=_connections(170),
            quiet=_connections(150),
        ),
        alerts.Alert(
            "PostgresTransactionHangs",
            (alerts.Condition("max by (namespace, job, datname) (pg_stat_activity_max_tx_duration)", ">", 300),),
            "warning",
            "a transaction in {{ $labels.datname }} is open for {{ $value | humanizeDuration }}",
            "SELECT pid, query FROM pg_stat_activity ORDER BY xact_start LIMIT 5; it keeps vacuum from its work",
            fires={_tx(): "0x9 0+60x50"},
            quiet={_tx(): "0+60x4 0+60x4 0+60x4 0+60x4 0+60x4 0+60x4 0+60x4 0+60x4 0+60x4"},
        ),
        alerts.Alert(
            "PostgresDeadlocks",
            (alerts.Condition("increase(pg_stat_database_deadlocks[15m])", ">", 3),),
            "warning",
            "transactions in {{ $labels.datname }} lock each other out",
            "PostgreSQL's log shows both statements: let them lock in one order",
            fires={f'pg_stat_database_deadlocks{{{_DB}, datname="shop"}}': "0x20 0+1x30"},
            quiet={f'pg_stat_database_deadlocks{{{_DB}, datname="shop"}}': "0x20 1x30"},
            lasts="0m",
        ),
    )


def _connections(number: int) -> alerts.Series:
    return {
        f'pg_stat_activity_count{{{_DB}, datname="shop", state="idle"}}': f"{number}x60",
        f"pg_settings_max_connections{{{_DB}}}": "200x60",
    }


def _tx() -> str:
    return f'pg_stat_activity_max_tx_duration{{{_DB}, datname="shop", state="active"}}'


def _redis() -> tuple[alerts.Alert, ...]:
    return (
        alerts.Alert(
            "RedisDown",
            (alerts.Condition("redis_up", "<", 1),),
            "critical",
            "{{ $labels.job }} cannot ask its Redis",
            "look at the server's logs and its volume; sessions are lost only if the append-only file is",
            fires={f"redis_up{{{_DB}}}": "1x20 0x30"},
            quiet={f"redis_up{{{_DB}}}": "1x60"},
            lasts="2m",
        ),
        alerts.Alert(
            "RedisCannotWrite",
            (alerts.Condition("redis_aof_last_write_status", "<", 1),),
            "critical",
            "Redis could not write its append-only file",
            "is its volume full? Until it can write it takes no more writes",
            fires={f"redis_aof_last_write_status{{{_DB}}}": "1x20 0x30"},
            quiet={f"redis_aof_last_write_status{{{_DB}}}": "1x20 0 1x30"},
            lasts="1m",
        ),
        alerts.Alert(
            "RedisRefusesConnections",
            (alerts.Condition("increase(redis_rejected_connections_total[5m])", ">", 0),),
            "warning",
            "Redis has refused {{ $value | humanize }} connections: it has as many as it may have",
            "which service opens so many? A pool without a limit, or one that is never closed",
            fires={f"redis_rejected_connections_total{{{_DB}}}": "0x20 0+3x30"},
            quiet={f"redis_rejected_connections_total{{{_DB}}}": "0x10 3x50"},
            lasts="0m",
        ),
    )


def _vault() -> tuple[alerts.Alert, ...]:
    return (
        alerts.Alert(
            "VaultSealed",
            (alerts.Condition("vault_core_unsealed", "<", 1),),
            "critical",
            "Vault is sealed: no pod that starts now gets its secrets",
            "people with shares of the key unseal it; what runs already goes on",
            fires={'vault_core_unsealed{job="vault", namespace="vault"}': "1x20 0x30"},
            quiet={'vault_core_unsealed{job="vault", namespace="vault"}': "1x60"},
            lasts="1m",
        ),
    )


def _ingress() -> tuple[alerts.Alert, ...]:
    every = "sum by (namespace, ingress) (rate(nginx_ingress_controller_requests[5m]))"
    bad = 'sum by (namespace, ingress) (rate(nginx_ingress_controller_requests{status=~"5.."}[5m]))'
    series = 'nginx_ingress_controller_requests{namespace="shop", ingress="web", status="%s"}'
    reloaded = 'nginx_ingress_controller_config_last_reload_successful{controller_pod="a"}'
    return (
        alerts.Alert(
            "EntryFails",
            (alerts.Condition(f"({bad} or 0 * {every}) / {every}", ">", 0.05),),
            "critical",
            "the world sees {{ $value | humanizePercentage }} of its requests to {{ $labels.ingress }} fail",
            "if the gateway's own board looks well, the way to it does not: endpoints, policies, the controller's log",
            fires={series % "200": "0+90x60", series % "502": "0+10x60"},
            quiet={series % "200": "0+98x60", series % "502": "0+2x60"},
        ),
        alerts.Alert(
            "EntryDoesNotReload",
            (alerts.Condition("nginx_ingress_controller_config_last_reload_successful", "<", 1),),
            "warning",
            "the ingress controller runs on an old configuration: it could not load the new one",
            "its log names the Ingress and the line",
            fires={reloaded: "1x20 0x30"},
            quiet={reloaded: "1x20 0x3 1x30"},
        ),
    )


def _certificates() -> tuple[alerts.Alert, ...]:
    series = 'certmanager_certificate_expiration_timestamp_seconds{name="web-tls", namespace="shop"}'
    day = 24 * 3600
    return (
        alerts.Alert(
            "CertificateExpires",
            (alerts.Condition("certmanager_certificate_expiration_timestamp_seconds - time()", "<", 14 * day),),
            "warning",
            "the certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}, and was not renewed",
            "kubectl describe certificate, then its order and challenge: the authority must reach the entry's port 80",
            fires={series: f"{13 * day}x60"},
            quiet={series: f"{15 * day}x60"},
        ),
    )
