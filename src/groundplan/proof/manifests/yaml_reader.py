"""YAML in: libyaml composes nodes, and this turns them into plain values, once, with a check for keys said twice.

The stock constructor spends most of its time on resolving tags with regular expressions; here every distinct
scalar is decoded once.
"""

from __future__ import annotations

from typing import Any

import yaml

from groundplan.proof.manifests import scalars

PLAIN, TEXT = "plain", "text"
LARGEST = 2_000_000
"""Values in one document once aliases are written out; more is an attack or an accident."""
DEEPEST = 256
"""Levels of one document. libyaml's binding descends without a limit, until the process has no stack left."""
_TAGS = {
    "tag:yaml.org,2002:str": TEXT,
    **dict.fromkeys((f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null")), PLAIN),
    "tag:yaml.org,2002:timestamp": TEXT,
    "tag:yaml.org,2002:binary": TEXT,
}

try:
    Parser: Any = yaml.cyaml.CParser  # type: ignore[attr-defined]
except AttributeError:  # a PyYAML that was built without libyaml: slower, the same nodes
    Parser = None


class Composer(Parser if Parser is not None else yaml.Loader):  # type: ignore[misc]
    """libyaml's nodes, with tags left unresolved."""

    def __init__(self, text: bytes | str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type, value: Any, implicit: Any) -> str:
        """`plain` for what is to be decoded, `text` for what was quoted."""
        return PLAIN if kind is yaml.ScalarNode and implicit[0] else TEXT

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Tags never depend on where a node stands; how deep it stands is asked."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise Trouble(f"it is nested deeper than {DEEPEST} levels", parent.start_mark.line + 1)

    def ascend_resolver(self) -> None:
        """Back up."""
        self._depth -= 1


class Trouble(Exception):
    """Something that YAML allows and manifests may not contain."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


class Values:
    """Turns nodes into values; remembers what readers would differ about and which keys came twice."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[scalars.Scalar, bool]] = {}
        self.traps: list[tuple[str, int]] = []
        self.twice: list[tuple[str, int]] = []
        self._done: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}

    def document(self, node: yaml.Node) -> Any:
        """The value of a whole document."""
        self._done.clear()
        self._sizes.clear()
        found, _ = self._value(node)
        return found

    def _value(self, node: yaml.Node) -> tuple[Any, int]:
        if node.__class__ is yaml.ScalarNode:
            return self._scalar(node), 1
        mark = id(node)
        if mark in self._done:
            if self._sizes[mark] == 0:
                raise Trouble("an alias inside the thing that it stands for", node.start_mark.line + 1)
            return self._done[mark], self._sizes[mark]
        self._sizes[mark] = 0
        value, size = self._mapping(node) if node.__class__ is yaml.MappingNode else self._sequence(node)
        if size > LARGEST:
            raise Trouble(f"aliases make more than {LARGEST} values of it", node.start_mark.line + 1)
        self._done[mark], self._sizes[mark] = value, size
        return value, size

    def _sequence(self, node: yaml.Node) -> tuple[list[Any], int]:
        found: list[Any] = []
        total = 1
        self._done[id(node)] = found
        for each in node.value:
            if each.__class__ is yaml.ScalarNode:
                found.append(self._scalar(each))
                total += 1
            else:
                value, size = self._value(each)
                found.append(value)
                total += size
        return found, total

    def _mapping(self, node: yaml.Node) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        self._done[id(node)] = found
        merged: list[dict[str, Any]] = []
        total = 1
        for left, right in node.value:
            if right.__class__ is yaml.ScalarNode:
                value, size = self._scalar(right), 1
            else:
                value, size = self._value(right)
            total += size
            if left.value == "<<" and left.tag == PLAIN:
                merged.extend(self._merged(value, right))
                continue
            key = self._key(left)
            if key in found:
                self.twice.append((key, left.start_mark.line + 1))
            found[key] = value
        for each in merged:
            found = {**each, **found}
        return found, total

    def _merged(self, value: Any, node: yaml.Node) -> list[dict[str, Any]]:
        several = value if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in several):
            raise Trouble("a merge key (<<) of something that is no mapping", node.start_mark.line + 1)
        return several

    def _key(self, node: yaml.Node) -> str:
        if node.__class__ is not yaml.ScalarNode:
            raise Trouble("a key that is no word", node.start_mark.line + 1)
        if node.tag == TEXT:
            return str(node.value)
        value = self._scalar(node)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "null" if value is None else str(value)

    def _scalar(self, node: Any) -> scalars.Scalar:
        text: str = node.value
        tag = node.tag
        if tag == TEXT:
            return text
        if tag != PLAIN and (tag := _TAGS.get(tag)) != PLAIN:
            if tag is None:
                raise Trouble(f"a tag that manifests may not carry: {node.tag}", node.start_mark.line + 1)
            return text
        known = self.known.get(text)
        if known is None:
            known = self.known[text] = scalars.decode(text)
        if known[1]:
            self.traps.append((text, node.start_mark.line + 1))
        return known[0]
