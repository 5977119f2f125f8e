"""API keys, known by their hash."""

# ruff: noqa: S608  (SQL is put together from constants)
from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

import asyncpg

from payments.auth.store import audit


@dataclasses.dataclass(frozen=True)
class ApiKey:
    """One key of an account, without the key."""

    id: str
    account_id: str
    livemode: bool
    kind: str
    scopes: tuple[str, ...]
    name: str
    hint: str
    created_by: str
    created_at: datetime.datetime
    expires_at: datetime.datetime | None
    revoked_at: datetime.datetime | None
    last_used_at: datetime.datetime | None
    rolled_from: str | None

    def same_wish(self, other: ApiKey) -> bool:
        """Whether both were asked for with the same parameters."""
        asked = ("account_id", "livemode", "kind", "scopes", "name", "rolled_from")
        return all(getattr(self, field) == getattr(other, field) for field in asked)


_COLUMNS = """id, account_id, livemode, kind, scopes, name, hint, created_by, created_at, expires_at, revoked_at,
last_used_at, rolled_from"""

_ADD = f"""
INSERT INTO api_key (id, account_id, livemode, kind, scopes, name, hint, created_by, expires_at, rolled_from,
                     hash, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (account_id, request_id) DO NOTHING RETURNING {_COLUMNS}
"""
_BY_REQUEST = f"SELECT {_COLUMNS} FROM api_key WHERE account_id = $1 AND request_id = $2"
_BY_HASH = f"SELECT {_COLUMNS} FROM api_key WHERE hash = $1"
_LIST = f"SELECT {_COLUMNS} FROM api_key WHERE account_id = $1 ORDER BY created_at, id LIMIT 1000"
_FIND = f"SELECT {_COLUMNS} FROM api_key WHERE account_id = $1 AND id = $2"
_END_BY = "UPDATE api_key SET expires_at = $2 WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2)"
# Revoking again changes nothing and is answered alike.
_REVOKE = f"""
UPDATE api_key SET revoked_at = coalesce(revoked_at, now()), revoked_by = coalesce(revoked_by, $3)
WHERE account_id = $1 AND id = $2 RETURNING {_COLUMNS}
"""
_TOUCH = """
UPDATE api_key SET last_used_at = used.at FROM unnest($1::text[], $2::timestamptz[]) AS used (id, at)
WHERE api_key.id = used.id AND (last_used_at IS NULL OR last_used_at < used.at)
"""


class ApiKeys:
    """The rows of API keys."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, key: ApiKey, key_hash: bytes, request_id: str) -> tuple[ApiKey, bool]:
        """The key that this request made, and whether it did so just now."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await _add(connection, key, key_hash, request_id, "api_key.issue")

    async def roll(
        self, old_id: str, key: ApiKey, key_hash: bytes, request_id: str, ends_at: datetime.datetime
    ) -> tuple[ApiKey, bool]:
        """Adds `key` and lets the old one end by `ends_at`, both or neither."""
        async with self._pool.acquire() as connection, connection.transaction():
            made = await _add(connection, key, key_hash, request_id, "api_key.roll")
            if made[1]:
                await connection.execute(_END_BY, old_id, ends_at)
        return made

    async def find(self, account_id: str, key_id: str) -> ApiKey | None:
        return _key(await self._pool.fetchrow(_FIND, account_id, key_id))

    async def by_request(self, account_id: str, request_id: str) -> ApiKey | None:
        return _key(await self._pool.fetchrow(_BY_REQUEST, account_id, request_id))

    async def by_hash(self, key_hash: bytes) -> ApiKey | None:
        return _key(await self._pool.fetchrow(_BY_HASH, key_hash))

    async def of(self, account_id: str) -> list[ApiKey]:
        """All keys of an account, oldest first, also those that are over."""
        return [found for row in await self._pool.fetch(_LIST, account_id) if (found := _key(row))]

    async def revoke(self, account_id: str, key_id: str, actor: str) -> ApiKey | None:
        async with self._pool.acquire() as connection, connection.transaction():
            found = _key(await connection.fetchrow(_REVOKE, account_id, key_id, actor))
            if found is not None:
                await audit.add(connection, actor, "api_key.revoke", key_id, audit.GRANTED, account_id)
        return found

    async def touch(self, used: Mapping[str, datetime.datetime]) -> None:
        """Writes down when keys were used last."""
        await self._pool.execute(_TOUCH, list(used), list(used.values()))

    async def deny(self, key: ApiKey, reason: str) -> None:
        """Writes down that a key was refused."""
        await audit.add(self._pool, key.id, "api_key.use", key.account_id, audit.DENIED, reason)


async def _add(connection: Any, key: ApiKey, key_hash: bytes, request_id: str, action: str) -> tuple[ApiKey, bool]:
    values = (key.id, key.account_id, key.livemode, key.kind, key.scopes, key.name, key.hint)
    rest = (key.created_by, key.expires_at, key.rolled_from, key_hash, request_id)
    added = _key(await connection.fetchrow(_ADD, *values, *rest))
    if added is None:
        found = _key(await connection.fetchrow(_BY_REQUEST, key.account_id, request_id))
        assert found is not None, "the row that stood in the way cannot be gone: keys are never deleted"
        return found, False
    await audit.add(connection, key.created_by, action, key.id, audit.GRANTED, key.account_id)
    return added, True


def _key(row: Any) -> ApiKey | None:
    return ApiKey(**{**row, "scopes": tuple(row["scopes"])}) if row else None
