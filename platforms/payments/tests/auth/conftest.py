"""auth-service in this process, on real engines."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from groundplan_runtime import postgres as runtime_postgres
from groundplan_runtime import redis as runtime_redis
from groundplan_runtime import settings
from payments.auth import app, passwords
from platforms.payments.tests import asgi, engines, running

PASSWORD = "correct horse battery staple"


@dataclasses.dataclass
class Auth:
    """The service and what stands behind it."""

    client: asgi.Client
    servicer: Any
    pool: asyncpg.Pool
    store: runtime_redis.Store
    hasher: passwords.Passwords
    database: engines.Database

    async def letter(self, email: str) -> str:
        """The body of the last mail written for `email`."""
        statement = "SELECT body FROM mail WHERE recipient = $1 ORDER BY created_at DESC, id DESC LIMIT 1"
        return str(await self.pool.fetchval(statement, email))

    async def token_for(self, email: str) -> str:
        return str(re.findall(r"token=(\w+)", await self.letter(email))[-1])

    async def person(self, email: str) -> str:
        """Registers and confirms somebody; their id."""
        answer = await self.client.post("/auth/register", email=email, password=PASSWORD, name="Ada")
        assert answer.status == 202, answer.body
        answer = await self.client.post("/auth/verify", token=await self.token_for(email))
        assert answer.status == 200, answer.body
        return str(answer.json["id"])

    async def login(self, email: str, **more: str) -> Any:
        answer = await self.client.post("/auth/login", email=email, password=PASSWORD, **more)
        assert answer.status == 200, answer.body
        return answer.json


@pytest.fixture(scope="module")
def auth_database(postgres: engines.Postgres) -> engines.Database:
    return postgres.database("payments.auth.migrations", append_only=("audit",))


@pytest.fixture
def redis_url(valkey: engines.Valkey) -> str:
    return valkey.url(f"session:auth:{engines.free_port()}:")


@pytest.fixture
def given(auth_database: engines.Database, redis_url: str, tmp_path: pathlib.Path) -> Iterator[app.Settings]:
    with contextlib.ExitStack() as files:
        platform = files.enter_context(running.Platform(tmp_path))
        variables = {
            "DATABASE_DSN": platform.file("dsn", auth_database.dsn),
            "REDIS_URL": platform.file("redis", redis_url),
            "JWT_SIGNING_KEY": platform.file("signing", running.signing_keys("two", "one")),
            "API_KEY_PEPPER": platform.file("pepper", "a pepper of the tests that is long enough"),
            "SMTP": platform.file("smtp", '{"username": "", "password": ""}'),
            "SMTP_ADDRESS": "127.0.0.1:9",
            "PUBLIC_URL": "https://pay.example.com",
        }
        yield settings.load(app.Settings, variables)


@pytest.fixture
async def auth(auth_database: engines.Database, given: app.Settings) -> AsyncIterator[Auth]:
    async with contextlib.AsyncExitStack() as resources:
        pool = await resources.enter_async_context(runtime_postgres.pool(given.database_dsn))
        store = await resources.enter_async_context(runtime_redis.store(given.redis_url))
        hasher = await resources.enter_async_context(passwords.Passwords())
        assembled = app.assemble(given, pool, store, hasher)
        yield Auth(asgi.Client(assembled), assembled.grpc[0].servicer, pool, store, hasher, auth_database)
