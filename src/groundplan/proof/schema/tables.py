"""The kinds of every version of Kubernetes that the table holds."""

from __future__ import annotations

import functools
import gzip
import importlib.resources
import re
from typing import Any

import msgspec

from groundplan.proof.schema import shapes


class _Table(msgspec.Struct):
    """Histories: since which minor version a kind leads to a type (null: is gone), and a type has which fields."""

    versions: list[int]
    kinds: dict[str, list[tuple[int, str | None]]]
    types: dict[str, list[tuple[int, tuple[dict[str, Any], list[str]] | None]]]


@functools.cache
def _table() -> _Table:
    packed = importlib.resources.files("groundplan.proof.schema").joinpath("kubernetes.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(packed), type=_Table)


def versions() -> tuple[str, ...]:
    """Every version, oldest first, as "1.25"."""
    return tuple(f"1.{minor}" for minor in _table().versions)


def _stability(api: str) -> tuple[int, int, int]:
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", api.rpartition("/")[2])
    assert match is not None, api
    return ("alpha", "beta", None).index(match[2]) * -1, -int(match[1]), -int(match[3] or 0)


class Version:
    """One version's kinds; shapes are made when they are asked for."""

    def __init__(self, text: str = "") -> None:
        """`text` as in "1.36" or "v1.36.2", or empty for the newest; raises ValueError for one the table lacks."""
        known = versions()
        text = ".".join(text.removeprefix("v").split(".")[:2]) or known[-1]
        if text not in known:
            raise ValueError(f"Kubernetes {text} is not among {known[0]} to {known[-1]}")
        self.text, self.minor = text, int(text.partition(".")[2])
        self._made: dict[str, shapes.Shape] = {}
        self._served: dict[str, tuple[str, ...]] = {}

    def shape(self, api: str, kind: str) -> shapes.Shape | None:
        """Of a kind; None where this version does not serve it."""
        name = self._now(_table().kinds.get(f"{api} {kind}", []))
        return None if name is None else self._type(name)

    def served(self, kind: str) -> tuple[str, ...]:
        """The API versions that serve a kind here, the most stable and newest first."""
        if kind not in self._served:
            self._served[kind] = self._serving(kind)
        return self._served[kind]

    def _serving(self, kind: str) -> tuple[str, ...]:
        found = [each.rpartition(" ")[0] for each, history in _table().kinds.items()
                 if each.rpartition(" ")[2] == kind and self._now(history) is not None]  # fmt: skip
        return tuple(sorted(found, key=_stability))

    def last(self, api: str, kind: str) -> str:
        """The first version that no longer served a kind which older ones did; empty where none did."""
        gone = [
            minor for minor, name in _table().kinds.get(f"{api} {kind}", ()) if name is None and minor <= self.minor
        ]
        return f"1.{gone[-1]}" if gone else ""

    def since(self, api: str, kind: str) -> str:
        """The first version that serves a kind which this one does not yet; empty where none does."""
        later = [minor for minor, name in _table().kinds.get(f"{api} {kind}", ()) if name and minor > self.minor]
        return f"1.{later[0]}" if later else ""

    def _now(self, history: list[Any]) -> Any:
        found = None
        for minor, value in history:
            if minor <= self.minor:
                found = value
        return found

    def _type(self, name: str) -> shapes.Shape:
        if name not in self._made:
            # Put down before its fields are looked at: some types hold themselves.
            made = self._made[name] = shapes.Shape(shapes.ANY)
            found = self._now(_table().types.get(name, []))
            if found is not None:
                fields, required = found
                made.kind, made.required = shapes.OBJECT, tuple(required)
                made.fields = {field: self._field(code) for field, code in fields.items()}
        return self._made[name]

    def _field(self, code: Any) -> shapes.Shape:
        if isinstance(code, list):
            return shapes.Shape(shapes.LIST, inner=self._field(code[0]))
        if isinstance(code, dict):
            return shapes.Shape(shapes.MAP, inner=self._field(code["*"]))
        if code.startswith("#"):
            return self._type(code[1:])
        kind, _, values = code.partition(":")
        return shapes.Shape(kind, values=tuple(values.split("|")) if values else ())


@functools.cache
def version(text: str = "") -> Version:
    """One version, made once."""
    return Version(text)


@functools.cache
def groups() -> frozenset[str]:
    """The API groups of all versions; the core's is empty."""
    return frozenset(each.partition(" ")[0].rpartition("/")[0] for each in _table().kinds)


def kinds(api: str) -> list[str]:
    """The kinds of an API version, in any version of Kubernetes."""
    return [each.partition(" ")[2] for each in _table().kinds if each.partition(" ")[0] == api]
