"""Merchant accounts."""

# ruff: noqa: S608  (SQL is put together from constants)
from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import asyncpg

from payments.common import ids, postbox
from payments.merchant import chain, states
from payments.merchant.store import changes


@dataclasses.dataclass(frozen=True)
class Merchant:
    """One account."""

    id: str
    state: str
    reason: str
    name: str
    email: str
    country: str | None
    business_type: str | None
    website: str | None
    description: str | None
    branding: dict[str, str]
    created_at: datetime.datetime
    updated_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Letter:
    """A mail about an account."""

    to: str
    subject: str
    text: str


EDITABLE = ("name", "email", "country", "business_type", "website", "description")

_COLUMNS = ", ".join(field.name for field in dataclasses.fields(Merchant))
_ADD = f"""
INSERT INTO merchant (id, name, email, country, business_type, website, description)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}, audit_count, audit_head
"""
_ADD_OWNER = "INSERT INTO member (merchant_id, user_id, role) VALUES ($1, $2, 'owner')"
_FIND = f"SELECT {_COLUMNS} FROM merchant WHERE id = $1"
_ROLE = "SELECT role FROM member WHERE merchant_id = $1 AND user_id = $2"
_EDIT = f"""
UPDATE merchant SET name = $2, email = $3, country = $4, business_type = $5, website = $6, description = $7
WHERE id = $1 RETURNING {_COLUMNS}
"""
_BRAND = f"UPDATE merchant SET branding = $2 WHERE id = $1 RETURNING {_COLUMNS}"
# Guarded: whoever comes second with the same step, or with one that is not possible any more, changes nothing.
_STEP = f"""
UPDATE merchant SET state = $2, reason = $3, revoking = coalesce($5, revoking)
WHERE id = $1 AND state = ANY ($4) RETURNING {_COLUMNS}
"""
_PAGE = f"""
SELECT {_COLUMNS} FROM merchant
WHERE ($1::text IS NULL OR id IN (SELECT merchant_id FROM member WHERE user_id = $1))
  AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4
"""
_REVOKING = "SELECT id, revoking FROM merchant WHERE revoking IS NOT NULL AND ($1::text IS NULL OR id = $1) LIMIT 100"
_REVOKED = "UPDATE merchant SET revoking = NULL WHERE id = $1 AND revoking = $2"
_LOG = """
SELECT merchant_id, number, at, actor, action, detail, hash FROM audit
WHERE merchant_id = $1 AND ($2::bigint IS NULL OR number < $2) ORDER BY number DESC LIMIT $3
"""
_CHAIN = "SELECT merchant_id, number, at, actor, action, detail, hash FROM audit WHERE merchant_id = $1 ORDER BY number"
_HEAD = "SELECT audit_count, audit_head FROM merchant WHERE id = $1"
_ALL = "SELECT id FROM merchant ORDER BY id"


class Merchants:
    """The rows of accounts."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, values: dict[str, Any], owner: str) -> Merchant:
        """A draft that belongs to `owner`."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_ADD, ids.new("acct"), *(values.get(field) for field in EDITABLE))
            await connection.execute(_ADD_OWNER, row["id"], owner)
            await changes.Change(connection, row).note(owner, "create", state="draft", **values)
        return _merchant(row)

    async def find(self, merchant_id: str) -> Merchant | None:
        row = await self._pool.fetchrow(_FIND, merchant_id)
        return _merchant(row) if row else None

    async def role(self, merchant_id: str, user_id: str) -> str | None:
        """The role of a member; None: no member."""
        role: str | None = await self._pool.fetchval(_ROLE, merchant_id, user_id)
        return role

    async def page(self, member: str | None, state: str | None, after: str | None, limit: int) -> list[Merchant]:
        """Accounts, newest first: those of `member`, or everybody's where that is None."""
        return [_merchant(row) for row in await self._pool.fetch(_PAGE, member, state, after, limit)]

    async def edit(self, merchant_id: str, values: dict[str, Any], actor: str) -> Merchant | None:
        """Changes the given fields of a draft; None where it is none (any more)."""
        async with changes.change(self._pool, merchant_id) as change:
            if change is None or change.row["state"] != "draft":
                return None
            merged = [values.get(field, change.row[field]) for field in EDITABLE]
            row = await change.connection.fetchrow(_EDIT, merchant_id, *merged)
            await change.note(actor, "update", **values)
        return _merchant(row)

    async def brand(self, merchant_id: str, branding: dict[str, str], actor: str) -> Merchant | None:
        async with changes.change(self._pool, merchant_id) as change:
            if change is None:
                return None
            row = await change.connection.fetchrow(_BRAND, merchant_id, branding)
            await change.note(actor, "branding", **branding)
        return _merchant(row)

    async def step(
        self, merchant_id: str, edge: states.Edge, actor: str, reason: str, letter: Letter | None
    ) -> Merchant | None:
        """Goes along `edge`; None where the account is in no state from which it leads."""
        async with changes.change(self._pool, merchant_id) as change:
            if change is None:
                return None
            values = (merchant_id, edge.target, reason, edge.sources, edge.revokes)
            row = await change.connection.fetchrow(_STEP, *values)
            if row is None:
                return None
            await change.note(actor, edge.action, source=change.row["state"], target=edge.target, reason=reason)
            if letter is not None:
                await postbox.add(change.connection, letter.to, letter.subject, letter.text)
        return _merchant(row)

    async def revoking(self, merchant_id: str | None = None) -> list[tuple[str, str]]:
        """Accounts with API keys to revoke, and which: "live" or "all"."""
        return [(row["id"], row["revoking"]) for row in await self._pool.fetch(_REVOKING, merchant_id)]

    async def revoked(self, merchant_id: str, which: str) -> None:
        await self._pool.execute(_REVOKED, merchant_id, which)

    async def log(self, merchant_id: str, before: int | None, limit: int) -> list[chain.Line]:
        """Lines of the audit log, newest first."""
        return [chain.Line(**row) for row in await self._pool.fetch(_LOG, merchant_id, before, limit)]

    async def verify(self, merchant_id: str) -> chain.Verdict:
        """Whether the audit log is as it was written; read as of one moment."""
        snapshot = {"isolation": "repeatable_read", "readonly": True}
        async with self._pool.acquire() as connection, connection.transaction(**snapshot):
            head = await connection.fetchrow(_HEAD, merchant_id)
            lines = [chain.Line(**row) async for row in connection.cursor(_CHAIN, merchant_id, prefetch=500)]
        return chain.verify(lines, head["audit_count"], head["audit_head"])

    async def note(self, merchant_id: str, actor: str, action: str, **detail: Any) -> None:
        """Writes down what was done elsewhere for this account."""
        async with changes.change(self._pool, merchant_id) as change:
            if change is not None:
                await change.note(actor, action, **detail)

    async def all(self) -> list[str]:
        return [row["id"] for row in await self._pool.fetch(_ALL)]


def _merchant(row: Any) -> Merchant:
    return Merchant(**{field.name: row[field.name] for field in dataclasses.fields(Merchant)})
