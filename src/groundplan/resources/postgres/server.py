"""The server itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, findings, resource, secrets
from groundplan.model import origin as origins
from groundplan.resources.postgres import databases, dumps, exporter, here, there
from groundplan.shapes import backups, ports, processes, quantities, signals, workloads

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
DEFAULT_PORT = 5432


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
        self.backup = backup or backups.UNASKED
        self.resources = resources or quantities.Compute()
        self.databases: list[databases.Database] = []

    def database(self, name: str, *, migrations: str | None = None) -> databases.Database:
        """A database with a role of its own as owner; `migrations` is the Python package of its SQL files."""
        if not IDENTIFIER.fullmatch(name):
            findings.report(
                "GP105",
                f"database {name!r}",
                why="a database's name holds only a-z, 0-9 and _",
                remedy=f'call it "{re.sub("[^a-z0-9]+", "_", name.lower()).strip("_") or "a_name"}"',
            )
            name = "invalid"
        if any(known.name == name for known in self.databases):
            findings.report("GP102", f"database {name} of {self.name}", remedy="declare it once and keep the value")
        made = databases.Database(self, name, migrations, origins.here())
        self.databases.append(made)
        return made

    @property
    def admin_password(self) -> secrets.Secret:
        """The superuser's password; only the bootstrap uses it."""
        return secrets.Secret(f"database/{self.name}-admin-password", secrets.Random(24), self.origin)

    @property
    def exporter_password(self) -> secrets.Secret:
        """Of the role that may read statistics and no table."""
        return secrets.Secret(f"database/{self.name}-exporter-password", secrets.Random(24), self.origin)

    @property
    def backup_password(self) -> secrets.Secret:
        """Of the role that makes dumps."""
        return secrets.Secret(f"database/{self.name}-backup-password", secrets.Random(24), self.origin)

    def secrets(self) -> tuple[secrets.Secret, ...]:
        own = (self.admin_password, self.exporter_password, *(database.owner_password for database in self.databases))
        return own if isinstance(self.backup, backups.NoBackup) else (*own, self.backup_password)

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "resources": quantities.Compute}

    def backed_up(self) -> backups.Backup:
        return self.backup

    def signals(self) -> signals.Signals:
        return signals.Exports(documented=("postgres-exporter",), exporter=exporter.of(self))

    def procedures(self, edges: Sequence[component.Edge], work: str) -> backups.Procedures:
        return dumps.procedures(self, edges, work)

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.Engine:
        return here.engine(self, edges)

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Stateful:
        return there.objects(self, edges)
