"""Lines, found by composing a source again: only sources with findings pay for it."""

from __future__ import annotations

import functools

import yaml

from groundplan.proof.manifests import documents, yaml_reader

Path = tuple[str | int, ...]


def line(source: documents.Source, index: int, path: Path) -> int:
    """The line (from 1) of the field at `path` of the document, or of the nearest thing around it; 0 if unknown."""
    nodes = _nodes(source.text)
    if index >= len(nodes) or nodes[index] is None:
        return 0
    return _descend(nodes[index], path)


@functools.lru_cache(maxsize=64)
def _nodes(text: bytes) -> tuple[yaml.Node, ...]:
    composer, found = yaml_reader.Composer(text), []
    try:
        while composer.check_node():
            found.append(composer.get_node())
    except (yaml.YAMLError, UnicodeDecodeError):
        # JSON that is no YAML (a tab in the wrong place) has no lines to show; the finding stands without one.
        return ()
    return tuple(found)


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
