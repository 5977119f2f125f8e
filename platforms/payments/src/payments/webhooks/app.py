"""Puts webhook-sender together."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec
from prometheus_client import Counter

from groundplan_runtime import metrics, postgres, service, settings
from payments.webhooks import guard, posting, sender, store


class Settings(msgspec.Struct, frozen=True):
    """What webhook-sender reads from its environment."""

    database_dsn: settings.Secret
    webhook_targets_allow: str = ""
    """``host:port`` and ``CIDR:port``, comma between: targets that are called although they are inside."""
    webhook_targets_refuse: str = ""
    """CIDRs, comma between: ranges of the cluster beyond the private ones."""


_POOL = "Connections to the database."


async def build(context: service.Context) -> service.App:
    given = context.load(Settings)
    wall = _guard(given)
    pool = await context.enter(postgres.pool(given.database_dsn, largest=4))
    context.metrics.register(metrics.Gauges("db_pool_connections", _POOL, ("state",), lambda: postgres.gauges(pool)))
    ended = Counter("webhook_deliveries_total", "Deliveries tried.", ("outcome",), registry=context.metrics)
    outcomes = {state: ended.labels(state) for state in ("delivered", "pending", "given_up")}
    sending = sender.Sender(store.Store(pool), posting.Poster(wall), counted=lambda state: outcomes[state].inc())
    return service.App(ready={"database": lambda: postgres.check(pool)}, background=(sending.run,))


def _guard(given: Settings) -> guard.Guard:
    findings = []
    allowed: tuple[guard.Exemption, ...] = ()
    refused: tuple[guard.Network, ...] = ()
    try:
        allowed = guard.exemptions(given.webhook_targets_allow)
    except ValueError as error:
        findings.append(f"  WEBHOOK_TARGETS_ALLOW: {error}\n    fix: list host:port or CIDR:port, comma between")
    try:
        refused = tuple(_networks(given.webhook_targets_refuse))
    except ValueError as error:
        findings.append(f"  WEBHOOK_TARGETS_REFUSE: {error}\n    fix: list CIDRs, comma between")
    if findings:
        raise settings.SettingsError(tuple(findings))
    return guard.Guard(allowed, refused)


def _networks(listed: str) -> Iterator[guard.Network]:
    for entry in listed.split(","):
        if entry.strip():
            yield ipaddress.ip_network(entry.strip(), strict=False)
