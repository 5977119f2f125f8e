"""Engines: what stops them, and what will stop them soon."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import platform
from groundplan.shapes import alerts
from groundplan.telemetry import targets

_DB = 'job="db-exporter", namespace="data"'
_TRANSACTION = 'pg_stat_activity_max_tx_duration{backend_type="client backend", application_name!="pg_dump"}'


def groups(plan: platform.Platform) -> Iterator[alerts.Group]:
    """For each kind of engine that the plan has."""
    jobs: dict[str, list[str]] = {}
    for target in targets.of(plan):
        for name in target.exports.documented:
            jobs.setdefault(name, []).append(target.job)
    for name, rules in (
        ("postgres-exporter", _postgres()),
        ("redis-exporter", _redis()),
        ("vault", _vault(jobs.get("vault", []))),
        ("ingress-nginx", _ingress()),
        ("cert-manager", _certificates()),
    ):
        if name in jobs:
            yield alerts.Group(name, rules)


def unsealed(own: str) -> str:
    """1 where a Vault chosen by `own` is unsealed, else 0; a standby says so as well as whoever leads.

    A sealed one may say nothing at all: it counts only while it is unsealed, and forgets what it counted after
    ``prometheus_retention_time``. One that has just been unsealed says 1 beside a 0 from before it knew its cluster.
    Source: https://github.com/hashicorp/vault/issues/24741
    """
    by = "max by (namespace, job, instance)"
    return f"{by} (vault_core_unsealed{{{own}}}) or 0 * {by} (up{{{own}}})"


def leads(own: str) -> str:
    """1 where one replica of a Vault chosen by `own` leads, which it does alone where it is the only one, else 0."""
    by = "max by (namespace, job)"
    return f"{by} (vault_core_active{{{own}}}) or 0 * {by} (up{{{own}}})"


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
            # A dump is one long transaction, and PostgreSQL's own workers hold theirs as long as they must.
            (alerts.Condition(f"max by (namespace, job, datname) ({_TRANSACTION})", ">", 300),),
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
    chosen = 'datname="shop", state="active", backend_type="client backend", application_name="shop"'
    return f"pg_stat_activity_max_tx_duration{{{_DB}, {chosen}}}"


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


def _vault(jobs: list[str]) -> tuple[alerts.Alert, ...]:
    own = f'job=~"{"|".join(jobs)}"'
    there = f'job="{min(jobs, default="")}", namespace="vault", instance="%s"'
    up, told = f"up{{{there}}}", f'vault_core_%s{{{there}, cluster="%s"}}'
    return (
        alerts.Alert(
            "VaultDown",
            (alerts.Condition(leads(own), "<", 1),),
            "critical",
            "nobody leads {{ $labels.job }}: no pod that starts now gets its secrets",
            "it is sealed, and people with shares of the key unseal it, or half of its replicas are away; what runs "
            "already goes on",
            fires={up % "a": "1x60", up % "b": "1x60", told % ("active", "a", "one"): "1x20 _x40"},
            quiet={up % "a": "1x60", up % "b": "1x60", told % ("active", "b", "one"): "1x60"},
            lasts="1m",
        ),
        alerts.Alert(
            "VaultSealed",
            (alerts.Condition(unsealed(own), "<", 1),),
            "warning",
            "{{ $labels.instance }} of {{ $labels.job }} is sealed, or does not answer",
            "people with shares of the key unseal it: until then there is one less that may be lost",
            fires={up % "a": "1x60", told % ("unsealed", "a", "one"): "1x20 _x40"},
            quiet={
                up % "a": "1x60",
                told % ("unsealed", "a", ""): "0x60",
                told % ("unsealed", "a", "one"): "_x20 1x40",
            },
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
            "the world sees {{ $value | humanizePercentage }} of its requests to {{ $labels.ingress }} in "
            "{{ $labels.namespace }} fail",
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
    own = 'name="web-tls", namespace="shop"'
    series = f"certmanager_certificate_expiration_timestamp_seconds{{{own}}}"
    ready = f'certmanager_certificate_ready_status{{{own}, condition="True"}}'
    day = 24 * 3600
    return (
        alerts.Alert(
            "CertificateExpires",
            # 0 is one that was never issued: of those the alert below tells.
            (alerts.Condition("(certmanager_certificate_expiration_timestamp_seconds > 0) - time()", "<", 14 * day),),
            "warning",
            "the certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}, and was not renewed",
            "kubectl describe certificate, then its order and challenge: the authority must reach the entry's port 80",
            fires={series: f"{13 * day}x60"},
            quiet={series: f"{15 * day}x60", series.replace("web", "new"): "0x60"},
        ),
        alerts.Alert(
            "CertificateNotReady",
            (
                alerts.Condition(
                    'max by (namespace, name) (certmanager_certificate_ready_status{condition="True"})', "<", 1
                ),
            ),
            "warning",
            "the certificate {{ $labels.name }} in {{ $labels.namespace }} is not there, or not as it should be",
            "kubectl describe certificate: its last request says why the authority refused it",
            fires={ready: "1x10 0x50"},
            quiet={ready: "1x20 0x10 1x30"},
            lasts="15m",
        ),
    )
