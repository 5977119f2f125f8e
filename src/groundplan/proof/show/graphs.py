"""Rows as a graph in the languages of Graphviz and Mermaid: one cluster a namespace, one arrow a row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from groundplan.proof.show import rows

OUTSIDE = "outside"


def grouped(some: Iterable[rows.Row]) -> dict[str, list[str]]:
    """The ends by namespace; addresses under `outside`."""
    found: dict[str, list[str]] = {}
    for end in sorted({end for row in some for end in (row.source, row.destination)}):
        found.setdefault(namespace(end), []).append(end)
    return found


def namespace(end: str) -> str:
    """Of a title; `outside` for addresses."""
    return end.partition("/")[0] if "/" in end else OUTSIDE


def label(end: str) -> str:
    """What to write on a node."""
    return end.partition("/")[2] or end


def dot(some: Iterable[rows.Row]) -> Iterator[str]:
    """For Graphviz."""
    listed = list(some)
    yield "digraph reach {"
    yield '  rankdir=LR; node [shape=box, fontname="Helvetica"]; edge [fontname="Helvetica", fontsize=10];'
    for number, (name, found) in enumerate(grouped(listed).items()):
        yield f"  subgraph cluster_{number} {{ label={json.dumps(name)};"
        yield from (f"    {json.dumps(end)} [label={json.dumps(label(end))}];" for end in found)
        yield "  }"
    for row in listed:
        yield f"  {json.dumps(row.source)} -> {json.dumps(row.destination)} [label={json.dumps(row.connections)}];"
    yield "}"


def mermaid(some: Iterable[rows.Row]) -> Iterator[str]:
    """For Mermaid, as Markdown pages show it."""
    listed = list(some)
    groups = grouped(listed)
    names = {end: f"n{number}" for number, end in enumerate(end for found in groups.values() for end in found)}
    yield "flowchart LR"
    for number, (name, found) in enumerate(groups.items()):
        yield f"  subgraph g{number}[{json.dumps(name)}]"
        yield from (f"    {names[end]}[{json.dumps(label(end))}]" for end in found)
        yield "  end"
    for row in listed:
        yield f"  {names[row.source]} -->|{json.dumps(row.connections)}| {names[row.destination]}"
