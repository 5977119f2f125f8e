"""The bank's book in SQLite; the only place with SQL. One process, one connection, one writer: its event loop."""

# ruff: noqa: S608  (SQL is put together from constants of this file)
from __future__ import annotations

import hashlib
import hmac
import pathlib
import secrets
import sqlite3
from typing import Any

import msgspec

from payments.acquirer import wire

_SCHEMA = """
CREATE TABLE IF NOT EXISTS authorization (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
    -- For the rules about a card (set up once, disputed), never its number.
    fingerprint BLOB NOT NULL, asked BLOB NOT NULL, dispute TEXT NOT NULL, refund_fails INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS operation (
    key TEXT PRIMARY KEY, asked BLOB NOT NULL, answer BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reversal (key TEXT PRIMARY KEY, answer BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS authentication (
    id TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    -- open, succeeded, failed, used
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS set_up (fingerprint BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS secret (value BLOB NOT NULL) STRICT;
"""

_encode = msgspec.json.Encoder().encode
_authorization = msgspec.json.Decoder(wire.Authorization).decode
_operation = msgspec.json.Decoder(wire.Operation).decode
_reversed = msgspec.json.Decoder(wire.Reversed).decode
_event = msgspec.json.Decoder(wire.Event).decode


_KEPT = "body, fingerprint, asked, dispute, refund_fails"


class Kept(msgspec.Struct, frozen=True):
    """An authorization and what the bank alone knows of it."""

    authorization: wire.Authorization
    fingerprint: bytes
    asked: bytes
    dispute: str
    refund_fails: bool


class Authentication(msgspec.Struct, frozen=True):
    """A challenge to a card holder."""

    id: str
    fingerprint: bytes
    amount: int
    currency: str
    state: str


class Store:
    """Use it as ``with store:`` around everything one request reads and writes: one transaction."""

    def __init__(self, directory: pathlib.Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._sql = sqlite3.connect(directory / "acquirer.sqlite", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32000", "busy_timeout=2000"):
            self._sql.execute(f"PRAGMA {pragma}")
        self._sql.executescript(_SCHEMA)
        self._secret = self._own_secret()

    def close(self) -> None:
        self._sql.close()

    def __enter__(self) -> Store:
        self._sql.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._sql.execute("COMMIT" if kind is None else "ROLLBACK")

    def fingerprint(self, text: str) -> bytes:
        """A keyed hash with a key that never leaves this store."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).digest()[:16]

    def add(self, kept: Kept) -> None:
        one = kept.authorization
        values = (one.id, one.key, _encode(one), kept.fingerprint, kept.asked, kept.dispute, kept.refund_fails)
        self._sql.execute(
            "INSERT INTO authorization (id, key, body, fingerprint, asked, dispute, refund_fails)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            values,
        )

    def by_key(self, key: str) -> Kept | None:
        return self._kept(f"SELECT {_KEPT} FROM authorization WHERE key = ?", key)

    def by_id(self, authorization_id: str) -> Kept | None:
        return self._kept(f"SELECT {_KEPT} FROM authorization WHERE id = ?", authorization_id)

    def change(self, one: wire.Authorization) -> None:
        self._sql.execute("UPDATE authorization SET body = ? WHERE id = ?", (_encode(one), one.id))

    def answered(self, key: str) -> tuple[bytes, wire.Operation] | None:
        """What was asked with `key`, and the answer."""
        row = self._sql.execute("SELECT asked, answer FROM operation WHERE key = ?", (key,)).fetchone()
        return (row[0], _operation(row[1])) if row else None

    def answer(self, asked: bytes, operation: wire.Operation) -> None:
        self._sql.execute("INSERT INTO operation VALUES (?, ?, ?)", (operation.key, asked, _encode(operation)))

    def reversal(self, key: str) -> wire.Reversed | None:
        row = self._sql.execute("SELECT answer FROM reversal WHERE key = ?", (key,)).fetchone()
        return _reversed(row[0]) if row else None

    def add_reversal(self, key: str, answer: wire.Reversed) -> None:
        self._sql.execute("INSERT INTO reversal VALUES (?, ?)", (key, _encode(answer)))

    def book(self, after: str, limit: int) -> list[wire.Authorization]:
        start = "(SELECT coalesce(max(number), 0) FROM authorization WHERE id = ?)"
        sql = f"SELECT body FROM authorization WHERE number > {start} ORDER BY number LIMIT ?"
        return [_authorization(row[0]) for row in self._sql.execute(sql, (after, limit))]

    def add_authentication(self, one: Authentication) -> None:
        values = (one.id, one.fingerprint, one.amount, one.currency, one.state)
        self._sql.execute("INSERT INTO authentication VALUES (?, ?, ?, ?, ?)", values)

    def authentication(self, authentication_id: str) -> Authentication | None:
        row = self._sql.execute("SELECT * FROM authentication WHERE id = ?", (authentication_id,)).fetchone()
        return Authentication(*row) if row else None

    def settle_authentication(self, authentication_id: str, before: str, after: str) -> bool:
        """Whether it was in `before` and is in `after` now."""
        sql = "UPDATE authentication SET state = ? WHERE id = ? AND state = ?"
        return self._sql.execute(sql, (after, authentication_id, before)).rowcount == 1

    def set_up(self, fingerprint: bytes) -> None:
        self._sql.execute("INSERT OR IGNORE INTO set_up VALUES (?)", (fingerprint,))

    def is_set_up(self, fingerprint: bytes) -> bool:
        return bool(self._sql.execute("SELECT 1 FROM set_up WHERE fingerprint = ?", (fingerprint,)).fetchone())

    def add_event(self, event: wire.Event) -> None:
        self._sql.execute("INSERT INTO event (body) VALUES (?)", (_encode(event),))

    def events(self, after: int, limit: int) -> list[wire.Event]:
        sql = "SELECT number, body FROM event WHERE number > ? ORDER BY number LIMIT ?"
        rows = self._sql.execute(sql, (after, limit))
        return [msgspec.structs.replace(_event(body), number=number) for number, body in rows]

    def _kept(self, sql: str, value: str) -> Kept | None:
        row: Any = self._sql.execute(sql, (value,)).fetchone()
        return Kept(_authorization(row[0]), row[1], row[2], row[3], bool(row[4])) if row else None

    def _own_secret(self) -> bytes:
        row = self._sql.execute("SELECT value FROM secret").fetchone()
        if row is None:
            self._sql.execute("INSERT INTO secret VALUES (?)", (secrets.token_bytes(32),))
            row = self._sql.execute("SELECT value FROM secret").fetchone()
        return bytes(row[0])
