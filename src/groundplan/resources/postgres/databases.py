"""Databases of a server, and the roles that services get in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from groundplan.model import component, needable, rights, secrets, ungranted
from groundplan.model import origin as origins
from groundplan.shapes import values
from groundplan_runtime import contract

if TYPE_CHECKING:
    from groundplan.resources.postgres import server as servers

VERIFIED = "sslmode=verify-full&sslrootcert={}"
"""Of a URL: https://www.postgresql.org/docs/15/libpq-ssl.html"""
Privilege = Literal["read", "write", "read_write", "own"]


@dataclasses.dataclass(frozen=True, eq=False)
class Database(ungranted.Granting, needable.Needable):
    """One database of a server."""

    server: servers.Postgres
    name: str
    migrations: str | None
    origin: origins.Origin
    grants: str = dataclasses.field(default="read(), write(), read_write() and owned()", init=False)

    @property
    def owner(self) -> str:
        """The role that owns it and alone may change its schema."""
        return f"{self.name}_owner"

    @property
    def owner_password(self) -> secrets.Secret:
        return secrets.Secret(f"database/{self.name}-owner-password", secrets.Random(24), self.origin)

    @property
    def migrate_step(self) -> str:
        return f"{self.name.replace('_', '-')}-migrate"

    def as_right(self) -> DatabaseRole:
        return self.read_write()

    def owned(self) -> DatabaseRole:
        """The owner's own role, for a service that keeps its schema itself; it has none of the walls of the others."""
        return DatabaseRole(database=self, privilege="own")

    def read(self, *tables: str) -> DatabaseRole:
        """SELECT on `tables`, or on all of them."""
        return DatabaseRole(database=self, privilege="read", tables=tables)

    def write(self, *tables: str, append_only: Sequence[str] = ()) -> DatabaseRole:
        """SELECT, INSERT, UPDATE and DELETE on `tables` or all; on `append_only` ones SELECT and INSERT alone."""
        return DatabaseRole(database=self, privilege="write", tables=tables, append_only=tuple(append_only))

    def read_write(self, *tables: str, append_only: Sequence[str] = ()) -> DatabaseRole:
        """The same as `write`."""
        return DatabaseRole(database=self, privilege="read_write", tables=tables, append_only=tuple(append_only))


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DatabaseRole(rights.Right):
    """A role of the holder's own in a database, without the right to change the schema."""

    database: Database
    privilege: Privilege
    tables: tuple[str, ...] = ()
    append_only: tuple[str, ...] = ()

    @property
    def target(self) -> servers.Postgres:
        return self.database.server

    @property
    def opens(self) -> tuple[str, ...]:
        return ("postgres",)

    @property
    def gates(self) -> str:
        return self.database.migrate_step if self.database.migrations else f"{self.database.server.name}-bootstrap"

    def role(self, holder: component.Component) -> str:
        """The holder's role: one on the whole server, since PostgreSQL's roles belong to no database."""
        return self.database.owner if self.privilege == "own" else holder.name.replace("-", "_")

    def password(self, holder: component.Component) -> secrets.Secret:
        if self.privilege == "own":
            return self.database.owner_password
        path = f"database/{self.database.server.name}-{holder.name}-password"
        return secrets.Secret(path, secrets.Random(24), self.database.origin)

    def secrets(self, holder: component.Component) -> tuple[secrets.Secret, ...]:
        return (self.password(holder),)

    def variables(self, holder: component.Component) -> tuple[rights.Variable, ...]:
        place = dsn(self.database, self.role(holder), self.password(holder))
        return (rights.Variable(self.variable or contract.DATABASE_DSN, place),)

    def grant(self, holder: component.Component) -> dict[str, object]:
        """As the migration applies it (`groundplan_runtime.migrate`)."""
        return {
            "role": self.role(holder),
            "privilege": self.privilege,
            "tables": sorted(self.tables),
            "append_only": sorted(self.append_only),
        }

    def __str__(self) -> str:
        limited = f" ({', '.join(self.tables)})" if self.tables else ""
        return f"{self.database.name}: {self.privilege}{limited}"


def dsn(database: Database, role: str, password: secrets.Secret) -> values.Value:
    address = values.Address(database.server.name, "postgres")
    verified = values.encrypted(database.server.name, values.text(f"?{VERIFIED}", values.Authority()), "")
    return values.text(f"postgresql://{role}:{{}}@{{}}/{database.name}{{}}", password.value, address, verified)


def client(server: servers.Postgres) -> tuple[tuple[str, values.Value], ...]:
    """Variables that say to libpq's programs how to verify `server`; the empty ones change nothing."""
    return (
        ("PGSSLMODE", values.encrypted(server.name, "verify-full", "prefer")),
        ("PGSSLROOTCERT", values.encrypted(server.name, values.Authority(), "")),
    )


def roles(edges: Sequence[component.Edge]) -> list[tuple[component.Edge, DatabaseRole]]:
    """The edges that carry database roles, in the order of database and holder."""
    found = [(edge, edge.right) for edge in edges if isinstance(edge.right, DatabaseRole)]
    return sorted(found, key=lambda each: (each[1].database.name, each[0].source.name))
