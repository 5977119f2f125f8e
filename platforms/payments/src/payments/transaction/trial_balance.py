"""``python -m payments.transaction.trial_balance [--json]``: the books, read anew from every entry.

Connects by DATABASE_DSN. Sums all entries by currency (each must be zero) and compares the balances that the
database keeps with the entries that they follow from. Exits 1 when something does not add up.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys

import asyncpg
import msgspec

from groundplan_runtime import settings

SUMS = (
    "SELECT currency, sum(amount)::bigint AS total, count(*) AS entries FROM entry GROUP BY currency ORDER BY currency"
)
STRAYED = """
SELECT ledger_account, livemode, currency, folded, kept FROM
    (SELECT ledger_account, livemode, currency, sum(amount)::bigint AS folded FROM entry GROUP BY 1, 2, 3) AS entries
    FULL JOIN
    (SELECT ledger_account, livemode, currency, sum(amount)::bigint AS kept FROM balance GROUP BY 1, 2, 3) AS balances
    USING (ledger_account, livemode, currency)
WHERE folded IS DISTINCT FROM kept ORDER BY 1, 2, 3
"""


class Settings(msgspec.Struct, frozen=True):
    """What the command reads from its environment."""

    database_dsn: settings.Secret


@dataclasses.dataclass(frozen=True)
class Books:
    """Sums in minor units by currency, the number of entries, and accounts whose balance is not what entries say."""

    sums: dict[str, int]
    entries: int
    strayed: tuple[str, ...]

    @property
    def even(self) -> bool:
        return not self.strayed and not any(self.sums.values())


async def read(dsn: str) -> Books:
    """All of it in one snapshot, so that nothing is half there."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            sums = await connection.fetch(SUMS)
            strayed = await connection.fetch(STRAYED)
    finally:
        await connection.close()
    return Books(
        {row["currency"]: row["total"] for row in sums},
        sum(row["entries"] for row in sums),
        tuple(f"{row['ledger_account']} {row['currency']}: {row['folded']} != {row['kept']}" for row in strayed),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m payments.transaction.trial_balance", description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    try:
        books = asyncio.run(read(settings.load(Settings).database_dsn.reveal()))
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps({"even": books.even, **dataclasses.asdict(books)}))
    else:
        for currency, total in books.sums.items():
            print(f"{currency}  {total}")
        print(f"{books.entries} entries", *books.strayed, sep="\n")
    return 0 if books.even else 1


if __name__ == "__main__":
    sys.exit(main())
