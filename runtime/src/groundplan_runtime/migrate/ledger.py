"""What is applied: one table, one advisory lock, each file in a transaction of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import asyncpg

from groundplan_runtime.migrate import files
from groundplan_runtime.migrate.problems import MigrationError

TABLE = "groundplan_migration"

_LOCK = 0x67726F756E64  # "ground": the same for every release, so that two releases exclude each other
_LOCK_TIMEOUT = "60s"

_CREATE = f"""CREATE TABLE IF NOT EXISTS public.{TABLE} (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class Applied(NamedTuple):
    """A row of the table."""

    number: int
    name: str
    checksum: str
    applied_at: Any


async def lock(connection: asyncpg.Connection[Any]) -> None:
    """Only one migration at a time; the lock ends with the connection."""
    await connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    try:
        await connection.execute(f"SELECT pg_advisory_lock({_LOCK})")
    except asyncpg.LockNotAvailableError:
        raise MigrationError(
            (f"another migration has held the lock for {_LOCK_TIMEOUT}: wait for it or end it",)
        ) from None


async def read(connection: asyncpg.Connection[Any]) -> tuple[Applied, ...]:
    """The rows, in order; makes the table when there is none."""
    if await connection.fetchval(f"SELECT to_regclass('public.{TABLE}')") is None:
        await connection.execute(_CREATE)
    rows = await connection.fetch(f"SELECT number, name, checksum, applied_at FROM public.{TABLE} ORDER BY number")  # noqa: S608
    return tuple(Applied(*row) for row in rows)


def compare(known: tuple[files.Migration, ...], applied: tuple[Applied, ...]) -> None:
    """Raise `MigrationError` where history was rewritten."""
    by_number = {migration.number: migration for migration in known}
    findings = [finding for row in applied if (finding := _difference(by_number.get(row.number), row))]
    if findings:
        raise MigrationError(tuple(findings))


async def up(
    connection: asyncpg.Connection[Any], known: tuple[files.Migration, ...], applied: tuple[Applied, ...], to: int
) -> tuple[files.Migration, ...]:
    """Apply what is missing up to number `to`; what was done."""
    last = applied[-1].number if applied else 0
    steps = tuple(migration for migration in known if last < migration.number <= to)
    for step in steps:
        insert = f"INSERT INTO public.{TABLE} (number, name, checksum) VALUES ($1, $2, $3)"  # noqa: S608
        await _run(connection, step, step.up, "up", insert, (step.number, step.name, step.checksum))
    return steps


async def down(
    connection: asyncpg.Connection[Any], known: tuple[files.Migration, ...], applied: tuple[Applied, ...], to: int
) -> tuple[files.Migration, ...]:
    """Take back what is above number `to`, the newest first; what was done."""
    numbers = {row.number for row in applied}
    steps = tuple(migration for migration in reversed(known) if migration.number > to and migration.number in numbers)
    for step in steps:
        delete = f"DELETE FROM public.{TABLE} WHERE number = $1"  # noqa: S608
        await _run(connection, step, step.down, "down", delete, (step.number,))
    return steps


async def _run(
    connection: asyncpg.Connection[Any],
    step: files.Migration,
    sql: str,
    side: str,
    note: str,
    values: tuple[object, ...],
) -> None:
    try:
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute(note, *values)
    except asyncpg.PostgresError as error:
        where = _line(sql, getattr(error, "position", None))
        raise MigrationError((f"{step.title}.{side}.sql{where}: {error}; nothing of this file was done",)) from error


def _line(sql: str, position: str | None) -> str:
    return f" line {sql.count(chr(10), 0, int(position) - 1) + 1}" if position else ""


def _difference(known: files.Migration | None, row: Applied) -> str:
    title = f"{row.number:04d}_{row.name}"
    if known is None:
        return f"{title} is applied, but its files are gone: bring them back, or go down with the release that had them"
    if known.checksum != row.checksum or known.name != row.name:
        when = f"{row.applied_at:%Y-%m-%d %H:%M}"
        return f"{known.title}.up.sql was edited after it was applied at {when}: undo that, and add a new file"
    return ""
