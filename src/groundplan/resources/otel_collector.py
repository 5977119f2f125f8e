"""OpenTelemetry's collector: takes spans over OTLP and hands them to whoever keeps traces.

Sources: https://opentelemetry.io/docs/collector/configuration/,
https://opentelemetry.io/docs/specs/otel/protocol/exporter/,
https://opentelemetry.io/docs/collector/internal-telemetry/
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, final

from groundplan.model import component, environment, external, resource, rights
from groundplan.resources import images
from groundplan.shapes import backups, ports, processes, quantities, signals, values, workloads
from groundplan_runtime import contract

_USER = 10001


@final
class OpenTelemetryCollector(resource.Resource):
    """A collector of traces. Programs send theirs by ``spans()``; `to` is the system outside that keeps them, which
    takes OTLP over HTTPS. On a laptop they stay here, and ``groundplan trace`` shows them."""

    grants = "spans()"

    def __init__(
        self,
        name: str = "otel-collector",
        *,
        to: external.External,
        version: str = "0.119.0",
        resources: quantities.Compute | None = None,
    ) -> None:
        super().__init__(name, listens={"otlp": ports.Http(4318), "metrics": ports.Http(8888)})
        self.to = to
        self.version = version
        self.resources = resources or quantities.Compute()
        self.needs(to)

    def spans(self) -> SendSpans:
        """The right to send spans. Its holder starts and works without the collector, too."""
        return SendSpans(collector=self)

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"resources": quantities.Compute}

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("it holds nothing for longer than it takes to hand it on")

    def signals(self) -> signals.Signals:
        return signals.Exports(documented=("otel-collector",))

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.Engine:
        return processes.Engine(
            run=processes.Run(
                argv=(
                    "python",
                    "-m",
                    "groundplan.standins.traces",
                    values.text("--http={}", values.Address(self.name, "otlp")),
                    values.text("--data={}", values.Folder(self.name)),
                )
            ),
            ready=processes.Ready(
                "accepting spans", http=values.text("http://{}/livez", values.Address(self.name, "otlp"))
            ),
            runs="a collector of traces",
            fidelity="spans stay here, for groundplan trace",
        )

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Stateless:
        return workloads.Stateless(
            image=images.otel_collector(self.version),
            argv=(values.text("--config={}/collector.yaml", values.Files(self.name)),),
            files=(processes.File("collector.yaml", _configuration(self.to)),),
            ready=workloads.Check(port="otlp"),
            alive=workloads.Check(port="metrics", path="/metrics"),
            user=_USER,
            group=_USER,
            grace=30,
        )


def _configuration(to: external.External) -> values.Value:
    """Memory is limited before anything else, as the documentation of the processor asks. Metrics are called as
    documented, whatever a version would add to their names by itself.
    """
    return values.text(
        """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 0.0.0.0:4318
processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 75
    spike_limit_percentage: 15
  batch: {{}}
exporters:
  otlphttp:
    endpoint: {}
service:
  telemetry:
    metrics:
      readers:
      - pull:
          exporter:
            prometheus:
              host: 0.0.0.0
              port: 8888
              without_type_suffix: true
              without_units: true
              without_scope_info: true
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlphttp]
""",
        values.Url(to.name, to.port_name),
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SendSpans(rights.Right):
    """May send spans."""

    collector: OpenTelemetryCollector
    spare: ClassVar[bool] = True

    @property
    def target(self) -> OpenTelemetryCollector:
        return self.collector

    @property
    def opens(self) -> tuple[str, ...]:
        return ("otlp",)

    def variables(self, holder: component.Component) -> tuple[rights.Variable, ...]:
        place = values.Url(self.collector.name, "otlp")
        return (rights.Variable(self.variable or contract.OTLP_ENDPOINT, place),)

    def __str__(self) -> str:
        return f"{self.collector.name} spans"
