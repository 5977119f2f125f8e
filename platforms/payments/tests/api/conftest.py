"""payment-api over a real database and the fakes, asked in the same process or by the official client over HTTP."""

from __future__ import annotations

import dataclasses
import socket
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import stripe
from prometheus_client import CollectorRegistry

from groundplan_runtime import listeners, postgres, service
from payments.api import acquiring, app, figures, store, wallet
from payments.api.flows import settling
from payments.api.world import World
from platforms.payments.tests import asgi, engines
from platforms.payments.tests.api import fakes

MIGRATIONS = "payments.api.migrations"


@pytest.fixture(scope="module")
def database(postgres: engines.Postgres) -> engines.Database:
    return postgres.database(MIGRATIONS, append_only=("history", "outbox_event", "outbox_attempt"))


@dataclasses.dataclass
class Api:
    """The service of one account, and what stands behind it."""

    app: Any
    pool: asyncpg.Pool[Any]
    world: World
    fakes: fakes.Fakes
    account: str
    figures: CollectorRegistry

    def __post_init__(self) -> None:
        self.settler = settling.Settler(self.world)

    async def ask(self, method: str, path: str, form: dict[str, Any] | None = None, **headers: str) -> asgi.Answer:
        """One request with a secret key of this account; `form` has flat names as on the wire."""
        given = {
            "content-type": "application/x-www-form-urlencoded",
            "x-account-id": self.account,
            "x-livemode": "false",
            "x-key-kind": "secret",
            "x-scopes": "*",
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        client = asgi.Client(service.App(routes=self.app), given)
        encoded = urllib.parse.urlencode(form or {}, doseq=True)
        if method == "POST":
            return await client.ask(method, path, encoded.encode())
        return await client.ask(method, f"{path}?{encoded}" if encoded else path)

    async def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> asgi.Answer:
        return await self.ask("POST", f"/v1/{path}", form, **headers)

    async def get(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> asgi.Answer:
        return await self.ask("GET", f"/v1/{path}", form, **headers)

    async def good(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Any:
        """POST that must succeed; its document."""
        answer = await self.post(path, form, **headers)
        assert answer.status == 200, answer.body
        return answer.json

    def other(self, account: str) -> Api:
        """The same service asked by another account."""
        return Api(self.app, self.pool, self.world, self.fakes, account, self.figures)

    def figure(self, name: str, **labels: str) -> float:
        """What a counter says; 0 for one that nothing has touched."""
        return self.figures.get_sample_value(name, {**labels, "livemode": "false"}) or 0

    async def overdue(self) -> None:
        """As if the leases of all promises had run out, and the settler looked."""
        await self.pool.execute("UPDATE promise SET due_at = now() - interval '1 second'")
        await self.settler.settle()

    async def events(self, of: str) -> list[str]:
        """The types of the events about an object, in their order."""
        rows = await self.pool.fetch("SELECT type FROM outbox_event WHERE object_id = $1 ORDER BY id", of)
        return [row["type"] for row in rows]

    async def history(self, of: str) -> list[tuple[str, str, str]]:
        rows = await self.pool.fetch("SELECT edge, before, after FROM history WHERE object_id = $1 ORDER BY number", of)
        return [tuple(row) for row in rows]


_accounts = iter(range(1, 1_000_000))


@pytest.fixture
async def api(database: engines.Database) -> AsyncIterator[Api]:
    """A service with an account of its own."""
    async with postgres.pool(database.dsn, largest=8) as pool, fakes.serving() as behind:
        registry = CollectorRegistry()
        rows = store.Store(pool, figures.Figures(registry).committed)
        world = World(
            rows, wallet.Wallet(behind.cards, rows), acquiring.Transactions(behind.money), "https://pay.example.com"
        )
        yield Api(app.application(world), pool, world, behind, f"acct_{next(_accounts)}", registry)


class _Gateway:
    """What the gateway does, for the official client: ``sk_test_acct_1`` becomes headers."""

    def __init__(self, application: Any) -> None:
        self._app = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
        key = dict(scope["headers"]).get(b"authorization", b"").removeprefix(b"Bearer ")
        kind = b"publishable" if key.startswith(b"pk_") else b"secret"
        headers += [(b"x-account-id", key[8:]), (b"x-livemode", b"false"), (b"x-key-kind", kind), (b"x-scopes", b"*")]
        await self._app({**scope, "headers": headers}, receive, send)


@pytest.fixture
async def client(api: Api) -> AsyncIterator[stripe.StripeClient]:
    """The official client, over HTTP; use it by `asyncio.to_thread`."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    sock.setblocking(False)
    server = listeners.HttpServer(_Gateway(api.app), sock)
    await server.start()
    port = sock.getsockname()[1]
    yield stripe.StripeClient(f"sk_test_{api.account}", base_addresses={"api": f"http://127.0.0.1:{port}"})
    await server.stop(0)
