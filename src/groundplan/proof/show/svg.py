"""Rows as a drawing: a column a namespace, a box an end, an arrow a pair, its ports on hovering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import msgspec

from groundplan.proof.show import graphs, rows

WIDTH, HEIGHT, GAP, ACROSS, TOP = 240, 34, 14, 130, 50
STYLE = (
    "text{font:12px sans-serif;fill:#1b1f24}.n{font-weight:bold}rect{fill:#fff;stroke:#57606a;rx:5}"
    ".a{fill:none;stroke:#0969da;stroke-opacity:.55;stroke-width:1.4;marker-end:url(#tip)}"
    ".a:hover{stroke:#cf222e;stroke-opacity:1;stroke-width:3}"
)


class _Box(msgspec.Struct, frozen=True):
    x: int
    y: int


def lines(some: Iterable[rows.Row]) -> Iterator[str]:
    """The drawing, self-contained."""
    listed = list(some)
    groups = graphs.grouped(listed)
    places = {end: box for column, found in enumerate(groups.values()) for end, box in _column(column, found)}
    width = 20 + len(groups) * (WIDTH + ACROSS)
    height = TOP + (HEIGHT + GAP) * max((len(found) for found in groups.values()), default=1) + 20
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    yield f"<style>{STYLE}</style>"
    yield '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    yield '<path d="M0 0L8 4L0 8z" fill="#0969da"/></marker></defs>'
    yield from (_arrow(places[row.source], places[row.destination], row) for row in listed)
    for column, name in enumerate(groups):
        yield f'<text class="n" x="{_x(column)}" y="{TOP - 18}">{escape(name)}</text>'
    for end, box in places.items():
        yield from _box(end, box)
    yield "</svg>"


def _x(column: int) -> int:
    return 20 + column * (WIDTH + ACROSS)


def _column(column: int, found: list[str]) -> Iterator[tuple[str, _Box]]:
    for number, end in enumerate(found):
        yield end, _Box(_x(column), TOP + number * (HEIGHT + GAP))


def _box(end: str, box: _Box) -> Iterator[str]:
    words = graphs.label(end)
    shown = words if len(words) <= 34 else words[:33] + "…"
    yield f'<g><title>{escape(end)}</title><rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}"/>'
    yield f'<text x="{box.x + 10}" y="{box.y + 22}">{escape(shown)}</text></g>'


def _arrow(one: _Box, other: _Box, row: rows.Row) -> str:
    title = f"<title>{escape(f'{row.source} → {row.destination}: {row.connections}')}</title>"
    low, high = one.y + HEIGHT // 2, other.y + HEIGHT // 2
    if one.x < other.x:
        left, right, bend = one.x + WIDTH, other.x, ACROSS // 2
    elif one.x > other.x:
        left, right, bend = one.x, other.x + WIDTH, -(ACROSS // 2)
    else:
        # Within a column the arrow goes around on the right.
        left = right = one.x + WIDTH
        return f'<path class="a" d="M{left} {low}C{left + 60} {low} {right + 60} {high} {right} {high}">{title}</path>'
    return f'<path class="a" d="M{left} {low}C{left + bend} {low} {right - bend} {high} {right} {high}">{title}</path>'
