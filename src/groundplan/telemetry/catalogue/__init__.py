"""Metrics that other people's exporters document: a file each, with where each name, kind and label was read.

What ``version`` names is what `groundplan.resources.images` pins, or what a pinned chart brings. Where its pages of
another version were read, ``read`` says so.
"""

from __future__ import annotations

import functools
import importlib.resources
from typing import Literal

import msgspec

from groundplan.shapes import signals


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="page"):
    """A file of a public repository, as it was at a commit."""

    repository: str
    path: str
    commit: str

    @property
    def url(self) -> str:
        return f"https://github.com/{self.repository}/blob/{self.commit}/{self.path}"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="answer"):
    """What the program itself answered, where no page of it could be found: in which version, and who asks it again."""

    version: str
    test: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One metric."""

    kind: signals.Kind
    labels: tuple[str, ...]
    source: str
    """By its name in the catalogue's sources."""
    stability: Literal["", "ALPHA", "BETA", "STABLE", "EXPERIMENTAL"] = ""
    """As its makers call it, where they do."""


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one exporter documents."""

    exporter: str
    version: str
    read: str
    sources: dict[str, Page | Answer]
    metrics: dict[str, Entry]

    def shapes(self) -> tuple[signals.Metric, ...]:
        return tuple(signals.Metric(name, entry.kind, entry.labels) for name, entry in self.metrics.items())


@functools.cache
def of(name: str) -> Catalogue:
    """The catalogue called so; raises FileNotFoundError when there is none."""
    file = importlib.resources.files(__name__).joinpath(f"{name}.json")
    return msgspec.json.decode(file.read_bytes(), type=Catalogue)
