"""The values that charts read, as far as plans of ours set any: each with the file it was read in.

Helm takes a key that no template asks for without a word. ``passed_on`` are values that a chart hands on as they are:
what may stand below them is not the chart's to say. ``of`` is the version that the file is of, where its repository
does not keep the pinned one for us to read.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

CHARTS: dict[str, dict[str, Any]] = json.loads(pathlib.Path(__file__).with_name("chart_values.json").read_text())


def listed(chart: str, what: str) -> set[str]:
    return {each for reading in CHARTS[chart]["read"] for each in reading[what]}


def paths(values: Any, above: str = "") -> Iterator[str]:
    """The dotted way to every value that is not a map of more."""
    if not isinstance(values, Mapping) or not values:
        yield above
        return
    for key, value in values.items():
        yield from paths(value, f"{above}.{key}".removeprefix("."))


def asked_for(chart: str, values: Mapping[str, Any]) -> dict[str, str | None]:
    """For each of `values` the key of `chart` that it is set by; None where nobody asks for it."""
    keys, passed_on = listed(chart, "keys"), listed(chart, "passed_on")
    found: dict[str, str | None] = {}
    for path in paths(values):
        above = (each for each in passed_on if f"{path}.".startswith(f"{each}."))
        found[path] = path if path in keys else next(above, None)
    return found
