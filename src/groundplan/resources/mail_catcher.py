"""A mail server that keeps what it gets and lets people read it: the stand-in for an SMTP relay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, resource
from groundplan.shapes import backups, ports, processes, signals, values, workloads


@final
class MailCatcher(resource.Resource):
    """Catches all mail; ``GET /messages`` on its HTTP port lists it, newest first."""

    grants = "nothing; it stands in for an external"

    def __init__(self, name: str = "mail-catcher") -> None:
        super().__init__(name, listens={"external": ports.Tcp(1025), "http": ports.Http(8025)})

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("a stand-in")

    def signals(self) -> signals.Signals:
        return signals.NoSignals("a stand-in")

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.Engine:
        return processes.Engine(
            run=processes.Run(
                argv=(
                    "python",
                    "-m",
                    "groundplan.standins.mail",
                    values.text("--smtp={}", values.Address(self.name, "external")),
                    values.text("--http={}", values.Address(self.name, "http")),
                    values.text("--data={}", values.Folder(self.name)),
                )
            ),
            ready=processes.Ready(
                "accepting mail", http=values.text("http://{}/livez", values.Address(self.name, "http"))
            ),
            runs="a mail catcher",
        )

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.NotThere:
        return workloads.NotThere("a stand-in for a laptop: a cluster reaches the real one")
