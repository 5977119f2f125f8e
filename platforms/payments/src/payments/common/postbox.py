"""The mail outbox: rows written in the transaction that gives rise to a mail, sent afterwards, at least once.

A service that mails has this table in its migrations::

    CREATE TABLE mail (
        id text COLLATE "C" PRIMARY KEY, recipient text NOT NULL, subject text NOT NULL, body text NOT NULL,
        attempts integer NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX mail_due ON mail (due_at);

A row goes once its mail is handed over: bodies hold links that let people in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from payments.common import ids, mail

_log = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two looks for mails that nobody announced by `wake` (another replica's, or to be tried again)."""
PATIENCE = "2 days"
_BATCH = 10
_LEASE = "2 minutes"  # longer than a batch can take: a sender that died gives its mails back after that
_FIRST, _LONGEST = 5.0, 3600.0

ADD = "INSERT INTO mail (id, recipient, subject, body) VALUES ($1, $2, $3, $4)"

# attempts and due_at are moved on before sending: a mail that kills its sender does not come back at once.
_CLAIM = f"""
UPDATE mail SET attempts = attempts + 1, due_at = now() + interval '{_LEASE}'
WHERE id IN (SELECT id FROM mail WHERE due_at <= now() ORDER BY due_at LIMIT {_BATCH} FOR UPDATE SKIP LOCKED)
RETURNING id, recipient, subject, body, attempts, created_at < now() - interval '{PATIENCE}' AS stale
"""  # noqa: S608
_GONE = "DELETE FROM mail WHERE id = $1"
_LATER = "UPDATE mail SET due_at = now() + $2 * interval '1 second' WHERE id = $1"


async def add(connection: Any, to: str, subject: str, text: str) -> None:
    """Writes a mail down in the transaction of `connection`."""
    await connection.execute(ADD, ids.new("mail"), to, subject, text)


def pause(attempts: int) -> float:
    """Seconds until the next try after `attempts` of them: doubling from 5 s to an hour."""
    return min(_LONGEST, _FIRST * 2.0 ** min(attempts - 1, 20))


class Postbox:
    """Sends what is in the table; several replicas may run it side by side."""

    def __init__(self, pool: asyncpg.Pool, send: Callable[[mail.Mail], Awaitable[None]]) -> None:
        self._pool = pool
        self._send = send
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is a new mail: do not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Sends until cancelled; a database that is away is waited for."""
        while True:
            try:
                while await self.step():
                    continue
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                _log.warning("the mail outbox cannot be read: %s", error)
            await self._wait()

    async def step(self) -> int:
        """Tries the mails that are due, one batch; how many there were."""
        rows = await self._pool.fetch(_CLAIM)
        await asyncio.gather(*(self._deliver(row) for row in rows))
        return len(rows)

    async def _deliver(self, row: Any) -> None:
        try:
            await self._send(mail.Mail(row["id"], row["recipient"], row["subject"], row["body"]))
        except mail.Rejected as error:
            _log.error("mail %s was refused for good: %s", row["id"], error)
        except mail.NotSent as error:
            if not row["stale"]:
                _log.warning("mail %s was not sent, try %d: %s", row["id"], row["attempts"], error)
                await self._pool.execute(_LATER, row["id"], pause(row["attempts"]))
                return
            _log.error("mail %s is given up after %s: %s", row["id"], PATIENCE, error)
        await self._pool.execute(_GONE, row["id"])

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(EVERY):
                await self._woken.wait()
        except TimeoutError:
            return
        finally:
            self._woken.clear()
