"""The rights of the services' own roles: exactly those that the plan's edges say, and no DDL.

The file that DATABASE_GRANTS refers to::

    {"roles": [{"role": "micro_payment_app", "privilege": "read_write", "tables": [], "append_only": ["entry"]}]}

``read`` is SELECT; ``write`` and ``read_write`` are SELECT, INSERT, UPDATE and DELETE; a table in
``append_only`` is never more than SELECT and INSERT. No ``tables`` means all of them. Nobody but the
owner touches the migrations' table.
"""

from __future__ import annotations

import pathlib
from typing import Any, Literal, NamedTuple

import asyncpg
import msgspec

from groundplan_runtime.migrate import ledger
from groundplan_runtime.migrate.problems import MigrationError

_WRITE = "SELECT, INSERT, UPDATE, DELETE"
_APPEND = "SELECT, INSERT"
_READ = "SELECT"


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One edge's right."""

    role: str
    privilege: Literal["read", "write", "read_write"]
    tables: tuple[str, ...] = ()
    append_only: tuple[str, ...] = ()


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    roles: tuple[Grant, ...]


class Objects(NamedTuple):
    """What is in the schema: tables (and views), and sequences with the table that owns each ("" for none)."""

    tables: frozenset[str]
    sequences: tuple[tuple[str, str], ...]


def read(path: pathlib.Path) -> tuple[Grant, ...]:
    """The grants in the file at `path`; raises `MigrationError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Document).roles
    except (OSError, msgspec.MsgspecError) as error:
        raise MigrationError((f"DATABASE_GRANTS refers to {path}, which is no list of grants: {error}",)) from None


async def apply(connection: asyncpg.Connection[Any], grants: tuple[Grant, ...]) -> None:
    """Give each role exactly its rights in schema public; raises `MigrationError`."""
    objects = await _objects(connection)
    roles = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    findings = tuple(finding for grant in grants for finding in _unknown(grant, objects, roles))
    if findings:
        raise MigrationError(findings)
    if grants:
        # One text, one round trip, one transaction: nobody sees a role without its rights.
        await connection.execute("BEGIN;" + ";".join(statements(grants, objects)) + ";COMMIT")


def statements(grants: tuple[Grant, ...], objects: Objects) -> tuple[str, ...]:
    """The SQL that leaves each role with exactly its rights."""
    said = ["REVOKE CREATE ON SCHEMA public FROM PUBLIC"]
    said += [f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM PUBLIC" for kind in ("TABLES", "SEQUENCES")]
    for role in dict.fromkeys(grant.role for grant in grants):
        said += _emptied(quoted(role))
    for grant in grants:
        said += _granted(grant, objects)
    return tuple(said)


def quoted(identifier: str) -> str:
    """`identifier` for SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def _emptied(role: str) -> list[str]:
    kinds = ("ALL TABLES IN SCHEMA public", "ALL SEQUENCES IN SCHEMA public", "SCHEMA public")
    return [f"REVOKE ALL ON {kind} FROM {role}" for kind in kinds] + [f"GRANT USAGE ON SCHEMA public TO {role}"]


def _granted(grant: Grant, objects: Objects) -> list[str]:
    role = quoted(grant.role)
    chosen = set(grant.tables) | set(grant.append_only) if grant.tables else objects.tables
    said = [
        f"GRANT {_rights(grant, table)} ON public.{quoted(table)} TO {role}"
        for table in sorted(chosen)
        if table != ledger.TABLE
    ]
    on_sequences = "SELECT" if grant.privilege == "read" else "USAGE, SELECT"
    mine = sorted(name for name, table in objects.sequences if table in chosen or not (table or grant.tables))
    return said + [f"GRANT {on_sequences} ON SEQUENCE public.{quoted(name)} TO {role}" for name in mine]


def _rights(grant: Grant, table: str) -> str:
    if grant.privilege == "read":
        return _READ
    return _APPEND if table in grant.append_only else _WRITE


def _unknown(grant: Grant, objects: Objects, roles: set[str]) -> list[str]:
    known = ", ".join(sorted(objects.tables - {ledger.TABLE})) or "none"
    missing = [table for table in (*grant.tables, *grant.append_only) if table not in objects.tables - {ledger.TABLE}]
    findings = [f"the grants of {grant.role} name the table {table}; schema public has: {known}" for table in missing]
    if grant.role not in roles:
        findings.append(f"the grants name the role {grant.role}, which does not exist: bootstrap the database first")
    return findings


# relkind: r table, p partitioned, v view, m materialized view, f foreign table (pg_class).
_TABLES = """SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"""

# deptype: a for serial, i for identity (pg_depend).
_SEQUENCES = """SELECT sequence.relname, coalesce(owner.relname, '') FROM pg_class sequence
    LEFT JOIN pg_depend ON pg_depend.objid = sequence.oid AND pg_depend.classid = 'pg_class'::regclass
        AND pg_depend.refclassid = 'pg_class'::regclass AND pg_depend.deptype IN ('a', 'i')
    LEFT JOIN pg_class owner ON owner.oid = pg_depend.refobjid
    WHERE sequence.relnamespace = 'public'::regnamespace AND sequence.relkind = 'S'"""


async def _objects(connection: asyncpg.Connection[Any]) -> Objects:
    tables = await connection.fetch(_TABLES)
    sequences = await connection.fetch(_SEQUENCES)
    return Objects(frozenset(row[0] for row in tables), tuple((row[0], row[1]) for row in sequences))
