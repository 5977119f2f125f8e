"""What people look at: boards of panels, each with the queries that it draws."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

Unit = Literal["short", "s", "bytes", "percentunit", "reqps", "ops", "Bps", "bool"]
"""As Grafana calls them."""


@dataclasses.dataclass(frozen=True)
class Panel:
    """A drawing of queries by what their lines are called: ``{"{{job}}": "sum by (job) (rate(…[5m]))"}``."""

    title: str
    queries: Mapping[str, str]
    unit: Unit = "short"
    kind: Literal["lines", "number"] = "lines"


@dataclasses.dataclass(frozen=True)
class Board:
    """Panels under headings."""

    name: str
    """In lower case, of the file and the address."""
    title: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
