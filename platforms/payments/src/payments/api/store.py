"""The database of payment-api: the only place with SQL.

A change (`changes.Change`) is one statement and so one transaction and one round trip: guarded updates, inserts, the
history, the events and their deliveries, the promise, the idempotency key. Every guard must hold, or nothing is
written (`all_or_nothing` in the migration).
"""

# ruff: noqa: S608  (SQL is put together from names of our own tables, never from input)
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import asyncpg

from payments.api import changes, kinds
from payments.api.objects import rows
from payments.api.wire import calls

LEASE = 30
"""Seconds that a request has to keep its promise before the settler does."""
_STALE = "ST001"
_KEY_CONSTRAINT = "idempotency_key_pkey"


UNAVAILABLE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError)
"""The database is away, not wrong."""


class Stale(Exception):
    """Somebody changed an object between our reading and our writing; nothing was written."""


class KeyTaken(Exception):
    """The idempotency key exists already; nothing was written."""


class Shape(NamedTuple):
    """What a change consists of, as far as its statement's text depends on it."""

    writes: tuple[tuple[str, bool], ...]
    """Table, and whether the row is new."""
    events: bool
    promise: bool
    kept: bool
    claim: bool
    finish: bool


class _Numbers:
    """Hands out $1, $2, … while a statement is written."""

    def __init__(self) -> None:
        self._last = 0

    def take(self, casts: str) -> list[str]:
        """One parameter for each cast: ``take("text jsonb")``; jsonb comes as text."""
        taken = []
        for cast in casts.split():
            self._last += 1
            taken.append(f"${self._last}::text::{cast}" if cast in ("jsonb", "json") else f"${self._last}::{cast}")
        return taken


@functools.lru_cache(maxsize=512)
def _statement(shape: Shape) -> str:
    numbers = _Numbers()
    whose = ", ".join(numbers.take("text boolean"))
    account, livemode = whose.split(", ")
    parts: list[str] = []
    guards: list[str] = []

    def guard(name: str, sql: str) -> None:
        parts.append(f"{name} AS ({sql} RETURNING 1)")
        guards.append(f"(SELECT count(*) FROM {name})")

    for number, (table, new) in enumerate(shape.writes):
        guard(f"w{number}", _insert(table, whose, numbers) if new else _update(table, account, livemode, numbers))
    if shape.promise:
        guard("promised", _promise(whose, numbers))
    if shape.kept:
        (promise,) = numbers.take("text")
        guard("kept", f"DELETE FROM promise WHERE id = {promise}")
    if shape.claim:
        guard("claimed", _claim(whose, numbers))
    if shape.finish:
        guard("finished", _finish(account, livemode, numbers))
    parts.append(_history(whose, numbers))
    if shape.events:
        parts += _outbox(account, livemode, numbers)
    return f"WITH {', '.join(parts)} SELECT all_or_nothing({len(guards)}, {' + '.join(guards)})"


def _insert(table: str, whose: str, numbers: _Numbers) -> str:
    values = ", ".join(numbers.take("text text jsonb jsonb"))
    return f"INSERT INTO {table} (account_id, livemode, id, state, body, inner_body) VALUES ({whose}, {values})"


def _update(table: str, account: str, livemode: str, numbers: _Numbers) -> str:
    one, state, body, inner, version, before = numbers.take("text text jsonb jsonb integer text")
    return f"""UPDATE {table} SET state = {state}, body = {body}, inner_body = {inner}, version = version + 1
        WHERE account_id = {account} AND livemode = {livemode} AND id = {one}
        AND version = {version} AND state = {before}"""


def _promise(whose: str, numbers: _Numbers) -> str:
    values = ", ".join(numbers.take("text text text jsonb text text"))
    columns = "account_id, livemode, id, kind, subject, params, idempotency_key, request_id, due_at"
    return f"""INSERT INTO promise ({columns})
        VALUES ({whose}, {values}, now() + interval '{LEASE} seconds')"""


def _claim(whose: str, numbers: _Numbers) -> str:
    key, fingerprint, point, status, response = numbers.take("text bytea text integer text")
    lease = f"CASE WHEN {status} IS NULL THEN now() + interval '{LEASE} seconds' END"
    columns = "account_id, livemode, key, fingerprint, recovery_point, status, response, leased_until"
    return f"""INSERT INTO idempotency_key ({columns})
        VALUES ({whose}, {key}, {fingerprint}, {point}, {status}, {response}, {lease})"""


def _finish(account: str, livemode: str, numbers: _Numbers) -> str:
    key, status, response = numbers.take("text integer text")
    return f"""UPDATE idempotency_key
        SET recovery_point = 'finished', leased_until = NULL, status = {status}, response = {response}
        WHERE account_id = {account} AND livemode = {livemode} AND key = {key} AND recovery_point <> 'finished'"""


