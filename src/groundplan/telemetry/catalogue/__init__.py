"""Metrics that other people's exporters document: a file each, with the version and the page they were taken from."""

from __future__ import annotations

import functools
import importlib.resources

import msgspec

from groundplan.shapes import signals


class Catalogue(msgspec.Struct, frozen=True):
    """What one exporter documents."""

    exporter: str
    version: str
    documentation: str
    metrics: dict[str, tuple[signals.Kind, tuple[str, ...]]]

    def shapes(self) -> tuple[signals.Metric, ...]:
        return tuple(signals.Metric(name, kind, labels) for name, (kind, labels) in self.metrics.items())


@functools.cache
def of(name: str) -> Catalogue:
    """The catalogue called so; raises FileNotFoundError when there is none."""
    file = importlib.resources.files(__name__).joinpath(f"{name}.json")
    return msgspec.json.decode(file.read_bytes(), type=Catalogue)
