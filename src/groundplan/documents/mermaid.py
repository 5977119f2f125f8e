"""Pictures in Mermaid, as Markdown pages show them: whatever an author writes is a label, never syntax.

Mermaid draws at most 500 arrows and 50,000 characters (`maxEdges`, `maxTextSize`), older ones 280; pictures stay below.
Source: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MOST = 250
"""Arrows of one picture."""
_ENTITIES = re.compile(r"[^\w .,:;/()→…–+\-]")


class Box(NamedTuple):
    """A node: what stands on it, and its shape."""

    label: str
    shape: str = "plain"


class Arrow(NamedTuple):
    source: str
    target: str
    label: str


_SHAPES = {
    "plain": ("[", "]"),
    "engine": ("[(", ")]"),
    "outside": ("([", "])"),
    "job": ("[[", "]]"),
}


def label(text: str) -> str:
    """`text` in quotes, with an entity for each sign that could mean something."""
    said = _ENTITIES.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))
    return f'"{said}"'


def flowchart(groups: Mapping[str, Sequence[str]], boxes: Mapping[str, Box], arrows: Iterable[Arrow]) -> str:
    """A picture of `boxes`, some of them in `groups`."""
    names = {key: f"n{number}" for number, key in enumerate(boxes)}
    grouped = {key for keys in groups.values() for key in keys}
    lines = ["flowchart TB"]
    for number, (title, keys) in enumerate(groups.items()):
        lines += [
            f"  subgraph g{number} [{label(title)}]",
            *(f"    {_box(names[key], boxes[key])}" for key in keys),
            "  end",
        ]
    lines += [f"  {_box(names[key], box)}" for key, box in boxes.items() if key not in grouped]
    lines += [f"  {names[each.source]} -->|{label(each.label)}| {names[each.target]}" for each in arrows]
    return "\n".join(lines)


def _box(name: str, box: Box) -> str:
    left, right = _SHAPES[box.shape]
    return f"{name}{left}{label(box.label)}{right}"