def _history(whose: str, numbers: _Numbers) -> str:
    arrays = ", ".join(numbers.take("text[] text[] text[] text[] text[]"))
    return f"""history_lines AS (INSERT INTO history (account_id, livemode, kind, object_id, edge, before, after)
        SELECT {whose}, kind, object_id, edge, before, after
        FROM unnest({arrays}) WITH ORDINALITY AS line (kind, object_id, edge, before, after, n) ORDER BY n)"""


def _outbox(account: str, livemode: str, numbers: _Numbers) -> list[str]:
    arrays = ", ".join(numbers.take("text[] text[] text[] text[] bigint[]"))
    return [
        f"""events AS (INSERT INTO outbox_event (account_id, livemode, id, type, object_id, body, created)
        SELECT {account}, {livemode}, one.id, one.type, one.object_id, one.body::json, one.created
        FROM unnest({arrays}) AS one (id, type, object_id, body, created) RETURNING id, type)""",
        f"""deliveries AS (INSERT INTO outbox_delivery (event_id, endpoint_id, account_id, livemode)
        SELECT events.id, endpoint.id, {account}, {livemode} FROM events, webhook_endpoint AS endpoint
        WHERE endpoint.account_id = {account} AND endpoint.livemode = {livemode} AND endpoint.state = 'enabled'
        AND endpoint.body->'enabled_events' ?| ARRAY[events.type, '*'])""",
    ]


class Key(NamedTuple):
    """An idempotency key as it is stored."""

    fingerprint: bytes
    recovery_point: str
    status: int | None
    response: str | None


class Page(NamedTuple):
    """A question for a list: newest first, keyset on the id."""

    limit: int
    after: str = ""
    before: str = ""
    filters: tuple[tuple[str, Any], ...] = ()
    """Column and value."""
    created: tuple[tuple[str, int], ...] = ()
    """Comparison and Unix seconds: (">=", 1700000000)."""


class Overdue(NamedTuple):
    """A promise that somebody else did not keep in time."""

    tenant: calls.Tenant
    promise: changes.Promise
    tries: int


_COLUMNS = "body::text, inner_body::text, version, state"


