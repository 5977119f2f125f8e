"""The sender over a real outbox, merchants' servers on free ports, and a clock that tests move."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from groundplan_runtime import postgres
from payments.api import changes, kinds
from payments.api import store as outbox
from payments.api.handlers import webhook_endpoints
from payments.api.objects import customers, events, rows
from payments.api.wire import calls
from payments.common import ids
from payments.webhooks import guard, posting, sender, store
from platforms.payments.tests import engines


@dataclasses.dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Server:
    """A merchant's server: takes requests and answers what it is told."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        self.hangs = False
        self._released = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, tls: Any = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?a=1"

    async def stop(self) -> None:
        assert self._server is not None
        self._released.set()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.append(Received(headers, body))
        if self.hangs:
            await self._released.wait()
            return False
        writer.write(self.answer)
        await writer.drain()
        return True


class Clock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@dataclasses.dataclass
class Post:
    """An account with its outbox, and a sender."""

    pool: asyncpg.Pool[Any]
    sender: sender.Sender
    poster: posting.Poster
    clock: Clock
    tenant: calls.Tenant

    def allow(self, *servers: Server) -> None:
        """Only these may be called although they are on this machine."""
        listed = ",".join(f"127.0.0.1:{one.port}" for one in servers)
        self.poster.guard = guard.Guard(guard.exemptions(listed))

    async def endpoint(self, url: str, *types: str) -> rows.Row[events.WebhookEndpoint]:
        made = events.WebhookEndpoint(
            id=ids.new("we"), created=1, enabled_events=list(types) or ["*"], livemode=False, url=url
        )
        secret = rows.Secret(webhook_endpoints.new_secret())
        row = rows.Row(self.tenant, made, rows.Inner(secrets=(secret,)))
        write = changes.along(kinds.ENDPOINT, row, "create")
        await outbox.Store(self.pool).commit(changes.Change(self.tenant, (write,)))
        return write.stored

    async def happen(self) -> str:
        """Something happens; the event's id."""
        made = customers.Customer(id=ids.new("cus"), created=1, livemode=False, email="zoë@example.com")
        write = changes.along(kinds.CUSTOMER, rows.Row(self.tenant, made), "create")
        await outbox.Store(self.pool).commit(changes.Change(self.tenant, (write,)))
        found = await self.pool.fetchval("SELECT id FROM outbox_event WHERE object_id = $1", made.id)
        self.clock.now = max(self.clock.now, time.time() + 1)
        return str(found)

    async def round(self) -> int:
        """One look, and everything it started."""
        found = await self.sender.look()
        await self.sender.settle()
        return found

    async def states(self) -> list[str]:
        rows_ = await self.pool.fetch(
            "SELECT state FROM outbox_delivery WHERE account_id = $1 ORDER BY event_id, endpoint_id", self.tenant[0]
        )
        return [row["state"] for row in rows_]

    async def attempts(self, event: str) -> list[tuple[int | None, str]]:
        found = await self.pool.fetch(
            "SELECT status, error FROM outbox_attempt WHERE event_id = $1 ORDER BY number", event
        )
        return [(row["status"], row["error"]) for row in found]


@pytest.fixture(scope="module")
def database(postgres: engines.Postgres) -> engines.Database:
    return postgres.database("payments.api.migrations")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def post(database: engines.Database) -> AsyncIterator[Post]:
    async with postgres.pool(database.dsn, largest=4) as pool:
        # Each test has the outbox to itself: what another left pending would be sent again.
        await pool.execute("DELETE FROM outbox_delivery")
        clock = Clock()
        poster = posting.Poster(guard.Guard())
        made = sender.Sender(store.Store(pool), poster, clock, random.Random(1))
        yield Post(pool, made, poster, clock, calls.Tenant(ids.new("acct"), False))
        poster.close()
