"""A document: what was decoded, and enough to find its lines again."""

from __future__ import annotations

from typing import Any

import msgspec

from groundplan.proof import findings


class Source(msgspec.Struct, gc=False, frozen=True):
    """One file or stream, kept so that lines can be looked up when a finding needs them."""

    name: str
    text: bytes


class Document(msgspec.Struct, gc=False, frozen=True, eq=False):
    """One object, its source, its position there, and where it stood in lists of objects, outermost first."""

    data: dict[str, Any]
    source: Source | None = None
    index: int = 0
    items: tuple[int, ...] = ()
    line: int = 0

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

    def place(self, *path: str | int) -> findings.Place:
        """The line of a field, or of the closest thing around it that exists; reads the source again for it."""
        from groundplan.proof.manifests import marks

        if self.source is None:
            return findings.Place()
        inside: list[str | int] = [step for number in self.items for step in ("items", number)]
        inside.extend(path)
        return findings.Place(self.source.name, marks.line(self.source.text, max(self.line, 1), tuple(inside)))


class Read(msgspec.Struct, gc=False, frozen=True):
    """Everything that paths led to."""

    documents: tuple[Document, ...]
    findings: tuple[findings.Finding, ...]