class Store:
    """One pool; every method is one round trip. `committed` hears each change once it is written."""

    def __init__(
        self, pool: asyncpg.Pool[Any], committed: Callable[[changes.Change], None] = lambda change: None
    ) -> None:
        self._pool = pool
        self._committed = committed

    async def commit(self, change: changes.Change) -> None:
        """Writes all of `change`; raises `Stale` or `KeyTaken` and has then written nothing."""
        events = changes.events_of(change)
        shape = Shape(
            tuple((write.kind.table, write.row.version == 0) for write in change.writes),
            bool(events),
            change.promise is not None,
            bool(change.kept),
            change.claim is not None,
            change.finish is not None,
        )
        try:
            await self._pool.fetchval(_statement(shape), *_values(change, events))
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == _KEY_CONSTRAINT:
                raise KeyTaken from None
            raise
        except asyncpg.PostgresError as error:
            if error.sqlstate == _STALE:
                raise Stale from None
            raise
        self._committed(change)

    async def find(self, tenant: calls.Tenant, kind: kinds.Kind, one: str) -> rows.Row[Any] | None:
        found = await self._pool.fetchrow(_FIND[kind.table], *tenant, one)
        return _row(tenant, kind, found) if found else None

    async def find_all(
        self, tenant: calls.Tenant, wanted: Sequence[tuple[kinds.Kind, str]]
    ) -> dict[str, rows.Row[Any]]:
        """The rows that exist, by id, in one round trip."""
        sql = _find_all(tuple(kind.table for kind, _ in wanted))
        found = await self._pool.fetch(sql, *tenant, *(one for _, one in wanted))
        return {row.id: row for row in (_row(tenant, kinds.of_table(one["kind"]), one) for one in found)}

    async def page(self, tenant: calls.Tenant, kind: kinds.Kind, page: Page) -> tuple[list[rows.Row[Any]], bool]:
        """The rows in the order they are shown, and whether there are more."""
        sql, values = _listing(kind.table, _COLUMNS, page)
        found = [_row(tenant, kind, one) for one in await self._pool.fetch(sql, *tenant, *values)]
        return _cut(found, page)

    async def session(self, one: str) -> rows.Row[Any] | None:
        """A checkout session by its id alone: its page is for whoever has the address."""
        found = await self._pool.fetchrow(_FIND_SESSION, one)
        return _row(calls.Tenant(found["account_id"], found["livemode"]), kinds.SESSION, found) if found else None

    async def intent_of(self, session: rows.Row[Any]) -> rows.Row[Any] | None:
        one = session.object.payment_intent
        return await self.find(session.tenant, kinds.INTENT, one) if one else None

    async def outlived(self, now: int, limit: int) -> list[rows.Row[Any]]:
        """Open checkout sessions past their time that nobody is paying just now."""
        found = await self._pool.fetch(_OUTLIVED, now, limit)
        return [_row(calls.Tenant(one["account_id"], one["livemode"]), kinds.SESSION, one) for one in found]

    async def key(self, tenant: calls.Tenant, key: str) -> Key | None:
        found = await self._pool.fetchrow(_FIND_KEY, *tenant, key)
        return Key(*found) if found else None

    async def overdue(self, limit: int) -> list[Overdue]:
        """Promises past their time, leased anew to the caller; no two callers get the same."""
        return [_overdue(one) for one in await self._pool.fetch(_TAKE_OVERDUE, limit)]

    async def promise(self, one: str) -> bool:
        """Whether the promise is still open."""
        return bool(await self._pool.fetchval("SELECT true FROM promise WHERE id = $1", one))

    async def postpone(self, one: str, seconds: float) -> None:
        """Ask again after `seconds`."""
        await self._pool.execute(_POSTPONE, one, seconds)

    async def events(self, tenant: calls.Tenant, page: Page, types: tuple[str, ...]) -> list[Any]:
        """Events (``body``, ``pending``), one more than the page holds where there are more."""
        sql, values = _listing("outbox_event", _EVENT, page, "type = ANY($3)" if types else "")
        return list(await self._pool.fetch(sql, *tenant, *((list(types),) if types else ()), *values))

    async def event_page(self, tenant: calls.Tenant, page: Page, types: tuple[str, ...]) -> tuple[list[Any], bool]:
        return _cut(await self.events(tenant, page, types), page)

    async def redeliver(self, tenant: calls.Tenant, event: str, endpoint: str, claim: changes.Key | None) -> None:
        """Makes a delivery due now; raises `KeyTaken`."""
        async with self._pool.acquire() as connection, connection.transaction():
            if claim is not None:
                await self._claimed(connection, tenant, claim)
            await connection.execute(_REDELIVER, *tenant, event, endpoint)

    async def _claimed(self, connection: Any, tenant: calls.Tenant, claim: changes.Key) -> None:
        values = (claim.key, claim.fingerprint, claim.recovery_point, *_answered(claim))
        try:
            await connection.execute(_CLAIM, *tenant, *values)
        except asyncpg.UniqueViolationError:
            raise KeyTaken from None

    async def attempts(self, endpoint: str, limit: int) -> list[Any]:
        """The last attempts at an endpoint, newest first; whose it is was asked before."""
        return list(await self._pool.fetch(_ATTEMPTS, endpoint, limit))

    async def attempts_of(self, tenant: calls.Tenant, event: str, limit: int) -> list[Any]:
        """The last attempts to deliver an event."""
        return list(await self._pool.fetch(_ATTEMPTS_OF, *tenant, event, limit))

    async def forget_keys(self, hours: int, limit: int) -> int:
        """Deletes finished keys older than `hours`, at most `limit`; how many."""
        return int((await self._pool.execute(_FORGET_KEYS, hours, limit)).split()[-1])


def _values(change: changes.Change, events: list[changes.Event]) -> list[Any]:
    values: list[Any] = [*change.tenant]
    for write in change.writes:
        row = write.row
        body, inner = changes.encode(row.object).decode(), changes.encode(row.inner).decode()
        values += (row.id, write.state, body, inner)
        if row.version:
            values += (row.version, row.state)
    if change.promise is not None:
        promise = change.promise
        params = changes.encode(promise.values).decode()
        values += (promise.id, promise.kind, promise.subject, params, promise.key, promise.request_id)
    if change.kept:
        values.append(change.kept)
    if change.claim is not None:
        values += (change.claim.key, change.claim.fingerprint, change.claim.recovery_point, *_answered(change.claim))
    if change.finish is not None:
        values += (change.finish.key, *_answered(change.finish))
    steps = [(write.row.id, step.edge) for write in change.writes for step in write.steps]
    values += ([edge.kind for _, edge in steps], [one for one, _ in steps], [edge.name for _, edge in steps])
    values += ([edge.before for _, edge in steps], [edge.after for _, edge in steps])
    if events:
        values += zip(*events, strict=True)
    return values


def _answered(key: changes.Key) -> tuple[int | None, str | None]:
    return (key.answer.status, key.answer.body.decode()) if key.answer else (None, None)


