"""Redis by redis-py: a client from a URL, the key prefix that the server's ACL enforces, a readiness check.

The prefix is part of the URL: ``redis://rate-user:…@redis:6379/0?prefix=rate:``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from groundplan_runtime import settings

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Store:
    """A client and the prefix of the keys it may use."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self.client = client
        self.prefix = prefix

    def key(self, *parts: object) -> str:
        """``key("login", 7)`` → ``rate:login:7``."""
        return self.prefix + ":".join(map(str, parts))

    async def check(self) -> None:
        """Returns when the server answers; for `App.ready`."""
        await self.client.ping()


@contextlib.asynccontextmanager
async def store(
    url: settings.Secret | str,
    *,
    prefix: str | None = None,
    timeout: float = 1.0,
    connect_timeout: float = 1.0,
    connections: int = 64,
) -> AsyncIterator[Store]:
    """The store at `url`. Connects at first use; times in seconds. Answers are bytes.

    A command whose connection was closed while idle is sent once more; others are not, since nobody
    knows whether they were done.
    """
    from redis.asyncio import BlockingConnectionPool, Redis  # 100 ms of import that others need not wait for
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    plain, found = split(url.reveal() if isinstance(url, settings.Secret) else url)
    pool: Any = BlockingConnectionPool.from_url(
        plain,
        max_connections=connections,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=connect_timeout,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 0),
    )
    client = Redis(connection_pool=pool)
    try:
        yield Store(client, found if prefix is None else prefix)
    finally:
        await client.aclose()
        await pool.disconnect()


def split(url: str) -> tuple[str, str]:
    """`url` without its ``prefix`` parameter, and that prefix."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    prefix = next((value for name, value in query if name == "prefix"), "")
    rest = urlencode([(name, value) for name, value in query if name != "prefix"])
    return urlunsplit(parts._replace(query=rest)), prefix
