"""Lines, found by composing again: only documents with findings pay for it, and each alone."""

from __future__ import annotations

import functools

import yaml

from groundplan.proof.manifests import yaml_reader

Path = tuple[str | int, ...]
_ENDS = (b"---", b"...")
_JSON = b"{"
"""A line that begins so ends a value of JSON before it."""


def line(text: bytes, first: int, path: Path) -> int:
    """The line (from 1) of the field at `path`, or of the nearest thing around it, in the document that begins at
    line `first` of `text`; 0 where that is not known."""
    node = _node(text, first)
    return 0 if node is None else _descend(node, path) + first - 1


@functools.lru_cache(maxsize=4096)
def _node(text: bytes, first: int) -> yaml.Node | None:
    rows = _rows(text)
    last = first
    ends = (*_ENDS, _JSON) if rows[first - 1].startswith(_JSON) else _ENDS
    while last < len(rows) and not rows[last].startswith(ends):
        last += 1
    composer = yaml_reader.Composer(b"\n".join(rows[first - 1 : last]))
    try:
        return composer.get_node() if composer.check_node() else None
    except (yaml.YAMLError, UnicodeDecodeError):
        # JSON that is no YAML (a tab in the wrong place) has no lines to show; the finding stands without one.
        return None


@functools.lru_cache(maxsize=8)
def _rows(text: bytes) -> list[bytes]:
    return text.split(b"\n")


def _descend(node: yaml.Node, path: Path) -> int:
    at: int = node.start_mark.line + 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        at, node = found
    return at


def _child(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for left, right in node.value:
            if left.value == str(step):
                return left.start_mark.line + 1, right
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child.start_mark.line + 1, child
    return None