def _row(tenant: calls.Tenant, kind: kinds.Kind, found: Any) -> rows.Row[Any]:
    return rows.Row(
        tenant, kind.decode(found["body"]), rows.inner(found["inner_body"]), found["version"], found["state"]
    )


_EVENT = """body::text, id, (SELECT count(*) FROM outbox_delivery AS one
    WHERE one.event_id = outbox_event.id AND one.state = 'pending')::integer AS pending"""
_CLAIM = """INSERT INTO idempotency_key (account_id, livemode, key, fingerprint, recovery_point, status, response)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_REDELIVER = """INSERT INTO outbox_delivery (account_id, livemode, event_id, endpoint_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (event_id, endpoint_id) DO UPDATE SET state = 'pending', tries = 0, due_at = now()"""
_ATTEMPT = "at, status, error, event_id, endpoint_id, milliseconds"
_ATTEMPTS = f"SELECT {_ATTEMPT} FROM outbox_attempt WHERE endpoint_id = $1 ORDER BY number DESC LIMIT $2"
_ATTEMPTS_OF = f"""SELECT {_ATTEMPT} FROM outbox_attempt WHERE event_id = (SELECT id FROM outbox_event
    WHERE account_id = $1 AND livemode = $2 AND id = $3) ORDER BY number DESC LIMIT $4"""

_WHOSE = "account_id = $1 AND livemode = $2"
_FIND = {kind.table: f"SELECT {_COLUMNS} FROM {kind.table} WHERE {_WHOSE} AND id = $3" for kind in kinds.KINDS}
_FIND_SESSION = f"SELECT account_id, livemode, {_COLUMNS} FROM checkout_session WHERE id = $1"
_OUTLIVED = f"""SELECT account_id, livemode, {_COLUMNS} FROM checkout_session
    WHERE state = 'open' AND expires_at <= $1 AND NOT inner_body ? 'promise' ORDER BY expires_at LIMIT $2"""
_FIND_KEY = f"SELECT fingerprint, recovery_point, status, response FROM idempotency_key WHERE {_WHOSE} AND key = $3"


@functools.lru_cache(maxsize=512)
def _find_all(tables: tuple[str, ...]) -> str:
    return " UNION ALL ".join(
        f"SELECT '{table}' AS kind, {_COLUMNS} FROM {table} WHERE {_WHOSE} AND id = ${number}"
        for number, table in enumerate(tables, 3)
    )


def _listing(table: str, columns: str, page: Page, first: str = "") -> tuple[str, list[Any]]:
    """`first` is a condition with a parameter of its own, $3."""
    conditions, values = [_WHOSE, *([first] if first else [])], list[Any]()
    offset = 3 if first else 2
    compared = [(column, "=", value) for column, value in page.filters]
    compared += [("created", comparison, value) for comparison, value in page.created]
    compared += [("id", "<", page.after)] if page.after else []
    compared += [("id", ">", page.before)] if page.before else []
    for column, comparison, value in compared:
        values.append(value)
        conditions.append(f"{column} {comparison} ${len(values) + offset}")
    order = "ASC" if page.before else "DESC"
    values.append(page.limit + 1)
    where = " AND ".join(conditions)
    return f"SELECT {columns} FROM {table} WHERE {where} ORDER BY id {order} LIMIT ${len(values) + offset}", values


def _cut(found: list[Any], page: Page) -> tuple[list[Any], bool]:
    more = len(found) > page.limit
    shown = found[: page.limit]
    return (shown[::-1] if page.before else shown), more


# The lease grows with the tries, so that what stays unknown for long is asked ever more seldom (at most every 10 min).
_TAKE_OVERDUE = """
UPDATE promise SET tries = tries + 1, due_at = now() + make_interval(secs => least(600, 5 * 2 ^ least(tries, 8)))
WHERE id IN (SELECT id FROM promise WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING account_id, livemode, id, kind, subject, params::text, idempotency_key, request_id, tries
"""
_POSTPONE = "UPDATE promise SET due_at = now() + make_interval(secs => $2) WHERE id = $1"
_FORGET_KEYS = """
DELETE FROM idempotency_key WHERE (account_id, livemode, key) IN (
    SELECT account_id, livemode, key FROM idempotency_key
    WHERE created_at < now() - make_interval(hours => $1) AND recovery_point = 'finished'
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


def _overdue(one: Any) -> Overdue:
    promise = changes.Promise(
        one["id"], one["kind"], one["subject"], changes.decode(one["params"]), one["idempotency_key"], one["request_id"]
    )
    return Overdue(calls.Tenant(one["account_id"], one["livemode"]), promise, one["tries"])
