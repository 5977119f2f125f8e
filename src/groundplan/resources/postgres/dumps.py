"""Dumps of a server (PostgreSQL 14 and newer): each database by itself, and back into it in one transaction.

Sources: https://www.postgresql.org/docs/15/app-pgdump.html, app-pg-dumpall.html (--no-role-passwords),
predefined-roles.html (pg_read_all_data), app-psql.html (--single-transaction)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from groundplan.model import component, rights
from groundplan.resources.postgres import bootstrap, databases
from groundplan.shapes import backups, processes, values

if TYPE_CHECKING:
    from groundplan.resources.postgres import server as servers

PROMISE = (
    "Each database as it was at one moment, and each at a moment of its own: those of callers before those of whom "
    "they call, so that what a caller wrote down after an answer is never without what it answers to. What was under "
    "way between two moments is found and settled by the services themselves, as after a crash."
)
# Passwords are not in it: they are the store's, and the bootstrap sets them.
_SAVE = """\
rm -rf "$WORK"; mkdir -p -m 700 "$WORK"; : > "$WORK/began"
"$PSQL" --no-psqlrc --tuples-only --no-align --dbname=postgres --output="$WORK/engine" \
 --command="SELECT 'PostgreSQL ' || current_setting('server_version')"
"$PG_DUMPALL" --globals-only --no-role-passwords --database=postgres --file="$WORK/globals.sql"
for name in "$@"; do "$PG_DUMP" --format=custom --file="$WORK/$name.dump" --dbname="$name"; done
"""
# Roles of the dump that are there already are not made again: these errors are no trouble, and a role that is really
# missing stops the transaction that needs it.
_RESTORE = """\
"$PSQL" --no-psqlrc --quiet --dbname=postgres --output=/dev/null --file="$WORK/globals.sql" 2>/dev/null || true
for name in "$@"; do
  if ! test -e "$WORK/$name.dump"; then echo "$name is not in this backup, and stays as it is"; continue; fi
  "$PG_RESTORE" --file="$WORK/$name.sql" "$WORK/$name.dump"
  "$PSQL" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --single-transaction --dbname="$name" \
   --file="$CLEAR" --file="$WORK/$name.sql"
  rm "$WORK/$name.sql"
  echo "restored $name"
done
rm -rf "$WORK"
"""
# What initdb leaves: a dump says only how a database differs from that.
_CLEAR = """\
SET client_min_messages = warning;
SET lock_timeout = '60s';  -- whoever still works in it is named by the error, and not waited for
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
END $$;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS 'standard public schema';
"""
_ROLE = """\
ALTER ROLE {role} BYPASSRLS;
GRANT pg_read_all_data TO {role};
"""


def role(server: servers.Postgres) -> str:
    """The role that makes dumps: it reads everything and writes nothing."""
    return f"{server.name.replace('-', '_')}_backup"


def granted(server: servers.Postgres) -> values.Value:
    """What the bootstrap says of that role once it and all databases are there."""
    connects = (f"GRANT CONNECT ON DATABASE {each.name} TO {role(server)};\n" for each in server.databases)
    return values.Literal(_ROLE.format(role=role(server)) + "".join(sorted(connects)))


def procedures(server: servers.Postgres, edges: Sequence[component.Edge], work: str) -> backups.Procedures:
    """Dumps by the role that only reads; back as the superuser, who alone may give everything its owner again."""
    names = tuple(each.name for each in callers_first(server, edges))
    clear = "restore-clear.sql"
    saved = _environment(server, "backup", role(server), work)
    restored = _environment(server, "restore", bootstrap.ADMIN, work)
    restored |= {"CLEAR": values.text(f"{{}}/{clear}", values.Files(server.name))}
    return backups.Procedures(
        reader=f"PostgreSQL {server.version}",
        save=backups.Work(
            run=_script(_SAVE, names, saved),
            on="port",
            files=(_passwords("backup", server.backup_password.value),),
        ),
        restore=backups.Work(
            run=_script(_RESTORE, names, restored),
            on="port",
            files=(_passwords("restore", server.admin_password.value), processes.File(clear, values.Literal(_CLEAR))),
        ),
        promise=PROMISE,
    )


def _environment(server: servers.Postgres, stem: str, user: str, work: str) -> dict[str, processes.Word]:
    programs = ("psql", "pg_dump", "pg_dumpall", "pg_restore")
    return {
        **{each.upper(): values.Program(server.name, each) for each in programs},
        "PGHOST": values.Host(server.name, "postgres"),
        "PGPORT": values.PortNumber(server.name, "postgres"),
        "PGUSER": user,
        # Not a password file: no program reads one that its group may read, and that is how a Secret is mounted.
        "PGSERVICEFILE": values.text(f"{{}}/{stem}-services.conf", values.Files(server.name)),
        "PGSERVICE": stem,
        **dict(databases.client(server)),
        "WORK": work,
    }


def _script(script: str, names: tuple[str, ...], environment: dict[str, processes.Word]) -> processes.Run:
    variables = tuple((name, environment[name]) for name in sorted(environment))
    return processes.Run(argv=("sh", "-euc", script, "sh", *names), environment=variables)


def _passwords(stem: str, password: values.Value) -> processes.File:
    return processes.File(f"{stem}-services.conf", values.text(f"[{stem}]\npassword={{}}\n", password))


def callers_first(server: servers.Postgres, edges: Sequence[component.Edge]) -> tuple[databases.Database, ...]:
    """The databases of services before those of the services that they call, as far as calls are no circle."""
    order = _callers_first(sorted({edge.source for edge, _ in databases.roles(edges)}, key=lambda each: each.name))
    ranks: dict[str, int] = {}
    for edge, right in databases.roles(edges):
        rank = order.index(edge.source.name)
        ranks[right.database.name] = min(rank, ranks.get(right.database.name, rank))
    return tuple(sorted(server.databases, key=lambda each: (ranks.get(each.name, len(order)), each.name)))


def _callers_first(components: Sequence[component.Component]) -> list[str]:
    seen: set[str] = set()
    order: list[str] = []

    def visit(each: component.Component) -> None:
        if each.name in seen:
            return
        seen.add(each.name)
        called = [edge.right.target for edge in each.edges if isinstance(edge.right, rights.Call)]
        for target in sorted(called, key=lambda found: found.name, reverse=True):
            visit(target)
        order.append(each.name)

    for each in reversed(components):
        visit(each)
    return order[::-1]
