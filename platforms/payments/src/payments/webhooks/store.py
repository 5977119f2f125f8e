"""The outbox: the only place with SQL. Times are Unix seconds of the caller's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
import msgspec

LEASE = 60.0
"""Seconds that a taken delivery is left alone; far more than an attempt may take. Who dies leaves it to the next."""


class _Secret(msgspec.Struct):
    value: str
    expires_at: int = 0


class _Inner(msgspec.Struct):
    secrets: tuple[_Secret, ...] = ()


_inner = msgspec.json.Decoder(_Inner).decode


class Delivery(NamedTuple):
    """One event for one endpoint, leased to the caller."""

    event: str
    endpoint: str
    tries: int
    """This attempt's number, from 1."""
    body: str
    url: str
    state: str
    secrets: tuple[str, ...]


class Outcome(NamedTuple):
    """An attempt that was made; `state` and `due` are what the delivery becomes."""

    delivery: Delivery
    at: float
    status: int | None
    error: str
    milliseconds: int
    state: str
    due: float


# Endpoints that have anything pending, by skipping along the index (a "loose index scan"): what waits for one dead
# endpoint is not walked through. Then of each as many due deliveries as it has room for.
_TAKE = """
WITH RECURSIVE endpoint AS (
    (SELECT endpoint_id FROM outbox_delivery WHERE state = 'pending' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT endpoint_id FROM outbox_delivery
            WHERE state = 'pending' AND endpoint_id > endpoint.endpoint_id ORDER BY endpoint_id LIMIT 1)
    FROM endpoint WHERE endpoint.endpoint_id IS NOT NULL
), room AS (
    SELECT endpoint.endpoint_id, coalesce(known.room, $2) AS room
    FROM endpoint LEFT JOIN unnest($3::text[], $4::integer[]) AS known (endpoint_id, room) USING (endpoint_id)
    WHERE endpoint.endpoint_id IS NOT NULL AND coalesce(known.room, $2) > 0
), picked AS (
    SELECT one.event_id, one.endpoint_id FROM room CROSS JOIN LATERAL (
        SELECT event_id, endpoint_id FROM outbox_delivery
        WHERE endpoint_id = room.endpoint_id AND state = 'pending' AND due_at <= to_timestamp($1)
        ORDER BY due_at LIMIT room.room FOR UPDATE SKIP LOCKED) AS one
    LIMIT $5
)
UPDATE outbox_delivery AS taken SET tries = taken.tries + 1, due_at = to_timestamp($1 + $6)
FROM picked, outbox_event AS event, webhook_endpoint AS target
WHERE taken.event_id = picked.event_id AND taken.endpoint_id = picked.endpoint_id
  AND event.account_id = taken.account_id AND event.livemode = taken.livemode AND event.id = taken.event_id
  AND target.id = taken.endpoint_id
RETURNING taken.event_id, taken.endpoint_id, taken.tries, event.body::text AS body, target.body->>'url' AS url,
  target.state AS state, target.inner_body::text AS inner_body
"""

# A delivery that was asked for anew meanwhile (its tries were reset) stays pending.
_RECORD = """
WITH made AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::float8[], $5::integer[], $6::text[], $7::integer[],
                         $8::text[], $9::float8[])
        AS one (event_id, endpoint_id, tries, at, status, error, milliseconds, state, due)
), listed AS (
    INSERT INTO outbox_attempt (event_id, endpoint_id, at, status, error, milliseconds)
    SELECT event_id, endpoint_id, to_timestamp(at), status, error, milliseconds FROM made
)
UPDATE outbox_delivery AS delivery SET state = made.state, due_at = to_timestamp(made.due)
FROM made WHERE delivery.event_id = made.event_id AND delivery.endpoint_id = made.endpoint_id
  AND delivery.tries = made.tries AND delivery.state = 'pending'
"""


class Store:
    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def take(self, now: float, room: Mapping[str, int], usual: int, most: int) -> list[Delivery]:
        """Due deliveries, at most `most`: `room` of each endpoint that it names, `usual` of every other."""
        values = (now, usual, list(room), list(room.values()), most, LEASE)
        return [_delivery(row, now) for row in await self._pool.fetch(_TAKE, *values)]

    async def record(self, outcomes: Sequence[Outcome]) -> None:
        """Writes attempts down, and what their deliveries become."""
        columns = (
            [one.delivery.event for one in outcomes],
            [one.delivery.endpoint for one in outcomes],
            [one.delivery.tries for one in outcomes],
            [one.at for one in outcomes],
            [one.status for one in outcomes],
            [one.error for one in outcomes],
            [one.milliseconds for one in outcomes],
            [one.state for one in outcomes],
            [one.due for one in outcomes],
        )
        await self._pool.execute(_RECORD, *columns)


def _delivery(row: Any, now: float) -> Delivery:
    secrets = _inner(row["inner_body"]).secrets
    valid = tuple(one.value for one in secrets if one.expires_at == 0 or one.expires_at > now)
    return Delivery(row["event_id"], row["endpoint_id"], row["tries"], row["body"], row["url"], row["state"], valid)
