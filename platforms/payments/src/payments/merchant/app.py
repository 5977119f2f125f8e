"""merchant-service, put together."""

from __future__ import annotations

import functools
import urllib.parse
from typing import Any

import asyncpg
import msgspec

from groundplan_runtime import clients, metrics, postgres, redis, service, settings
from payments.common import mail, periodic, postbox
from payments.merchant import access, issuing, letters, people, web
from payments.merchant.store import members, merchants
from payments.rpc import auth_pb2_grpc

_SWEEP = 3600.0
# What may be asked twice without a second effect: keys are issued by request id.
_IDEMPOTENT = ("CheckPermission", "ListApiKeys", "IssueApiKey", "RollApiKey", "RevokeApiKey")


class Settings(msgspec.Struct, frozen=True):
    """What merchant-service reads from its environment."""

    database_dsn: settings.Secret
    redis_url: settings.Secret
    smtp: settings.SecretFile
    smtp_address: str
    public_url: str


async def build(context: service.Context) -> service.App:
    given = context.load(Settings)
    pool = await context.enter(postgres.pool(given.database_dsn))
    store = await context.enter(redis.store(given.redis_url))
    channel = await context.enter(clients.grpc_channel("auth-service", idempotent=_IDEMPOTENT))
    context.metrics.register(
        metrics.Gauges("db_pool_connections", "Connections to PostgreSQL.", ("state",), lambda: postgres.gauges(pool))
    )
    return assemble(given, pool, store, auth_pb2_grpc.AuthStub(channel))


def assemble(given: Settings, pool: asyncpg.Pool, store: redis.Store, auth: Any) -> service.App:
    host = urllib.parse.urlsplit(given.public_url).hostname or "localhost"
    mails = postbox.Postbox(pool, mail.Relay(given.smtp_address, given.smtp.read, f"no-reply@{host}").send)
    accounts, rows = merchants.Merchants(pool), members.Members(pool)
    rights, keys, written = (
        access.Access(accounts, auth),
        issuing.Keys(accounts, auth),
        letters.Letters(given.public_url),
    )
    first = people.People(rows, accounts, rights, written, store, mails.wake)
    second = web.Web(accounts, rights, keys, written, mails.wake)
    return service.App(
        # Redis is no condition for readiness: without it invitations are not counted, that is all.
        routes=[*first.routes(), *second.routes()],
        ready={"database": functools.partial(postgres.check, pool)},
        background=(mails.run, keys.run, functools.partial(periodic.every, _SWEEP, rows.sweep)),
    )
