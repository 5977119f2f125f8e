"""A document: what was decoded, and enough to find its lines again."""

from __future__ import annotations

from typing import Any

import msgspec

from groundplan.proof import findings


class Source(msgspec.Struct, gc=False, frozen=True):
    """One file or stream, kept so that lines can be looked up when a finding needs them."""

    name: str
    text: bytes


Path = tuple[str | int, ...]


class Spot(msgspec.Struct, gc=False, frozen=True):
    """A field of the document that begins at a line (from 1) of a source."""

    source: Source
    line: int
    path: Path = ()
    plain: bool = False
    """Whether the source is no YAML, so that its line is all there is to say."""

    def below(self, *path: str | int) -> Spot:
        """A field inside."""
        return Spot(self.source, self.line, (*self.path, *path), self.plain)

    def place(self) -> findings.Place:
        """Its line, or that of the closest thing around it that exists; reads the source again for it."""
        if self.plain:
            return findings.Place(self.source.name, self.line)
        from groundplan.proof.manifests import marks

        return findings.Place(self.source.name, marks.line(self.source.text, self.line, self.path))


class Document(msgspec.Struct, gc=False, frozen=True, eq=False):
    """One object, its source, its position there, and where it stood in lists of objects, outermost first."""

    data: dict[str, Any]
    source: Source | None = None
    index: int = 0
    items: tuple[int, ...] = ()
    line: int = 0
    moved: dict[Path, Spot] = {}
    """Where fields come from that were put there by something else, a patch, than its own source."""

    @property
    def kind(self) -> str:
        """As written."""
        found = self.data.get("kind")
        return found if isinstance(found, str) else ""

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        version = self.data.get("apiVersion")
        return version.rpartition("/")[0] if isinstance(version, str) else ""

    @property
    def metadata(self) -> dict[str, Any]:
        """As written; empty where there is none."""
        found = self.data.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        """As written; a generated name ends in a dash."""
        found = self.metadata.get("name") or self.metadata.get("generateName")
        return found if isinstance(found, str) else ""

    def spot(self, *path: str | int) -> Spot | None:
        """Where a field was written."""
        for length in range(len(path), -1, -1) if self.moved else ():
            if found := self.moved.get(path[:length]):
                return found.below(*path[length:])
        if self.source is None:
            return None
        inside = [step for number in self.items for step in ("items", number)]
        return Spot(self.source, max(self.line, 1), (*inside, *path))

    def place(self, *path: str | int) -> findings.Place:
        """The line of a field, or of the closest thing around it that exists; reads the source again for it."""
        found = self.spot(*path)
        return found.place() if found else findings.Place()


class Read(msgspec.Struct, gc=False, frozen=True):
    """Everything that paths led to."""

    documents: tuple[Document, ...]
    findings: tuple[findings.Finding, ...]
