"""``python -m payments.merchant.verify``: checks the audit log of every account; exit 1 where one was tampered with.

Connects by DATABASE_DSN. Prints a line for each broken log, and how many were checked.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from groundplan_runtime import postgres, settings
from payments.merchant.store import merchants


class Settings(msgspec.Struct, frozen=True):
    """What the command reads from its environment."""

    database_dsn: settings.Secret


def main() -> int:
    try:
        given = settings.load(Settings)
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return asyncio.run(_verify(given))


async def _verify(given: Settings) -> int:
    async with postgres.pool(given.database_dsn, largest=1) as pool:
        rows = merchants.Merchants(pool)
        checked = {merchant_id: await rows.verify(merchant_id) for merchant_id in await rows.all()}
    broken = {merchant_id: verdict for merchant_id, verdict in checked.items() if not verdict.intact}
    for merchant_id, verdict in broken.items():
        print(f"{merchant_id}: {verdict.problem}")
    print(f"{len(checked)} logs checked, {len(broken)} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
