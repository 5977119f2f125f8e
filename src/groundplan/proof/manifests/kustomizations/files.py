"""What a kustomization may read: its own folder, and other kustomizations on this disk that do not contain it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from groundplan.proof import findings
from groundplan.proof.manifests import cache, documents, sources
from groundplan.proof.manifests.kustomizations import trouble

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MOST_FOLDERS = 1000
"""Kustomizations in one build, each counted as often as it is reached: bases of bases may multiply."""
DEEPEST = 50
MOST_BYTES = 64 * 2**20
"""Of one file."""


class Folder:
    """One kustomization while it is built: its root, and the roots of those that led to it."""

    def __init__(
        self, place: Path, kept: Path | None, above: tuple[Path, ...] = (), seen: list[Path] | None = None,
        said: documents.Spot | None = None,
    ):  # fmt: skip
        self.place, self.kept, self.above, self.said = place, kept, above, said
        self.root = place.resolve()
        self.seen = [] if seen is None else seen
        """Every root of the whole build so far."""
        self.seen.append(self.root)

    def own(self) -> tuple[dict[str, Any], documents.Spot]:
        """The kustomization's fields, and where they begin."""
        there = [self.place / name for name in NAMES if (self.place / name).is_file()]
        if len(there) != 1:
            what = "several kustomizations" if there else "no kustomization"
            raise trouble.Wrong(f"{self.place} has {what}", self.said)
        return self.mapping(self._source(there[0], None))

    def mapping(self, source: documents.Source) -> tuple[dict[str, Any], documents.Spot]:
        """The one mapping that a source is."""
        (value, line), *more = self.values(source, documents.Spot(source, 1)) or [(None, 1)]
        if more or not isinstance(value, dict):
            raise trouble.Wrong("a kustomization is one mapping", documents.Spot(source, line))
        return value, documents.Spot(source, line)

    def values(self, source: documents.Source, spot: documents.Spot) -> list[tuple[Any, int]]:
        """Everything in a source, with lines; readers must not differ about any of it."""
        values, said = sources.plain(source)
        for each in said:
            kind = trouble.Beyond if each.code == "GP506" else trouble.Wrong
            raise kind(f"{each.what}: {each.said}", spot, each.where)
        return values

    def file(self, words: str, spot: documents.Spot) -> documents.Source:
        """A file in or below the root."""
        return self._source(self._within(words, spot), spot)

    def read(self, words: str, spot: documents.Spot) -> documents.Read:
        """The objects of a file in or below the root."""
        return cache.decode(self.file(words, spot), self.kept)

    def is_folder(self, words: str, spot: documents.Spot) -> bool:
        """Whether an entry of `resources` is another kustomization; raises `Wrong` for what is not on this disk."""
        if not self._path(words, spot).exists():
            raise trouble.Wrong(f"{words} is not here; what lies elsewhere is not fetched", spot)
        return (self.place / words).is_dir()

    def folder(self, words: str, spot: documents.Spot) -> Folder:
        """Another kustomization, which neither is nor contains one that led here."""
        place = self._path(words, spot)
        root, above = place.resolve(), (*self.above, self.root)
        if any(each == root or root in each.parents for each in above):
            raise trouble.Wrong(f"{words} leads back to {root}, which contains what asks for it", spot)
        if len(above) >= DEEPEST or len(self.seen) >= MOST_FOLDERS:
            raise trouble.TooMuch(f"more than {DEEPEST} kustomizations deep, or more than {MOST_FOLDERS} of them", spot)
        return Folder(place, self.kept, above, self.seen, spot)

    def _path(self, words: str, spot: documents.Spot) -> Path:
        if not words or "\0" in words or "://" in words or Path(words).is_absolute():
            raise trouble.Wrong(f"{words!r} is no path from here; what lies elsewhere is not fetched", spot)
        return self.place / words

    def _within(self, words: str, spot: documents.Spot) -> Path:
        place = self._path(words, spot)
        if self.root not in place.resolve().parents:
            raise trouble.Wrong(f"{words} is not below {self.place}, where its files must be", spot)
        return place

    def _source(self, place: Path, spot: documents.Spot | None) -> documents.Source:
        try:
            if not place.is_file():
                raise trouble.Wrong(f"{place} is no file", spot)
            if place.stat().st_size > MOST_BYTES:
                raise trouble.Wrong(f"{place} is larger than {MOST_BYTES >> 20} MiB", spot)
            return documents.Source(_shown(place), place.read_bytes())
        except OSError as error:
            raise trouble.Wrong(f"{place} cannot be read: {error.strerror or error}", spot) from None


def _shown(place: Path) -> str:
    """The path without its detours."""
    short = os.path.normpath(place)
    return short if place.samefile(short) else str(place)


def doubtful(read: documents.Read) -> bool:
    """Whether readers of YAML differ about it."""
    return any(each.code == "GP506" for each in read.findings)


def unusable(read: documents.Read) -> tuple[findings.Finding, ...]:
    """What makes its objects unusable."""
    return findings.errors(read.findings)
