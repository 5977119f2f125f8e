"""Balanced transfers a second, beside pgbench: ``python -m platforms.payments.bench.ledger [SECONDS]``.

A transfer is one posting: two entries, checked and added to two balances by the database, committed with fsync on a
real PostgreSQL. Cold: each among many accounts. Hot: every one to the same merchant, and always from the acquirer's
one account, which all of them share. A payment is what the service writes for one: intent, then outcome. pgbench runs
its own transaction (five statements, three updates) in the same server, so that machines can be compared by ratios.
Afterwards the sums must be zero and the balances must be the fold of the entries, or this fails.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import uvloop
from msgspec.structs import replace

from groundplan_runtime import postgres as database
from payments.common import ids
from payments.transaction import changes, desk, ledger, records, states, store, trial_balance
from platforms.payments.tests import engines

CLIENTS = 16
MERCHANTS = 1000
_ENTRY = """
INSERT INTO entry (id, posting_id, ledger_account, amount, kind, account_id, livemode, currency, transaction_id,
                   created_at)
VALUES ($1, $2, $3, $4, 'capture', $7, false, 'usd', '', now()), ($5, $2, $6, -$4, 'capture', $7, false, 'usd', '',
        now())
"""
Transfer = Callable[[str], Awaitable[object]]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with engines.postgres_server(fsync=True) as server:
        theirs = _pgbench(server, seconds)
        print(f"pgbench's own transaction, {CLIENTS} clients      {theirs:8.0f}/s")
        wal = _wal(server)
        books = uvloop.run(_ours(server, seconds, theirs))
        print(f"WAL written for all of it: {(_wal(server) - wal) / 2**20:.0f} MiB")
    if not books.even:
        raise SystemExit(f"the books do not add up: {books}")
    print(f"afterwards {books.entries} entries sum to zero, and every balance is their fold")


async def _ours(server: engines.Postgres, seconds: float, theirs: float) -> trial_balance.Books:
    made = server.database("payments.transaction.migrations", append_only=("entry", "history"))
    async with database.pool(made.dsn, smallest=CLIENTS, largest=CLIENTS) as pool:
        rows = store.Store(pool, datetime.timedelta(seconds=30), datetime.timedelta(days=2))

        async def transfer(account: str) -> None:
            receivable, owed = ledger.RECEIVABLE, ledger.pending(account)
            entries = (ids.new("ent"), ids.new("pst"), receivable, 1000, ids.new("ent"), owed, account)
            await pool.execute(_ENTRY, *entries)

        for name, work in (("transfer", transfer), ("payment (two steps)", lambda account: _payment(rows, account))):
            for heat, accounts in (("cold accounts", _cold()), ("one hot account", ["acct_hot"])):
                rate, p99 = await _measured(work, accounts, seconds)
                print(
                    f"{name:<20} {heat:<16} {rate:14.0f}/s  p99 {p99 * 1000:5.1f} ms  {rate / theirs:5.2f} of pgbench"
                )
    return await trial_balance.read(made.dsn)


def _cold() -> list[str]:
    return [ids.new("acct") for _ in range(MERCHANTS)]


async def _payment(rows: store.Store, account: str) -> None:
    """An authorization taken at once: what the service writes before and after it asks the acquirer."""
    now = datetime.datetime.now(datetime.UTC)
    one = records.Transaction(ids.new("txn"), account, False, "pi", "card", "usd", now, now, 1000)
    operation = desk.new_operation("authorize", account, one.id, ids.new("req"), b"", 1000)
    pending = replace(one, state=states.PENDING)
    await rows.create(changes.Change(one, pending, operation))
    answer = changes.Authorized("captured", "aut_1", "ntx_1")
    await rows.settle(changes.authorized(replace(pending, version=1), operation, answer))


async def _measured(work: Transfer, accounts: list[str], seconds: float) -> tuple[float, float]:
    """Transfers a second and their 99th percentile in seconds."""
    taken: list[float] = []
    begun, end = time.perf_counter(), time.perf_counter() + seconds

    async def client() -> None:
        while (start := time.perf_counter()) < end:
            await work(random.choice(accounts))  # noqa: S311  (load)
            taken.append(time.perf_counter() - start)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(taken) / (time.perf_counter() - begun), sorted(taken)[int(len(taken) * 0.99)]


def _pgbench(server: engines.Postgres, seconds: float) -> float:
    program = str(server.programs / "pgbench")
    quiet = {"capture_output": True, "text": True, "check": True}
    subprocess.run([program, "-i", "-q", "-s", "10", server.dsn()], **quiet)  # type: ignore[call-overload]
    options = ["-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(seconds)))]
    said = subprocess.run([program, *options, server.dsn()], **quiet).stdout  # type: ignore[call-overload]
    return float(next(line.split()[2] for line in said.splitlines() if line.startswith("tps = ")))


def _wal(server: engines.Postgres) -> int:
    return int(float(server.psql("SELECT pg_current_wal_lsn() - '0/0'")))


if __name__ == "__main__":
    main()
