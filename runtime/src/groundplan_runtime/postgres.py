"""PostgreSQL by asyncpg: a pool with sane limits, a readiness check, transactions that may be tried again."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal, TypeVar

import asyncpg
import msgspec

from groundplan_runtime import contract, settings, traces

T = TypeVar("T")

Isolation = Literal["read_committed", "repeatable_read", "serializable"]

RETRYABLE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""SQLSTATE 40001 and 40P01: nothing was done, and the same transaction may well succeed now."""

# What a statement changes, however it begins; `FOR UPDATE` and `DO UPDATE SET` change nothing of their own.
_CHANGED = re.compile(
    r"(?<!for )(?<!do )\b(insert\s+into|delete\s+from|update)\s+(?:only\s+)?([a-z_][\w.]*)", re.IGNORECASE
)
_READ = re.compile(r"\bfrom\s+(?:only\s+)?([a-z_][\w.]*)", re.IGNORECASE)

_NOT_YET = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
)


class Unavailable(Exception):
    """The database did not accept a connection in time."""


@contextlib.asynccontextmanager
async def pool(
    dsn: settings.Secret | str,
    *,
    smallest: int = 1,
    largest: int = 10,
    command_timeout: float = 10.0,
    start_timeout: float = 30.0,
    statement_cache_size: int = 256,
) -> AsyncIterator[asyncpg.Pool[Any]]:
    """A pool of connections; waits up to `start_timeout` for the server. Times in seconds.

    Connections are returned without asyncpg's reset query (a round trip each): change session state
    only with ``SET LOCAL``, and listen on connections of your own. JSON columns are Python values.
    A connection that broke is replaced at its next use, so a server that died and returned is found again.
    """
    arguments: dict[str, Any] = {
        "min_size": smallest,
        "max_size": largest,
        "command_timeout": command_timeout,
        "timeout": 5.0,
        "statement_cache_size": statement_cache_size,
        "max_inactive_connection_lifetime": 120.0,
        "server_settings": {"application_name": _application_name(), "timezone": "UTC"},
        "init": _prepare,
        "reset": _keep,
    }
    opened = await _open(_plain(dsn), arguments, time.monotonic() + start_timeout)
    try:
        yield opened
    finally:
        await _close(opened)


async def check(pool: asyncpg.Pool[Any]) -> None:
    """Returns when the database answers; for `App.ready`."""
    await pool.fetchval("SELECT 1", timeout=1.0)


async def transaction(
    pool: asyncpg.Pool[Any],
    work: Callable[[asyncpg.pool.PoolConnectionProxy[Any]], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    tries: int = 1,
    acquire_timeout: float = 5.0,
) -> T:
    """`work`'s result, committed. With `tries` above 1, `work` is run anew after a serialization failure or a
    deadlock, so it must do nothing outside the transaction that cannot be done twice.
    """
    for attempt in range(1, tries + 1):
        async with pool.acquire(timeout=acquire_timeout) as connection:
            try:
                async with connection.transaction(isolation=isolation):
                    return await work(connection)
            except RETRYABLE:
                if attempt == tries:
                    raise
        # Outside the connection, so that the one we lost to may have it.
        await asyncio.sleep(random.random() * 0.01 * 2**attempt)  # noqa: S311  (jitter)
    raise ValueError("tries must be at least 1")


def gauges(pool: asyncpg.Pool[Any]) -> dict[tuple[str, ...], float]:
    """For `metrics.Gauges("db_pool_connections", "…", ("state",), lambda: postgres.gauges(pool))`."""
    size, idle = pool.get_size(), pool.get_idle_size()
    return {("idle",): idle, ("used",): size - idle, ("limit",): pool.get_max_size()}


async def _open(dsn: str, arguments: dict[str, Any], until: float) -> asyncpg.Pool[Any]:
    while True:
        try:
            return await asyncpg.create_pool(dsn, **arguments)
        except _NOT_YET as error:
            if time.monotonic() >= until:
                raise Unavailable(f"PostgreSQL did not accept a connection in time: {error}") from error
        await asyncio.sleep(0.1)


async def _close(opened: asyncpg.Pool[Any]) -> None:
    try:
        async with asyncio.timeout(5):
            await opened.close()
    except TimeoutError:
        opened.terminate()


_encode = msgspec.json.Encoder().encode


async def _prepare(connection: asyncpg.Connection[Any]) -> None:
    # jsonb on the wire is one version byte and the text (src/backend/utils/adt/jsonb.c: jsonb_send).
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _encode(value),
        decoder=lambda raw: msgspec.json.decode(raw[1:]),
        format="binary",
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_encode, decoder=msgspec.json.decode, format="binary"
    )
    if traces.recording():
        connection.add_query_logger(_trace)


def _trace(query: Any) -> None:
    """A statement as a span, its parameters left out (asyncpg's LoggedQuery; elapsed in seconds).

    It is told of at the next turn of the event loop: that much too late the span stands in its trace.
    Names: https://opentelemetry.io/docs/specs/semconv/database/postgresql/
    """
    text = query.query
    span = traces.ended(
        summary(text), "client", query.elapsed, **{"db.system.name": "postgresql", "db.query.text": text}
    )
    if span is not None and query.exception is not None:
        span.error = type(query.exception).__name__


@functools.lru_cache(maxsize=1024)
def summary(statement: str) -> str:
    """What it does and to which table, of low cardinality: ``INSERT entry`` (its first change, else what it reads)."""
    if changed := _CHANGED.search(statement):
        return f"{changed[1].split()[0].upper()} {changed[2]}"
    verb = (statement.split(maxsplit=1) or ["?"])[0].upper().rstrip(";")
    read = _READ.search(statement)
    return f"{'SELECT' if verb == 'WITH' else verb} {read[1]}" if read else verb


async def _keep(connection: asyncpg.Connection[Any]) -> None:
    """Nothing to reset: see `pool`."""


def _application_name() -> str:
    return os.environ.get(contract.SERVICE_INSTANCE) or os.environ.get(contract.SERVICE_NAME, "groundplan")


def _plain(dsn: settings.Secret | str) -> str:
    return dsn.reveal() if isinstance(dsn, settings.Secret) else dsn
