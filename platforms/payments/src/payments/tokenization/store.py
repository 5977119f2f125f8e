"""Rows of cards, tokens and the audit of access; the only place with SQL."""

# ruff: noqa: S105, S608  (SQL is put together from constants of this file; "token" is a table)
from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import asyncpg

from payments.tokenization import envelope


@dataclasses.dataclass(frozen=True)
class Card:
    """A number, stored once per account."""

    id: str
    account_id: str
    fingerprint: str
    brand: str
    last4: str
    bin: str
    funding: str
    number: bytes
    wrapped: envelope.Wrapped


@dataclasses.dataclass(frozen=True)
class Token:
    """One tokenization of a card."""

    id: str
    account_id: str
    card: Card
    exp_month: int
    exp_year: int
    holder: bytes
    created_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Access:
    """A wish to see a number, for the audit."""

    account_id: str
    token_id: str
    caller: str
    purpose: str
    reference: str
    cvc: bool


_CARD = "card.id AS card_id, fingerprint, brand, last4, bin, funding, number, key_version, wrapped_key"
_TOKEN = f"token.id, token.account_id, exp_month, exp_year, holder, token.created_at, {_CARD}"

_FIND_CARD = f"SELECT {_CARD}, account_id FROM card WHERE account_id = $1 AND fingerprint = $2"

_ADD_CARD = """
INSERT INTO card (id, account_id, fingerprint, brand, last4, bin, funding, number, key_version, wrapped_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (account_id, fingerprint) DO NOTHING RETURNING id
"""

_ADD_TOKEN = """
INSERT INTO token (id, account_id, card_id, exp_month, exp_year, holder)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING created_at
"""

_FIND_TOKEN = f"SELECT {_TOKEN} FROM token JOIN card ON card.id = card_id WHERE token.id = $1 AND token.account_id = $2"

# The audit is written by the statement that reads: nothing is handed out without its line.
_OPEN = f"""
WITH found AS ({_FIND_TOKEN}), audit AS (
    INSERT INTO access (token_id, account_id, caller, purpose, reference, outcome, cvc)
    SELECT $1, $2, $3, $4, $5, CASE WHEN EXISTS (SELECT FROM found) THEN 'granted' ELSE 'not_found' END, $6
)
SELECT * FROM found
"""

_AUDIT = """
INSERT INTO access (token_id, account_id, caller, purpose, reference, outcome, cvc)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

# The card's row first: two that delete its last two tokens at once would each see the other's, and leave the card.
_LOCK_CARD = """
SELECT card.id FROM card JOIN token ON token.card_id = card.id
WHERE token.id = $1 AND token.account_id = $2 FOR UPDATE OF card
"""
_DELETE_TOKEN = "DELETE FROM token WHERE id = $1 AND account_id = $2 RETURNING card_id"
_DELETE_CARD = "DELETE FROM card WHERE id = $1 AND NOT EXISTS (SELECT FROM token WHERE card_id = $1)"

# Two rotations at once take different rows; a row that somebody deletes meanwhile is skipped.
_OLD_KEYS = """
SELECT id, account_id, key_version, wrapped_key FROM card
WHERE key_version <> $1 ORDER BY key_version, id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_REWRAP = "UPDATE card SET key_version = $2, wrapped_key = $3 WHERE id = $1"
_REMAINING = "SELECT count(*) FROM card WHERE key_version <> $1"


class Store:
    """The service's database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find_card(self, account_id: str, fingerprint: str) -> Card | None:
        row = await self._pool.fetchrow(_FIND_CARD, account_id, fingerprint)
        return _card(row) if row else None

    async def add_card(self, card: Card) -> bool:
        """Whether `card` is new; False when another tokenization of the number came first."""
        values = (card.id, card.account_id, card.fingerprint, card.brand, card.last4, card.bin, card.funding)
        sealed = (card.number, card.wrapped.version, card.wrapped.key)
        return await self._pool.fetchval(_ADD_CARD, *values, *sealed) is not None

    async def add_token(
        self, token_id: str, card: Card, exp_month: int, exp_year: int, holder: bytes
    ) -> datetime.datetime | None:
        """When the token was made; None when its card was deleted meanwhile."""
        values = (token_id, card.account_id, card.id, exp_month, exp_year, holder)
        try:
            created: datetime.datetime = await self._pool.fetchval(_ADD_TOKEN, *values)
        except asyncpg.ForeignKeyViolationError:
            return None
        return created

    async def find_token(self, account_id: str, token_id: str) -> Token | None:
        row = await self._pool.fetchrow(_FIND_TOKEN, token_id, account_id)
        return _token(row) if row else None

    async def open(self, access: Access) -> Token | None:
        """The token, with the access written down whether it exists or not."""
        values = (access.token_id, access.account_id, access.caller, access.purpose, access.reference, access.cvc)
        row = await self._pool.fetchrow(_OPEN, *values)
        return _token(row) if row else None

    async def unreadable(self, access: Access) -> None:
        """Writes down that a granted access opened nothing."""
        values = (access.token_id, access.account_id, access.caller, access.purpose, access.reference)
        await self._pool.execute(_AUDIT, *values, "unreadable", False)

    async def delete(self, account_id: str, token_id: str) -> bool:
        """Whether the token was there; the card goes with its last token."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.fetchval(_LOCK_CARD, token_id, account_id)
            card_id = await connection.fetchval(_DELETE_TOKEN, token_id, account_id)
            if card_id is not None:
                await connection.execute(_DELETE_CARD, card_id)
        return card_id is not None

    async def rewrap(self, keyring: envelope.Keyring, batch: int) -> tuple[int, int]:
        """How many data keys were wrapped anew, and how many still wait; at most `batch`."""
        active = keyring.active
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_OLD_KEYS, active, batch)
            await connection.executemany(_REWRAP, [_rewrapped(keyring, row) for row in rows])
        return len(rows), await self._pool.fetchval(_REMAINING, active)


def _rewrapped(keyring: envelope.Keyring, row: Any) -> tuple[str, int, bytes]:
    wrapped = keyring.rewrap(envelope.Wrapped(row["key_version"], row["wrapped_key"]), row["id"], row["account_id"])
    return row["id"], wrapped.version, wrapped.key


def _card(row: Any) -> Card:
    columns = ("account_id", "fingerprint", "brand", "last4", "bin", "funding", "number")
    wrapped = envelope.Wrapped(row["key_version"], row["wrapped_key"])
    return Card(id=row["card_id"], wrapped=wrapped, **{column: row[column] for column in columns})


def _token(row: Any) -> Token:
    columns = ("id", "account_id", "exp_month", "exp_year", "holder", "created_at")
    return Token(card=_card(row), **{column: row[column] for column in columns})
