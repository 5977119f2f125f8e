"""People: registrations, passwords and their reset, one-time codes."""

# ruff: noqa: S105, S608  (names of columns; SQL is put together from constants)
from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

import asyncpg

from payments.auth.store import audit, sessions
from payments.common import ids


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody whose address is known to be theirs."""

    id: str
    email: str
    name: str
    password_hash: str = dataclasses.field(repr=False)
    roles: tuple[str, ...]
    totp_secret: bytes | None = dataclasses.field(repr=False)
    totp_enabled: bool
    totp_step: int
    created_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Registration:
    """The wish for an account, until its link is followed."""

    token_hash: bytes
    email: str
    email_key: str
    name: str
    password_hash: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Letter:
    """A mail to be written down: subject and text."""

    subject: str
    text: str = dataclasses.field(repr=False)


REGISTRATION_LIFE, RESET_LIFE = "24 hours", "1 hour"

_PERSON = """id, email, name, password_hash, roles, totp_secret, totp_enabled_at IS NOT NULL AS totp_enabled,
totp_step, created_at"""
_FIND = f"SELECT {_PERSON} FROM users WHERE id = $1"
_FIND_BY_EMAIL = f"SELECT {_PERSON} FROM users WHERE email_key = $1"

# One statement whoever asks, and one mail either way: neither the answer nor the work tells who has an account.
_REGISTER = f"""
WITH known AS (SELECT id FROM users WHERE email_key = $3), added AS (
    INSERT INTO registration (token_hash, email, email_key, name, password_hash, expires_at)
    SELECT $1, $2, $3, $4, $5, now() + interval '{REGISTRATION_LIFE}' WHERE NOT EXISTS (SELECT FROM known)
), line AS (
    INSERT INTO audit (actor, action, subject, outcome, reason)
    SELECT '', 'register', coalesce((SELECT id FROM known), ''),
           CASE WHEN EXISTS (SELECT FROM known) THEN 'denied' ELSE 'granted' END, ''
)
INSERT INTO mail (id, recipient, subject, body)
SELECT $6, $2, CASE WHEN known THEN $9 ELSE $7 END, CASE WHEN known THEN $10 ELSE $8 END
FROM (SELECT EXISTS (SELECT FROM known) AS known) AS who
"""

_CONFIRM = "DELETE FROM registration WHERE token_hash = $1 AND expires_at > now() RETURNING *"
_ADD = f"""
INSERT INTO users (id, email, email_key, name, password_hash) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (email_key) DO NOTHING RETURNING {_PERSON}
"""
_OTHER_REGISTRATIONS = "DELETE FROM registration WHERE email_key = $1"

_FORGOT = f"""
WITH person AS (SELECT id, email FROM users WHERE email_key = $1), added AS (
    INSERT INTO password_reset (token_hash, user_id, expires_at)
    SELECT $2, id, now() + interval '{RESET_LIFE}' FROM person
), line AS (
    INSERT INTO audit (actor, action, subject, outcome)
    SELECT '', 'password.forgot', coalesce((SELECT id FROM person), ''),
           CASE WHEN EXISTS (SELECT FROM person) THEN 'granted' ELSE 'denied' END
)
INSERT INTO mail (id, recipient, subject, body) SELECT $3, email, $4, $5 FROM person
"""
_RESET_OPEN = "SELECT EXISTS (SELECT FROM password_reset WHERE token_hash = $1 AND expires_at > now())"
_RESET = "DELETE FROM password_reset WHERE token_hash = $1 AND expires_at > now() RETURNING user_id"
_OTHER_RESETS = "DELETE FROM password_reset WHERE user_id = $1"
_SET_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING email_key"

_SET_UP_TOTP = "UPDATE users SET totp_secret = $2 WHERE id = $1 AND totp_enabled_at IS NULL RETURNING id"
_ENABLE_TOTP = """
UPDATE users SET totp_enabled_at = now(), totp_step = $2
WHERE id = $1 AND totp_enabled_at IS NULL AND totp_secret IS NOT NULL RETURNING id
"""
_DISABLE_TOTP = "UPDATE users SET totp_enabled_at = NULL, totp_secret = NULL WHERE id = $1"
# Guarded: of two requests with one code, one gets in.
_TAKE_STEP = "UPDATE users SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING id"
_ADD_CODE = "INSERT INTO recovery_code (user_id, code_hash) VALUES ($1, $2)"
_TAKE_CODE = "DELETE FROM recovery_code WHERE user_id = $1 AND code_hash = $2 RETURNING user_id"
_DROP_CODES = "DELETE FROM recovery_code WHERE user_id = $1"

_GRANT = "UPDATE users SET roles = array_append(array_remove(roles, $2), $2) WHERE email_key = $1 RETURNING id"
_TAKE_BACK = "UPDATE users SET roles = array_remove(roles, $2) WHERE email_key = $1 RETURNING id"


class People:
    """The rows of people."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, user_id: str) -> Person | None:
        return _person(await self._pool.fetchrow(_FIND, user_id))

    async def find_by_email(self, email_key: str) -> Person | None:
        return _person(await self._pool.fetchrow(_FIND_BY_EMAIL, email_key))

    async def register(self, wish: Registration, welcome: Letter, known: Letter) -> None:
        """Keeps the wish and mails `welcome`; mails `known` alone where the address has an account."""
        values = (wish.token_hash, wish.email, wish.email_key, wish.name, wish.password_hash, ids.new("mail"))
        await self._pool.execute(_REGISTER, *values, welcome.subject, welcome.text, known.subject, known.text)

    async def confirm(self, token_hash: bytes) -> Person | None:
        """The person that a registration becomes, once; None where there is no such registration (any more)."""
        async with self._pool.acquire() as connection, connection.transaction():
            wish = await connection.fetchrow(_CONFIRM, token_hash)
            if wish is None:
                return None
            values = (wish["email"], wish["email_key"], wish["name"], wish["password_hash"])
            person = _person(await connection.fetchrow(_ADD, ids.new("usr"), *values))
            await connection.execute(_OTHER_REGISTRATIONS, wish["email_key"])
            if person is not None:
                await audit.add(connection, person.id, "verify", person.id, audit.GRANTED)
        return person

    async def forgot(self, email_key: str, token_hash: bytes, letter: Letter) -> None:
        """Lets the holder of a token set a new password, and mails it, where the address has an account."""
        await self._pool.execute(_FORGOT, email_key, token_hash, ids.new("mail"), letter.subject, letter.text)

    async def reset_open(self, token_hash: bytes) -> bool:
        return bool(await self._pool.fetchval(_RESET_OPEN, token_hash))

    async def reset(self, token_hash: bytes, password_hash: str) -> tuple[str, str, list[str]] | None:
        """Sets the password once: the user, the address' key, and the sessions that this ended; None: no such token."""
        async with self._pool.acquire() as connection, connection.transaction():
            user_id = await connection.fetchval(_RESET, token_hash)
            if user_id is None:
                return None
            await connection.execute(_OTHER_RESETS, user_id)
            email_key = await connection.fetchval(_SET_PASSWORD, user_id, password_hash)
            ended = await sessions.revoke(connection, user_id, None, "password_reset")
            await audit.add(connection, user_id, "password.reset", user_id, audit.GRANTED)
        return user_id, email_key, ended

    async def set_password(self, user_id: str, password_hash: str) -> None:
        await self._pool.execute(_SET_PASSWORD, user_id, password_hash)

    async def set_up_totp(self, user_id: str, sealed: bytes) -> bool:
        """Whether the secret was kept; False where one is in use already."""
        return await self._pool.fetchval(_SET_UP_TOTP, user_id, sealed) is not None

    async def enable_totp(self, user_id: str, step: int, code_hashes: Sequence[bytes]) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_ENABLE_TOTP, user_id, step) is None:
                return False
            await connection.execute(_DROP_CODES, user_id)
            await connection.executemany(_ADD_CODE, [(user_id, code) for code in code_hashes])
            await audit.add(connection, user_id, "totp.enable", user_id, audit.GRANTED)
        return True

    async def disable_totp(self, user_id: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_DISABLE_TOTP, user_id)
            await connection.execute(_DROP_CODES, user_id)
            await audit.add(connection, user_id, "totp.disable", user_id, audit.GRANTED)

    async def take_step(self, user_id: str, step: int) -> bool:
        """Whether the code of this step is taken now, and by nobody before."""
        return await self._pool.fetchval(_TAKE_STEP, user_id, step) is not None

    async def take_recovery_code(self, user_id: str, code_hash: bytes) -> bool:
        return await self._pool.fetchval(_TAKE_CODE, user_id, code_hash) is not None


async def grant(connection: Any, email_key: str, role: str, actor: str, *, take_back: bool = False) -> str | None:
    """Gives or takes a role; the user's id, None where there is no such person."""
    async with connection.transaction():
        user_id: str | None = await connection.fetchval(_TAKE_BACK if take_back else _GRANT, email_key, role)
        if user_id is not None:
            action = "role.take_back" if take_back else "role.grant"
            await audit.add(connection, actor, action, user_id, audit.GRANTED, role)
    return user_id


def _person(row: Any) -> Person | None:
    return Person(**{**row, "roles": tuple(row["roles"])}) if row else None
