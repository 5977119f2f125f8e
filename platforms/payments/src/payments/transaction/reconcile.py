"""``python -m payments.transaction.reconcile [--json]``: is the acquirer's book ours?

Reads both books (DATABASE_DSN, ACQUIRER_URL) and changes neither: doubts are settled by the service itself, all the
time. What differs is looked at a second time, since payments go on meanwhile; what still differs is printed. What is
still unsettled is counted, and is no difference yet. Exits 0 when the books agree, 1 when not, 2 on unusable settings,
3 when the acquirer cannot be asked.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys

import asyncpg
import msgspec

from groundplan_runtime import clients, settings
from payments.transaction import acquirer, books

PAUSE = 2.0
"""Seconds between the two looks."""
# In one statement, so that an operation and its transaction are of one moment.
_OURS = """
SELECT o.id AS key, t.id AS transaction_id, t.state, t.amount, t.currency, t.captured, t.refunded, t.held,
       t.acquirer_reference,
       EXISTS (SELECT FROM operation AS p WHERE p.transaction_id = t.id AND p.state IN ('pending', 'unknown'))
           AS unsettled
FROM operation AS o JOIN transaction AS t ON t.id = o.transaction_id
WHERE o.kind = 'authorize' AND ($1::text[] IS NULL OR o.id = ANY($1))
"""


class Settings(msgspec.Struct, frozen=True):
    """What the command reads from its environment."""

    database_dsn: settings.Secret


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of one comparison."""

    compared: int
    unsettled: int
    differences: tuple[str, ...]


async def compare(connection: asyncpg.Connection, bank: acquirer.Acquirer, pause: float = PAUSE) -> Report:
    """Both books, whole; what differs twice is a difference. Raises `acquirer.Unknown`."""
    theirs = {listed.key: listed async for listed in bank.book()}
    ours = await _ours(connection, None)
    doubtful = [each.key for each in books.differences(ours, theirs)]
    if doubtful:
        await asyncio.sleep(pause)
        again = {listed.key: listed async for listed in bank.book() if listed.key in set(doubtful)}
        found = books.differences(await _ours(connection, doubtful), again)
    else:
        found = []
    unsettled = sum(one.unsettled for one in ours.values())
    return Report(len(ours), unsettled, tuple(map(str, found)))


async def _ours(connection: asyncpg.Connection, keys: list[str] | None) -> dict[str, books.Ours]:
    return {row["key"]: books.Ours(**row) for row in await connection.fetch(_OURS, keys)}


async def _main() -> Report:
    dsn = settings.load(Settings).database_dsn.reveal()
    async with clients.Http.for_callee("acquirer") as http:
        connection = await asyncpg.connect(dsn)
        try:
            return await compare(connection, acquirer.Acquirer(http))
        finally:
            await connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m payments.transaction.reconcile", description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    try:
        report = asyncio.run(_main())
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except (acquirer.Unknown, acquirer.Refused) as error:
        print(f"the acquirer's book cannot be read: {error}", file=sys.stderr)
        return 3
    if as_json:
        print(json.dumps(dataclasses.asdict(report)))
    else:
        print(f"{report.compared} authorizations compared, {report.unsettled} unsettled", *report.differences, sep="\n")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
