"""merchant-service in this process, on real engines, with auth-service behind real gRPC."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc.aio
import pytest

from groundplan_runtime import clients, settings
from groundplan_runtime import postgres as runtime_postgres
from groundplan_runtime import redis as runtime_redis
from payments.common import ids
from payments.merchant import app
from payments.rpc import auth_pb2_grpc
from platforms.payments.tests import asgi, engines
from platforms.payments.tests.auth import conftest as auth_conftest
from platforms.payments.tests.auth.conftest import auth, auth_database, given, redis_url

__all__ = ["auth", "auth_database", "given", "redis_url"]

COMPLETE = {"country": "DE", "business_type": "company", "website": "https://shop.example.com"}


@dataclasses.dataclass
class Merchants:
    """The service and what stands behind it."""

    client: asgi.Client
    pool: asyncpg.Pool
    store: runtime_redis.Store
    database: engines.Database
    auth: auth_conftest.Auth
    auth_server: grpc.aio.Server

    def user(self, *roles: str) -> asgi.Client:
        """Somebody who is signed in."""
        return self.client.known(ids.new("usr"), *roles)

    async def admin(self) -> asgi.Client:
        """One of the platform's people."""
        user_id = await self.auth.person(f"{ids.random(10)}@example.com".lower())
        await self.auth.pool.execute("UPDATE users SET roles = '{user,platform_admin}' WHERE id = $1", user_id)
        return self.client.known(user_id, "user", "platform_admin")

    async def draft(self, owner: asgi.Client, **more: str) -> str:
        answer = await owner.post("/merchants", **({"name": "Shop", "email": "shop@example.com"} | COMPLETE | more))
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    async def at(self, state: str, owner: asgi.Client, admin: asgi.Client) -> str:
        """An account that is in `state`."""
        merchant_id = await self.draft(owner)
        ways = {
            "draft": (),
            "submitted": ("submit",),
            "verified": ("submit", "approve"),
            "active": ("submit", "approve", "activate"),
            "suspended": ("submit", "approve", "activate", "suspend"),
            "closed": ("close",),
        }
        for action in ways[state]:
            await self.step(merchant_id, action, owner, admin)
        return merchant_id

    async def step(self, merchant_id: str, action: str, owner: asgi.Client, admin: asgi.Client) -> Any:
        by_platform = action in ("approve", "reject", "suspend", "reinstate")
        who, document = (admin, {"reason": "because we looked"}) if by_platform else (owner, {})
        return await who.post(f"/merchants/{merchant_id}/{action}", **document)

    async def mails(self, email: str) -> list[str]:
        rows = await self.pool.fetch("SELECT body FROM mail WHERE recipient = $1 ORDER BY created_at, id", email)
        return [row["body"] for row in rows]


@pytest.fixture(scope="module")
def merchant_database(postgres: engines.Postgres) -> engines.Database:
    return postgres.database("payments.merchant.migrations", append_only=("audit",))


@pytest.fixture
async def merchants(
    merchant_database: engines.Database,
    auth: auth_conftest.Auth,
    valkey: engines.Valkey,
    tmp_path: pathlib.Path,
) -> AsyncIterator[Merchants]:
    smtp = tmp_path / "smtp-of-merchants"
    smtp.write_text("{}")
    variables = {
        "DATABASE_DSN": merchant_database.dsn,
        "REDIS_URL": valkey.url("merchant:"),
        "SMTP": f"file://{smtp}",
        "SMTP_ADDRESS": "127.0.0.1:9",
        "PUBLIC_URL": "https://pay.example.com",
    }
    loaded = settings.load(app.Settings, variables)
    server = grpc.aio.server()
    auth_pb2_grpc.add_AuthServicer_to_server(auth.servicer, server)
    address = {"AUTH_SERVICE_GRPC_ADDRESS": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
    await server.start()
    async with contextlib.AsyncExitStack() as resources:
        resources.push_async_callback(server.stop, None)
        pool = await resources.enter_async_context(runtime_postgres.pool(loaded.database_dsn))
        store = await resources.enter_async_context(runtime_redis.store(loaded.redis_url))
        channel = await resources.enter_async_context(clients.grpc_channel("auth-service", environment=address))
        assembled = app.assemble(loaded, pool, store, auth_pb2_grpc.AuthStub(channel))
        yield Merchants(asgi.Client(assembled), pool, store, merchant_database, auth, server)
