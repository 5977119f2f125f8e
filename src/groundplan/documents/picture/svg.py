"""The drawing as SVG: self-contained, light or dark as the reader's system is, without a script.

Pointing at a box shows its lines alone, and those that are hidden otherwise; whatever an author wrote is escaped text.
Source: https://www.w3.org/TR/SVG2/
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from groundplan.documents.picture import columns, graph, layout, routes

_MARGIN, _TOP, _PAD = 14, 16, 14
_LETTER = 7.6
"""About as wide as a letter of a zone's name, in the widest of usual fonts."""
_FITS = 19
"""Letters of a box's name in full size."""
_ROUND = 7.0
ICONS: dict[graph.Kind, str] = {
    "service": "M9 1 16 5v8l-7 4-7-4V5z",
    "worker": "M3 9a6 6 0 1 1 1.8 4.3M3 9V4.5M3 9h4.5",
    "job": "M9 1a8 8 0 1 1 0 16A8 8 0 0 1 9 1m0 4v4.2l3 2",
    "engine": "M2 4c0-1.7 3-3 7-3s7 1.3 7 3-3 3-7 3-7-1.3-7-3v10c0 1.7 3 3 7 3s7-1.3 7-3V4M2 9c0 1.7 3 3 7 3s7-1.3 7-3",
    "outside": "M9 1a8 8 0 1 1 0 16A8 8 0 0 1 9 1M1 9h16M9 1c5 5 5 11 0 16M9 1C4 6 4 12 9 17",
    "guest": "M2 9a7 7 0 1 1 14 0 7 7 0 1 1-14 0",
}
_PAPER = '<rect class="paper" width="100%" height="100%"/>'
"""Of its own: a page around it may be light where the reader's system is dark."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff￾￿]")


def style() -> str:
    """What a drawing looks like."""
    return importlib.resources.files(__package__ or "").joinpath("drawing.css").read_text("utf-8")


def standalone(drawn: graph.Graph, title: str) -> str:
    """A file of its own."""
    return drawing(drawn, title, inner=f"<style>{style()}</style>{_PAPER}", links={})


def drawing(drawn: graph.Graph, title: str, *, inner: str, links: Mapping[str, str]) -> str:
    """The element; `inner` comes first in it, `links` are the addresses of boxes."""
    longest = max((len(zone) for zone in drawn.zones), default=0)
    label = min(max(longest, 6), 18) * _LETTER
    made = layout.of(drawn, left=_MARGIN + label + 2 * _PAD)
    columns.place(made)
    ways = routes.of(made, _TOP)
    return "\n".join(_Drawing(drawn, made, ways).lines(title, inner, links)) + "\n"


class _Drawing:
    """One drawing, while it is written."""

    def __init__(self, drawn: graph.Graph, made: layout.Layout, ways: routes.Routes) -> None:
        self.drawn, self.made, self.ways = drawn, made, ways
        self.names = {key: f"n{number}" for number, key in enumerate(drawn.nodes)}
        self.right = made.right + 8
        """Of the bands."""
        self.edge = ways.right if made.edge else self.right
        """Where the outside begins."""

    def lines(self, title: str, inner: str, links: Mapping[str, str]) -> Iterator[str]:
        width = self.edge + (layout.WIDTH + 24 if self.made.edge else 0) + _MARGIN
        height = max([self.ways.bottom, *(y + layout.HEIGHT + 24 for _, y in self.ways.outside.values())]) + 4
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plan" viewBox="0 0 {_n(width)} {_n(height)}" '
            f'width="{_n(width)}" height="{_n(height)}" '
            f'role="img" aria-label="{text(title)}">'
        )
        yield inner
        yield f"<style>{''.join(self._pointing())}</style>"
        yield from self._bands(height)
        yield '<g class="lines">'
        yield from (self._line(edge, points) for edge, points in self.ways.edges)
        yield "</g>"
        yield from (self._tip(net, tip) for net, tip in self.ways.entered.items())
        for key, node in self.drawn.nodes.items():
            yield from _linked(self._box(key, node), links.get(key, ""))
        yield "</svg>"

    def _pointing(self) -> Iterator[str]:
        """While one points at a box: only its lines, and the boxes at their other ends."""
        for name in self.names.values():
            at = f".plan:has(#{name}:is(:hover,:focus-within))"
            yield f"{at} .e:not(.q,.{name}){{opacity:.06}}{at} .e.{name}{{opacity:1;stroke-width:2.4}}"
            yield f"{at} .b:not(.{name}){{opacity:.3}}"

    def _bands(self, height: float) -> Iterator[str]:
        if self.made.edge:
            x, wide = self.edge, layout.WIDTH + 24
            yield _rectangle("away", (x, _TOP - 8), wide, height - _TOP)
            yield f'<text class="zone" x="{_n(x + 12)}" y="{_TOP + 12}">outside</text>'
        rows: dict[str, list[int]] = {}
        for number, row in enumerate(self.made.rows):
            for zone in dict.fromkeys(each.zone for each in row if each.zone):
                rows.setdefault(zone, []).append(number)
        several = {number for number, row in enumerate(self.made.rows) if len({each.zone for each in row} - {""}) > 1}
        for hue, (zone, numbers) in enumerate(rows.items()):
            yield from (self._beside(zone, numbers) if several & {*numbers} else self._band(zone, numbers, hue))

    def _band(self, zone: str, rows: Sequence[int], hue: int) -> Iterator[str]:
        top = self.ways.tops[rows[0]] - 24
        bottom = self.ways.tops[rows[-1]] + layout.HEIGHT + 13
        wide = self.right - _MARGIN
        yield _rectangle(f"band h{hue % 6}", (_MARGIN, top), wide, bottom - top)
        yield from _label(zone, _MARGIN + _PAD, top + 26, 18)

    def _beside(self, zone: str, rows: Sequence[int]) -> Iterator[str]:
        """Bands of a zone beside others; it may go on in the next row."""
        for number in rows:
            xs = [each.x for each in self.made.rows[number] if each.zone == zone]
            left, right = min(xs) - layout.WIDTH / 2 - _PAD, max(xs) + layout.WIDTH / 2 + _PAD
            top = self.ways.tops[number] - 24
            yield _rectangle("band aside", (left, top), right - left, layout.HEIGHT + 37)
            yield from _label(zone, left + _PAD, top + 16, 22)

    def _line(self, edge: graph.Edge, points: Sequence[routes.Point]) -> str:
        kind = self._colour(edge.target)
        quiet = " q" if edge.quiet else ""
        ends = f"{self.names[edge.source]} {self.names[edge.target]}"
        said = f"{edge.source} → {edge.target}, {edge.ports}\n{edge.why}"
        return f'<path class="e {kind}{quiet} {ends}" d="{_rounded(points)}"><title>{text(said)}</title></path>'

    def _tip(self, net: layout.Net, tip: routes.Point) -> str:
        edges = self.made.nets[net]
        ends = " ".join(dict.fromkeys([self.names[net.target], *(self.names[each.source] for each in edges)]))
        quiet = " q" if all(each.quiet for each in edges) else ""
        x, y = tip
        down = net.target in self.made.row
        corners = f"{_n(x)},{_n(y)} " + (
            f"{_n(x - 4)},{_n(y - 8)} {_n(x + 4)},{_n(y - 8)}"
            if down
            else f"{_n(x - 8)},{_n(y - 4)} {_n(x - 8)},{_n(y + 4)}"
        )
        several = down and sum(other.target == net.target for other in self.made.nets) > 1
        label = (
            f'<text class="port" x="{_n(x + 8)}" y="{_n(y - 7)}">{text(_short(net.ports, 6))}</text>' if several else ""
        )
        return f'<g class="e tip {self._colour(net.target)}{quiet} {ends}"><polygon points="{corners}"/>{label}</g>'

    def _colour(self, target: str) -> str:
        kind = self.drawn.nodes[target].kind
        return {"engine": "to-engine", "outside": "to-outside"}.get(kind, "to-service")

    def _box(self, key: str, node: graph.Node) -> Iterator[str]:
        x, y = self._corner(key)
        ends = {
            self.names[end]
            for each in self.drawn.edges
            if key in (each.source, each.target)
            for end in (each.source, each.target)
        }
        near = " ".join(sorted({self.names[key], *ends}))
        yield f'<g class="b {node.kind} {near}" id="{self.names[key]}" transform="translate({_n(x)} {_n(y)})">'
        yield f"<title>{text(self._told(key, node))}</title>"
        if node.replicas > 1:
            yield _rectangle("more", (5, 5), layout.WIDTH, layout.HEIGHT, 9)
        round_ = layout.HEIGHT / 2 if node.kind == "outside" else 9
        yield _rectangle("box", (0, 0), layout.WIDTH, layout.HEIGHT, round_)
        yield f'<path class="icon" transform="translate(11 18)" d="{ICONS[node.kind]}"/>'
        name = node.end.name
        size = 12.5 if len(name) <= _FITS else max(12.5 * _FITS / len(name), 9.5)
        y = layout.HEIGHT / 2 + (-3 if node.told else 4)
        yield f'<text class="name" x="38" y="{_n(y)}" font-size="{size:.4g}">{text(_short(name, 27))}</text>'
        if node.told:
            yield f'<text class="told" x="38" y="{_n(y + 16)}">{text(_short(node.told, 24))}</text>'
        yield "</g>"

    def _corner(self, key: str) -> routes.Point:
        if key in self.ways.outside:
            return self.ways.outside[key]
        row = self.made.row[key]
        return self.made.cell(row, key).x - layout.WIDTH / 2, self.ways.tops[row]

    def _told(self, key: str, node: graph.Node) -> str:
        lines = [f"{key} ({node.kind}){' ' * bool(node.place)}{node.place}", node.told]
        for each in self.drawn.edges:
            if key == each.source:
                lines += [f"→ {each.target} {each.ports}"]
            elif key == each.target:
                lines += [f"← {each.source} {each.ports}"]
        return "\n".join(line for line in lines if line)


def text(plain: str) -> str:
    """`plain` as text or as an attribute of XML, which has no words for some signs."""
    return escape(_CONTROL.sub("\ufffd", plain))


def _rectangle(names: str, corner: routes.Point, width: float, height: float, round_: float = 12) -> str:
    place = f'x="{_n(corner[0])}" y="{_n(corner[1])}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect class="{names}" {place} rx="{_n(round_)}"/>'


def _linked(lines: Iterable[str], address: str) -> Iterator[str]:
    if address:
        yield f'<a href="{text(address)}">'
    yield from lines
    if address:
        yield "</a>"


def _label(zone: str, x: float, y: float, most: int) -> Iterator[str]:
    yield f'<text class="zone" x="{_n(x)}" y="{_n(y)}"><title>{text(zone)}</title>{text(_short(zone, most))}</text>'


def _short(said: str, most: int) -> str:
    return said if len(said) <= most else f"{said[: most - 1]}…"


def _n(number: float) -> str:
    return f"{round(number, 1):g}"


def _rounded(points: Sequence[routes.Point]) -> str:
    """A path along `points`, its corners rounded."""
    path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _towards(corner, before), _towards(corner, after)
        path.append(f"L{_n(start[0])} {_n(start[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(end[0])} {_n(end[1])}")
    return "".join((*path, f"L{_n(points[-1][0])} {_n(points[-1][1])}"))


def _towards(corner: routes.Point, other: routes.Point) -> routes.Point:
    """A little from `corner` to `other`, at most half of the way."""
    apart = max(abs(other[0] - corner[0]), abs(other[1] - corner[1]))
    share = min(_ROUND, apart / 2) / apart if apart else 0
    return corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share
