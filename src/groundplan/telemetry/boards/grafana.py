"""A board as Grafana's dashboard JSON, by its makers' own builders (grafana-foundation-sdk)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from groundplan.shapes import boards

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat, timeseries

REFRESH, SPAN = "30s", "now-1h"
_HEIGHT, _WIDTH = 8, 24
"""Of a panel, and of the whole page, in Grafana's grid."""


def uid(platform: str, board: boards.Board) -> str:
    """Of its address; Grafana takes 40 signs."""
    return f"{platform}-{board.name}"[:40]


def document(platform: str, board: boards.Board) -> str:
    """The dashboard as text: the same for the same board."""
    from grafana_foundation_sdk.builders import dashboard
    from grafana_foundation_sdk.cog import encoder

    made = (
        dashboard.Dashboard(board.title)
        .uid(uid(platform, board))
        .tags([platform, "groundplan"])
        .refresh(REFRESH)
        .time(SPAN, "now")
        .timezone("browser")
        .readonly()
    )
    for title, panels in board.rows:
        made = made.with_row(dashboard.Row(title))
        for panel in panels:
            made = made.with_panel(_panel(panel, _WIDTH // min(len(panels), 4)))
    plain = json.loads(encoder.JSONEncoder(sort_keys=True).encode(made.build()))
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def _panel(panel: boards.Panel, width: int) -> stat.Panel | timeseries.Panel:
    from grafana_foundation_sdk.builders import prometheus, stat, timeseries
    from grafana_foundation_sdk.models import dashboard as models

    # The data source that kube-prometheus-stack sets up.
    source = models.DataSourceRef(type_val="prometheus", uid="prometheus")
    made = stat.Panel() if panel.kind == "number" else timeseries.Panel().min(0)
    made = made.title(panel.title).unit(panel.unit).datasource(source).height(_HEIGHT).span(width)
    for legend, query in panel.queries.items():
        made = made.with_target(prometheus.Dataquery().expr(query).legend_format(legend).datasource(source))
    return made
