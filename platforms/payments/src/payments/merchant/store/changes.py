"""A change of an account: one transaction that locks its row, does what it does, and writes its audit line."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from payments.merchant import chain

_LOCK = "SELECT * FROM merchant WHERE id = $1 FOR UPDATE"
_ADD = """
INSERT INTO audit (merchant_id, number, at, actor, action, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_MOVE = "UPDATE merchant SET audit_count = $2, audit_head = $3, updated_at = now() WHERE id = $1"


class Change:
    """An account that is being changed."""

    def __init__(self, connection: Any, row: Any) -> None:
        self.connection = connection
        self.row = row
        self._count: int = row["audit_count"]
        self._head: bytes = row["audit_head"]

    async def note(self, actor: str, action: str, **detail: Any) -> None:
        """Adds a line to the account's audit log, in the same transaction."""
        merchant_id = self.row["id"]
        at = datetime.datetime.now(datetime.UTC)
        line = chain.Line(merchant_id, self._count + 1, at, actor, action, detail)
        self._head, self._count = chain.hashed(line, self._head), line.number
        await self.connection.execute(_ADD, merchant_id, line.number, at, actor, action, detail, self._head)
        await self.connection.execute(_MOVE, merchant_id, self._count, self._head)


@contextlib.asynccontextmanager
async def change(pool: asyncpg.Pool, merchant_id: str) -> AsyncIterator[Change | None]:
    """The account, locked until the block ends; None where there is no such account. An exception undoes the block."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_LOCK, merchant_id)
        yield Change(connection, row) if row else None
