"""Vault (or OpenBao, which speaks the same API): where a cluster keeps its secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from groundplan.model import component, resource
from groundplan.shapes import backups, ports, processes, quantities


@final
class Vault(resource.Resource):
    """A Vault server with file storage, KV version 2 and Kubernetes authentication."""

    grants = "nothing by itself; a secret's path is needed"

    def __init__(
        self,
        name: str = "vault",
        *,
        version: str = "1.15.4",
        storage: str = "1Gi",
        backup: backups.Backup | None = None,
        resources: quantities.Compute | None = None,
    ) -> None:
        super().__init__(name, listens={"api": ports.Http(8200), "cluster": ports.Tcp(8201)})
        self.version = version
        self.storage = storage
        self.backup = backup or backups.NoBackup("none was asked for")
        self.resources = resources or quantities.Compute()

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "resources": quantities.Compute}

    def backed_up(self) -> backups.Backup:
        return self.backup

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("secrets are generated once and kept in files of mode 0600")
