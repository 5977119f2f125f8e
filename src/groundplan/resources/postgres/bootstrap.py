"""The script that makes databases, owners and roles; psql runs it as superuser, as often as one likes.

Source: https://www.postgresql.org/docs/15/app-psql.html (\\gexec), sql-grant.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from groundplan.model import component, secrets
from groundplan.resources.postgres import databases, dumps, exporter
from groundplan.shapes import backups, values

if TYPE_CHECKING:
    from groundplan.resources.postgres import server as servers

ADMIN = "postgres"

# Names in these templates are checked identifiers (`Postgres.database`, `names.trouble`), never input.
_ROLE = """\
SELECT 'CREATE ROLE {role} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{password}';
"""
_MONITOR = """\
GRANT pg_monitor TO {role};
ALTER ROLE {role} CONNECTION LIMIT {limit};
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
# Whoever lost his edge loses the door: a role that is in no edge any more may not connect.
_SHUT = """\
SELECT format('REVOKE ALL ON DATABASE {name} FROM %I', rolname) FROM pg_roles
WHERE NOT rolsuper AND rolname !~ '^pg_' AND rolname <> ALL (string_to_array('{allowed}', ' '))
AND has_database_privilege(rolname, '{name}', 'CONNECT') \\gexec
"""


def script(server: servers.Postgres, edges: Sequence[component.Edge]) -> values.Value:
    """The script for `server` and the edges that lead to it."""
    held = [(edge, right) for edge, right in databases.roles(edges) if right.privilege != "own"]
    parts: list[values.Value] = [
        _role(exporter.ROLE, server.exporter_password),
        values.Literal(_MONITOR.format(role=exporter.ROLE, limit=exporter.CONNECTIONS)),
    ]
    kept = not isinstance(server.backup, backups.NoBackup)
    if kept:
        parts.append(_role(dumps.role(server), server.backup_password))
    for database in sorted(server.databases, key=lambda each: each.name):
        parts.append(_role(database.owner, database.owner_password))
        parts.append(values.text(_DATABASE, name=database.name, owner=database.owner))
        allowed = {database.owner, *([dumps.role(server)] if kept else [])}
        allowed |= {*(right.role(edge.source) for edge, right in held if right.database is database)}
        parts.append(values.text(_SHUT, name=database.name, allowed=" ".join(sorted(allowed))))
    for edge, right in held:
        parts.append(_role(right.role(edge.source), right.password(edge.source)))
        parts.append(values.Literal(f"GRANT CONNECT ON DATABASE {right.database.name} TO {right.role(edge.source)};\n"))
    if kept:
        parts.append(dumps.granted(server))
    return values.Text(tuple(parts))


def _role(role: str, password: secrets.Secret) -> values.Value:
    return values.text(_ROLE, role=role, password=password.value)
