"""A listener that keeps the webhooks it gets and lets people read them: the stand-in for customers' servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, resource
from groundplan.shapes import backups, ports, processes, signals, values, workloads


@final
class WebhookCatcher(resource.Resource):
    """Takes POST on any path; ``GET /deliveries`` lists what came, newest first."""

    grants = "nothing; it stands in for the internet"

    def __init__(self, name: str = "webhook-catcher") -> None:
        super().__init__(name, listens={"external": ports.Http(8026)})

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
                    "groundplan.standins.webhooks",
                    values.text("--http={}", values.Address(self.name, "external")),
                    values.text("--data={}", values.Folder(self.name)),
                )
            ),
            ready=processes.Ready(
                "accepting deliveries", http=values.text("http://{}/livez", values.Address(self.name, "external"))
            ),
            runs="a webhook catcher",
        )

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.NotThere:
        return workloads.NotThere("a stand-in for a laptop: a cluster reaches the real one")
