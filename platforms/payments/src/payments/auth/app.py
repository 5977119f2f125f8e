"""auth-service, put together."""

from __future__ import annotations

import functools
import urllib.parse

import asyncpg
import msgspec

from groundplan_runtime import metrics, postgres, redis, service, settings
from payments.auth import (
    accounts,
    entry,
    factors,
    issuing,
    letters,
    liveness,
    opaque,
    passwords,
    rpc,
    signing,
    throttle,
    web,
)
from payments.auth.store import api_keys, people, sessions
from payments.common import mail, periodic, postbox
from payments.rpc import auth_pb2_grpc

NAME = "payments.auth.v1.Auth"
_WRITE_USES, _SWEEP = 10.0, 3600.0


class Settings(msgspec.Struct, frozen=True):
    """What auth-service reads from its environment."""

    database_dsn: settings.Secret
    redis_url: settings.Secret
    jwt_signing_key: settings.SecretFile
    api_key_pepper: settings.Secret
    smtp: settings.SecretFile
    smtp_address: str
    public_url: str


async def build(context: service.Context) -> service.App:
    given = context.load(Settings)
    pool = await context.enter(postgres.pool(given.database_dsn))
    store = await context.enter(redis.store(given.redis_url))
    hasher = await context.enter(passwords.Passwords())
    context.metrics.register(
        metrics.Gauges("db_pool_connections", "Connections to PostgreSQL.", ("state",), lambda: postgres.gauges(pool))
    )
    return assemble(given, pool, store, hasher)


def assemble(given: Settings, pool: asyncpg.Pool, store: redis.Store, hasher: passwords.Passwords) -> service.App:
    secret = given.api_key_pepper.reveal()
    persons, rows = people.People(pool), sessions.Sessions(pool)
    live, tries = liveness.Liveness(store, rows), throttle.Throttle(store)
    factor = factors.Factors(persons, opaque.Sealer(opaque.derived(secret, "totp")))
    signer = signing.Signer(given.jwt_signing_key.read)
    parts = (pool, persons, rows, hasher, factor, tries, live, signer)
    door = entry.Entry(entry.Parts(*parts, opaque.derived(secret, "refresh")))
    mails = postbox.Postbox(pool, mail.Relay(given.smtp_address, given.smtp.read, _sender(given.public_url)).send)
    account = accounts.Accounts(persons, hasher, live, tries, letters.Letters(given.public_url), mails.wake)
    keys = issuing.Keys(api_keys.ApiKeys(pool), secret)
    servicer = rpc.Servicer(pool, persons, keys, signer, live, door)
    return service.App(
        routes=web.Web(account, door, factor, persons, rows, signer).routes(),
        grpc=(service.Grpc(auth_pb2_grpc.add_AuthServicer_to_server, servicer, NAME),),
        # Redis is no condition for readiness: without it sessions are asked of the database (see `liveness`).
        ready={"database": functools.partial(postgres.check, pool)},
        background=(
            mails.run,
            functools.partial(periodic.every, _WRITE_USES, keys.write_uses),
            functools.partial(periodic.every, _SWEEP, rows.sweep),
        ),
    )


def _sender(public_url: str) -> str:
    return f"no-reply@{urllib.parse.urlsplit(public_url).hostname or 'localhost'}"
