"""Sessions, and the family of refresh tokens that each of them is."""

# ruff: noqa: S608  (names of columns; SQL is put together from constants)
from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import asyncpg

LIFE = "30 days"
"""How long a session lives at most, whatever is refreshed."""


@dataclasses.dataclass(frozen=True)
class Session:
    """Somebody signed in on some device."""

    id: str
    user_id: str
    methods: tuple[str, ...]
    address: str
    user_agent: str
    created_at: datetime.datetime
    last_used_at: datetime.datetime
    expires_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Rotated:
    """What a new access token is made of."""

    session_id: str
    user_id: str
    methods: tuple[str, ...]
    roles: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Used:
    """A refresh token that was exchanged before."""

    rotated: Rotated
    live: bool
    """Whether its session is."""
    seconds: float
    """How long ago it was exchanged; 0 where its session ended before it was."""
    successor_unused: bool


_OPEN = f"""
WITH opened AS (
    INSERT INTO session (id, user_id, methods, address, user_agent, expires_at)
    VALUES ($1, $2, $3, $4, $5, now() + interval '{LIFE}')
), line AS (
    INSERT INTO audit (actor, action, subject, outcome, reason)
    VALUES ($2, 'login', $1, 'granted', array_to_string($3::text[], '+'))
)
INSERT INTO refresh_token (hash, session_id) VALUES ($6, $1)
"""

# The row lock lets one of several requests through; the second look at revoked_at waits for a revocation under way.
_ROTATE = """
WITH used AS (
    UPDATE refresh_token SET used_at = now() FROM session
    WHERE hash = $1 AND used_at IS NULL AND session.id = session_id
      AND session.revoked_at IS NULL AND session.expires_at > now()
    RETURNING session_id
), touched AS (
    UPDATE session SET last_used_at = now() WHERE id IN (SELECT session_id FROM used) AND revoked_at IS NULL
    RETURNING id, user_id, methods
), successor AS (
    INSERT INTO refresh_token (hash, session_id) SELECT $2, id FROM touched
)
SELECT touched.id AS session_id, user_id, methods, roles FROM touched JOIN users ON users.id = user_id
"""

_USED = """
SELECT session.id AS session_id, user_id, methods, roles,
       revoked_at IS NULL AND session.expires_at > now() AS live,
       coalesce(extract(epoch FROM clock_timestamp() - token.used_at), 0)::float8 AS seconds,
       EXISTS (SELECT FROM refresh_token WHERE hash = $2 AND used_at IS NULL) AS successor_unused
FROM refresh_token AS token JOIN session ON session.id = session_id JOIN users ON users.id = user_id
WHERE token.hash = $1
"""

_LIVE = "revoked_at IS NULL AND expires_at > now()"
_IS_LIVE = f"SELECT EXISTS (SELECT FROM session WHERE id = $1 AND {_LIVE})"
_LIST = f"""
SELECT id, user_id, methods, address, user_agent, created_at, last_used_at, expires_at
FROM session WHERE user_id = $1 AND {_LIVE} ORDER BY created_at DESC, id LIMIT 100
"""
_REVOKE = f"""
WITH ended AS (
    UPDATE session SET revoked_at = now(), revoke_reason = $3
    WHERE user_id = $1 AND ($2::text IS NULL OR id = $2) AND {_LIVE} RETURNING id
), line AS (
    INSERT INTO audit (actor, action, subject, outcome, reason)
    SELECT $1, 'session.revoke', id, 'granted', $3 FROM ended
)
SELECT id FROM ended
"""
_SESSION_OF = "SELECT session_id, user_id FROM refresh_token JOIN session ON session.id = session_id WHERE hash = $1"

_SWEEP = (
    "DELETE FROM registration WHERE expires_at < now()",
    "DELETE FROM password_reset WHERE expires_at < now()",
    "DELETE FROM session WHERE expires_at < now() - interval '30 days'",
)


class Sessions:
    """The rows of sessions."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def open(
        self,
        session_id: str,
        user_id: str,
        methods: tuple[str, ...],
        address: str,
        user_agent: str,
        refresh_hash: bytes,
    ) -> None:
        """Somebody signed in; the session begins with one refresh token."""
        await self._pool.execute(_OPEN, session_id, user_id, methods, address, user_agent, refresh_hash)

    async def rotate(self, refresh_hash: bytes, successor_hash: bytes) -> Rotated | None:
        """Exchanges a token for its successor, once; None where it cannot be (see `used`)."""
        row = await self._pool.fetchrow(_ROTATE, refresh_hash, successor_hash)
        return _rotated(row) if row else None

    async def used(self, refresh_hash: bytes, successor_hash: bytes) -> Used | None:
        """What became of a token; None where there never was such a one."""
        row = await self._pool.fetchrow(_USED, refresh_hash, successor_hash)
        return Used(_rotated(row), row["live"], row["seconds"], row["successor_unused"]) if row else None

    async def owner(self, refresh_hash: bytes) -> tuple[str, str] | None:
        """The session and the user of a refresh token."""
        row = await self._pool.fetchrow(_SESSION_OF, refresh_hash)
        return (row["session_id"], row["user_id"]) if row else None

    async def live(self, session_id: str) -> bool:
        return bool(await self._pool.fetchval(_IS_LIVE, session_id))

    async def of(self, user_id: str) -> list[Session]:
        """Live sessions, newest first."""
        rows = await self._pool.fetch(_LIST, user_id)
        return [Session(**{**row, "methods": tuple(row["methods"])}) for row in rows]

    async def revoke(self, user_id: str, session_id: str | None, reason: str) -> list[str]:
        """Ends one session or, without `session_id`, all of the user's; the ids of those that it ended."""
        return await revoke(self._pool, user_id, session_id, reason)

    async def sweep(self) -> None:
        """Drops what has been over for long."""
        for statement in _SWEEP:
            await self._pool.execute(statement)


async def revoke(connection: Any, user_id: str, session_id: str | None, reason: str) -> list[str]:
    """As `Sessions.revoke`, in the transaction of `connection`."""
    return [row["id"] for row in await connection.fetch(_REVOKE, user_id, session_id, reason)]


def _rotated(row: Any) -> Rotated:
    return Rotated(row["session_id"], row["user_id"], tuple(row["methods"]), tuple(row["roles"]))
