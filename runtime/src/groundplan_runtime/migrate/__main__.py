"""``python -m groundplan_runtime.migrate up|down|status PACKAGE [--to N]``

Connects by DATABASE_DSN as the owner. After ``up`` and ``down`` the grants of DATABASE_GRANTS are
applied. Exit codes: 0 done, 1 failed, 2 unusable arguments, files or settings.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from typing import Any

import asyncpg
import msgspec

from groundplan_runtime import contract, settings
from groundplan_runtime.migrate import files, grants, ledger
from groundplan_runtime.migrate.problems import MigrationError

_START_TIMEOUT = 30.0  # seconds to wait for a server that is starting


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        known = files.read(files.find(asked.package))
        dsn, rights = _settings()
        _check_target(asked, known)
    except (MigrationError, settings.SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        asyncio.run(_run(asked, known, dsn, rights))
    except (MigrationError, asyncpg.PostgresError, OSError) as error:
        print(f"migrating {asked.package} failed:\n  " + str(error).replace("\n", "\n  "), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m groundplan_runtime.migrate",
        description="Apply, take back or list the SQL migrations of a package.",
        epilog="example: python -m groundplan_runtime.migrate up payments.auth.migrations",
    )
    parser.add_argument("verb", choices=("up", "down", "status"))
    parser.add_argument("package", help="the Python package with the files 0001_name.up.sql and 0001_name.down.sql")
    parser.add_argument("--to", type=int, help="the number to end at (up: the last, down: one less than now)")
    return parser


def _settings() -> tuple[str, tuple[grants.Grant, ...]]:
    class Environment(msgspec.Struct, frozen=True):
        database_dsn: settings.Secret

    dsn = settings.load(Environment).database_dsn.reveal()
    path = settings.reference(os.environ, contract.DATABASE_GRANTS)
    return dsn, grants.read(path) if path else ()


def _check_target(asked: argparse.Namespace, known: tuple[files.Migration, ...]) -> None:
    lowest = 1 if asked.verb == "up" else 0
    if asked.to is not None and not lowest <= asked.to <= known[-1].number:
        raise MigrationError((f"--to {asked.to}: there are the numbers {lowest} to {known[-1].number}",))


async def _run(
    asked: argparse.Namespace, known: tuple[files.Migration, ...], dsn: str, rights: tuple[grants.Grant, ...]
) -> None:
    connection = await _connect(dsn)
    try:
        if asked.verb == "status":
            _show(known, await ledger.read(connection))
            return
        await ledger.lock(connection)
        applied = await ledger.read(connection)
        ledger.compare(known, applied)
        await _move(asked, connection, known, applied)
        await grants.apply(connection, rights)
    finally:
        await connection.close(timeout=5)


async def _move(
    asked: argparse.Namespace,
    connection: asyncpg.Connection[Any],
    known: tuple[files.Migration, ...],
    applied: tuple[ledger.Applied, ...],
) -> None:
    if asked.verb == "up":
        done = await ledger.up(connection, known, applied, known[-1].number if asked.to is None else asked.to)
        print(f"applied {', '.join(step.title for step in done)}" if done else "nothing to apply", flush=True)
        return
    last = applied[-1].number if applied else 0
    done = await ledger.down(connection, known, applied, max(last - 1, 0) if asked.to is None else asked.to)
    print(f"took back {', '.join(step.title for step in done)}" if done else "nothing to take back", flush=True)


def _show(known: tuple[files.Migration, ...], applied: tuple[ledger.Applied, ...]) -> None:
    rows = {row.number: row for row in applied}
    for migration in known:
        row = rows.get(migration.number)
        print(f"{migration.title}  {f'applied {row.applied_at:%Y-%m-%d %H:%M:%S}' if row else 'not applied'}")
    ledger.compare(known, applied)


async def _connect(dsn: str) -> asyncpg.Connection[Any]:
    until = time.monotonic() + _START_TIMEOUT
    while True:
        try:
            return await asyncpg.connect(dsn, timeout=5, server_settings={"application_name": "migrate"})
        except (OSError, asyncpg.CannotConnectNowError):
            if time.monotonic() >= until:
                raise
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
