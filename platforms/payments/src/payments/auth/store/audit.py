"""What was granted and denied; rows are added, never changed."""

from __future__ import annotations

from typing import Any

GRANTED, DENIED = "granted", "denied"

ADD = "INSERT INTO audit (actor, action, subject, outcome, reason) VALUES ($1, $2, $3, $4, $5)"


async def add(connection: Any, actor: str, action: str, subject: str, outcome: str, reason: str = "") -> None:
    """Writes one line with `connection` (a pool, or a connection in a transaction)."""
    await connection.execute(ADD, actor, action, subject, outcome, reason)
