# ruff: noqa: S608  (SQL is put together from constants of this file)
"""Rows of transactions, operations and the ledger; the only place with SQL.

A step is one statement: transaction, operation, history, entries and settlement are written together or not at all,
in one round trip. It is guarded by the transaction's version, which every step counts up; whoever comes second reads
again and decides anew. READ COMMITTED is enough: nothing is decided from rows that the guard does not cover.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Literal

import asyncpg
import msgspec

from payments.common import ids
from payments.transaction import ledger
from payments.transaction.changes import Change
from payments.transaction.records import Dispute, Operation, Transaction

# Columns and their types, in the order in which statements take them.
_FIXED = {
    "id": "text", "account_id": "text", "livemode": "boolean", "reference": "text", "card_token": "text",
    "currency": "text", "created_at": "timestamptz", "expires_at": "timestamptz", "amount": "bigint",
}  # fmt: skip
_CHANGING = {
    "state": "text", "authorized": "bigint", "held": "bigint", "capturing": "bigint", "captured": "bigint",
    "refunding": "bigint", "refunded": "bigint", "disputed": "bigint", "fee": "bigint", "releasing": "boolean",
    "in_doubt": "integer", "decline_code": "text", "error_code": "text", "message": "text",
    "acquirer_reference": "text", "authentication_url": "text", "network_transaction_id": "text",
}  # fmt: skip
_ASKED = {
    "id": "text", "transaction_id": "text", "account_id": "text", "kind": "text", "request_id": "text",
    "parameters": "bytea", "amount": "bigint", "created_at": "timestamptz", "capture": "boolean", "final": "boolean",
    "off_session": "boolean", "authentication": "text", "descriptor": "text", "reference": "text", "reason": "text",
}  # fmt: skip
_OUTCOME = {
    "state": "text", "failure": "text", "acquirer_reference": "text", "answer": "bytea", "settled_at": "timestamptz",
}  # fmt: skip
_TRANSACTION = ", ".join((*_FIXED, *_CHANGING, "version"))
_OPERATION = ", ".join((*_ASKED, *_OUTCOME, "attempts"))
_OPEN = "state IN ('pending', 'unknown')"


class _Parameters:
    """Numbers the parameters of a statement while it is put together."""

    def __init__(self) -> None:
        self._count = 0

    def take(self, *types: str) -> list[str]:
        first = self._count + 1
        self._count += len(types)
        return [f"${number}::{kind}" for number, kind in enumerate(types, first)]

    def one(self, kind: str) -> str:
        return self.take(kind)[0]


def _values(columns: dict[str, str], parameters: _Parameters) -> str:
    return ", ".join(parameters.take(*columns.values()))


def _assignments(columns: dict[str, str], parameters: _Parameters) -> str:
    return ", ".join(f"{name} = {at}" for name, at in zip(columns, parameters.take(*columns.values()), strict=True))


def _rest(number: _Parameters) -> str:
    """History, entries and settlement of the step, if its operation was written."""
    transaction, operation, at = number.take("text", "text", "timestamptz")
    source, target = number.take("text", "text")
    account, livemode, currency = number.take("text", "boolean", "text")
    entries = ", ".join(number.take("text[]", "text[]", "text[]", "bigint[]", "text[]"))
    settlement, net, available_at = number.take("text", "bigint", "timestamptz")
    return f"""
    step AS (
        INSERT INTO history (transaction_id, operation_id, source, target, at)
        SELECT {transaction}, {operation}, {source}, {target}, {at} FROM op WHERE {source} <> {target}
    ), entries AS (
        INSERT INTO entry (id, posting_id, ledger_account, amount, kind, account_id, livemode, currency,
                           transaction_id, created_at)
        SELECT e.*, {account}, {livemode}, {currency}, {transaction}, {at}
        FROM op, unnest({entries}) AS e (id, posting_id, ledger_account, amount, kind)
    ), owed AS (
        INSERT INTO settlement (id, transaction_id, account_id, livemode, currency, amount, available_at)
        SELECT {settlement}, {transaction}, {account}, {livemode}, {currency}, {net}, {available_at}
        FROM op WHERE {net} <> 0
    )
    SELECT count(*) FROM op"""


def _beginning(*, new: bool) -> str:
    """A step that begins an operation; `new` with its transaction."""
    number = _Parameters()
    if new:
        written = f"""INSERT INTO transaction ({", ".join((*_FIXED, *_CHANGING))})
        VALUES ({_values(_FIXED | {f"_{name}": kind for name, kind in _CHANGING.items()}, number)}) RETURNING id"""
    else:
        written = f"{_updated(number)} RETURNING id"
    return f"""
    WITH tx AS ({written}), op AS (
        INSERT INTO operation ({", ".join((*_ASKED, *_OUTCOME))}, lease_until)
        SELECT {_values(_ASKED, number)}, {_values(_OUTCOME, number)}, now() + {number.one("interval")} FROM tx
        RETURNING id
    ), {_rest(number)}"""


def _settling() -> str:
    """A step that decides an operation, or marks it unknown."""
    number = _Parameters()
    written, operation = _updated(number), number.one("text")
    # Either both rows are written or neither, even were an operation decided without its transaction's version.
    both = f"AND EXISTS (SELECT FROM operation WHERE id = {operation} AND {_OPEN})"
    return f"""
    WITH tx AS ({written} {both} RETURNING id), op AS (
        UPDATE operation SET {_assignments(_OUTCOME, number)}, lease_until = now() + {number.one("interval")}
        FROM tx WHERE operation.id = {operation} AND operation.{_OPEN} RETURNING operation.id
    ), {_rest(number)}"""


def _updated(number: _Parameters) -> str:
    assignments = _assignments(_CHANGING, number)
    transaction, version = number.take("text", "integer")
    return f"""UPDATE transaction SET version = version + 1, {assignments}
        WHERE id = {transaction} AND version = {version}"""


_CREATE = _beginning(new=True)
_BEGIN = _beginning(new=False)
_SETTLE = _settling()

_FIND = f"SELECT {_TRANSACTION} FROM transaction WHERE id = $1 AND account_id = $2"
_FIND_LATEST = f"""
SELECT {_TRANSACTION} FROM transaction WHERE reference = $1 AND account_id = $2 ORDER BY id DESC LIMIT 1
"""
_LIST = f"""
SELECT {_TRANSACTION} FROM transaction
WHERE account_id = $1 AND ($2 = '' OR id < $2) AND ($3 = '' OR state = $3) ORDER BY id DESC LIMIT $4
"""
_FIND_OPERATION = f"SELECT {_OPERATION} FROM operation WHERE account_id = $1 AND kind = $2 AND request_id = $3"
_OPERATION_BY_ID = f"SELECT {_OPERATION} FROM operation WHERE id = $1"

_CLAIM = f"""
UPDATE operation SET lease_until = now() + $2::interval, attempts = attempts + 1
WHERE id = $1 AND {_OPEN} AND lease_until <= now() RETURNING {_OPERATION}
"""
_CLAIM_DUE = f"""
UPDATE operation SET lease_until = now() + $2::interval, attempts = attempts + 1
WHERE id IN (SELECT id FROM operation WHERE {_OPEN} AND lease_until <= now()
             ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING {_OPERATION}
"""
_CLAIM_DOUBTFUL = f"""
UPDATE operation SET lease_until = now() + $2::interval, attempts = attempts + 1
WHERE id IN (SELECT id FROM operation WHERE state = 'unknown' OR (state = 'pending' AND lease_until <= now())
             ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING {_OPERATION}
"""
_POSTPONE = f"UPDATE operation SET lease_until = now() + $2::interval WHERE id = $1 AND {_OPEN}"
_COUNT_OPEN = f"SELECT count(*) FROM operation WHERE {_OPEN}"

_EXPIRING = f"""
SELECT {_TRANSACTION} FROM transaction
WHERE expires_at <= now() AND NOT releasing AND (held > 0 OR state IN ('AUTHORIZED', 'REQUIRES_ACTION'))
  AND capturing = 0 ORDER BY expires_at LIMIT $1
"""

_SETTLEMENTS_DUE = """
UPDATE settlement SET done = true
WHERE id IN (SELECT id FROM settlement WHERE NOT done AND available_at <= now()
             ORDER BY available_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, transaction_id, account_id, livemode, currency, amount
"""
_ENTRIES_OF_MANY = """
INSERT INTO entry (id, posting_id, ledger_account, amount, kind, account_id, livemode, currency, transaction_id,
                   created_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::boolean[],
                     $8::text[], $9::text[], $10::timestamptz[])
"""

_ADD_DISPUTE = """
INSERT INTO dispute (id, transaction_id, account_id, amount, state, reason, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_DISPUTE = "id, transaction_id, account_id, amount, state, reason, created_at"
_OPEN_DISPUTE = f"SELECT {_DISPUTE} FROM dispute WHERE transaction_id = $1 AND state = 'open'"
_END_DISPUTE = "UPDATE dispute SET state = $2 WHERE id = $1 AND state = 'open'"

_BALANCE = """
SELECT ledger_account, currency, sum(amount)::bigint AS amount FROM balance
WHERE ledger_account = ANY($1) AND livemode = $2 GROUP BY ledger_account, currency ORDER BY currency
"""
_ENTRY = "id, posting_id, ledger_account, amount, currency, kind, transaction_id, created_at"
_ENTRIES = f"""
SELECT {_ENTRY} FROM entry WHERE account_id = $1 AND livemode = $2 AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4
"""
_ENTRIES_OF_ONE = f"""
SELECT {_ENTRY} FROM entry
WHERE transaction_id = $5 AND account_id = $1 AND livemode = $2 AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4
"""
_CURSOR = "SELECT position FROM cursor WHERE name = $1"
_ADVANCE = """
INSERT INTO cursor (name, position) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET position = greatest(cursor.position, excluded.position)
"""


class Stale(Exception):
    """The transaction changed since it was read: read again, decide anew."""


class Repeated(Exception):
    """There is an operation with this request id already."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of the ledger."""

    id: str
    posting_id: str
    ledger_account: str
    amount: int
    currency: str
    kind: str
    transaction_id: str
    created_at: datetime.datetime


Ended = Literal["won", "lost"]
_NOW = datetime.timedelta()


class Store:
    """The ledger's database. `lease` is how long one worker has an operation for itself."""

    def __init__(self, pool: asyncpg.Pool[Any], lease: datetime.timedelta, settles_after: datetime.timedelta) -> None:
        self._pool = pool
        self._lease = lease
        self._settles_after = settles_after

    async def create(self, change: Change) -> None:
        """A new transaction with its authorization; raises `Repeated`."""
        one = change.after
        row = (*_picked(one, _FIXED), *_picked(one, _CHANGING))
        try:
            await self._pool.fetchval(_CREATE, *row, *self._begun(change), *self._followed(change))
        except asyncpg.UniqueViolationError:
            raise Repeated from None

    async def begin(self, change: Change, dispute: Dispute | None = None) -> None:
        """A new operation on a transaction (and the dispute it opens); raises `Stale` or `Repeated`."""
        async with self._pool.acquire() as connection:
            if dispute is None:
                await self._begin(connection, change)
                return
            async with connection.transaction():
                await self._begin(connection, change)
                await connection.execute(_ADD_DISPUTE, *msgspec.structs.astuple(dispute))

    async def end(self, change: Change, dispute: Dispute, outcome: Ended) -> None:
        """A dispute is decided; raises `Stale` or `Repeated`."""
        async with self._pool.acquire() as connection, connection.transaction():
            await self._begin(connection, change)
            if await connection.execute(_END_DISPUTE, dispute.id, outcome) != "UPDATE 1":
                raise Stale

    async def settle(self, change: Change, lease: datetime.timedelta = _NOW) -> None:
        """An operation's outcome; raises `Stale`. An unknown one is left alone for `lease`."""
        values = (*_guarded(change), change.operation.id, *_picked(change.operation, _OUTCOME), lease)
        if not await self._pool.fetchval(_SETTLE, *values, *self._followed(change)):
            raise Stale

    async def find(self, account_id: str, transaction_id: str) -> Transaction | None:
        return _transaction(await self._pool.fetchrow(_FIND, transaction_id, account_id))

    async def latest(self, account_id: str, reference: str) -> Transaction | None:
        return _transaction(await self._pool.fetchrow(_FIND_LATEST, reference, account_id))

    async def page(self, account_id: str, after: str, state: str, limit: int) -> list[Transaction]:
        """Newest first."""
        return [Transaction(**row) for row in await self._pool.fetch(_LIST, account_id, after, state, limit)]

    async def operation(self, account_id: str, kind: str, request_id: str) -> Operation | None:
        return _operation(await self._pool.fetchrow(_FIND_OPERATION, account_id, kind, request_id))

    async def operation_by_id(self, operation_id: str) -> Operation | None:
        return _operation(await self._pool.fetchrow(_OPERATION_BY_ID, operation_id))

    async def claim(self, operation: Operation) -> Operation | None:
        """The operation, ours for a lease; None when somebody else has it or it is decided."""
        return _operation(await self._pool.fetchrow(_CLAIM, operation.id, self._lease))

    async def claim_due(self, limit: int, *, doubtful: bool = False) -> list[Operation]:
        """Operations that nobody works on; `doubtful`: unknown ones even before their next turn."""
        rows = await self._pool.fetch(_CLAIM_DOUBTFUL if doubtful else _CLAIM_DUE, limit, self._lease)
        return [Operation(**row) for row in rows]

    async def postpone(self, operation: Operation, pause: datetime.timedelta) -> None:
        await self._pool.execute(_POSTPONE, operation.id, pause)

    async def open_operations(self) -> int:
        count: int = await self._pool.fetchval(_COUNT_OPEN)
        return count

    async def expiring(self, limit: int) -> list[Transaction]:
        return [Transaction(**row) for row in await self._pool.fetch(_EXPIRING, limit)]

    async def settle_due(self, limit: int) -> int:
        """Makes captured money available whose time has come; how many captures."""
        async with self._pool.acquire() as connection, connection.transaction():
            due = await connection.fetch(_SETTLEMENTS_DUE, limit)
            if due:
                await connection.execute(_ENTRIES_OF_MANY, *_settled(due))
        return len(due)

    async def open_dispute(self, transaction_id: str) -> Dispute | None:
        row = await self._pool.fetchrow(_OPEN_DISPUTE, transaction_id)
        return Dispute(**row) if row else None

    async def balance(self, accounts: list[str], livemode: bool) -> list[tuple[str, str, int]]:
        """Ledger account, currency and amount (debit positive)."""
        return [tuple(row) for row in await self._pool.fetch(_BALANCE, accounts, livemode)]

    async def entries(
        self, account_id: str, livemode: bool, after: str, limit: int, transaction_id: str
    ) -> list[Entry]:
        """Newest first; of one transaction where it is named."""
        values = (account_id, livemode, after, limit)
        if transaction_id:
            return [Entry(**row) for row in await self._pool.fetch(_ENTRIES_OF_ONE, *values, transaction_id)]
        return [Entry(**row) for row in await self._pool.fetch(_ENTRIES, *values)]

    async def cursor(self, name: str) -> int:
        return await self._pool.fetchval(_CURSOR, name) or 0

    async def advance(self, name: str, position: int) -> None:
        await self._pool.execute(_ADVANCE, name, position)

    async def _begin(self, connection: Any, change: Change) -> None:
        try:
            count = await connection.fetchval(_BEGIN, *_guarded(change), *self._begun(change), *self._followed(change))
        except asyncpg.UniqueViolationError:
            raise Repeated from None
        if not count:
            raise Stale

    def _begun(self, change: Change) -> tuple[Any, ...]:
        return (*_picked(change.operation, _ASKED), *_picked(change.operation, _OUTCOME), self._lease)

    def _followed(self, change: Change) -> tuple[Any, ...]:
        """Values of `_rest`."""
        one, at = change.after, datetime.datetime.now(datetime.UTC)
        entries = list(zip(*_lines(change.postings), strict=True)) or [()] * 5
        return (
            one.id, change.operation.id, at, change.before.state, one.state,
            one.account_id, one.livemode, one.currency, *entries,
            ids.new("stl"), change.net, at + self._settles_after,
        )  # fmt: skip


def _lines(postings: ledger.Postings) -> list[tuple[str, str, str, int, str]]:
    """Two entries a posting: id, posting, account, amount, kind."""
    lines = []
    for posting in postings:
        posting_id = ids.new("pst")
        lines.append((ids.new("ent"), posting_id, posting.debit, posting.amount, posting.kind))
        lines.append((ids.new("ent"), posting_id, posting.credit, -posting.amount, posting.kind))
    return lines


def _settled(due: list[Any]) -> list[tuple[Any, ...]]:
    at = datetime.datetime.now(datetime.UTC)
    lines = [
        (*line, row["account_id"], row["livemode"], row["currency"], row["transaction_id"], at)
        for row in due
        for line in _lines(ledger.settle(row["account_id"], row["amount"]))
    ]
    return list(zip(*lines, strict=True))


def _guarded(change: Change) -> tuple[Any, ...]:
    return (*_picked(change.after, _CHANGING), change.before.id, change.before.version)


def _picked(record: Transaction | Operation, columns: dict[str, str]) -> list[Any]:
    return [getattr(record, name) for name in columns]


def _transaction(row: Any) -> Transaction | None:
    return Transaction(**row) if row else None


def _operation(row: Any) -> Operation | None:
    return Operation(**row) if row else None
