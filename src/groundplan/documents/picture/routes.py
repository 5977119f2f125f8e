"""How lines lead: down from a box, along a track between two rows, down a lane, and into its target from above.

A net has one track in each gap that it crosses, and columns that no other net has in that gap, so that no two lie on
each other. Tracks are ordered so that lines cross seldom; a line to the edge follows its track to the right and then a
bus of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from groundplan.documents.picture import graph, layout

TRACK = 11
"""Between two tracks."""
ABOVE, BELOW = 16, 34
"""In a gap: above its tracks, and below them, where the arrows and their ports are."""
WALL = 18
"""What a gap has more where one zone ends and another begins."""
EDGE = 12
"""Between two buses at the edge."""
_STEP, _SPREAD = 24, 56
"""Between two lines that leave a box, and between two that enter one."""
_SWAPS = 8
_NEAR = 4
"""The least distance of two lines beside each other."""

Point = tuple[float, float]


class Strand(NamedTuple):
    """What a net has in one gap: where it comes from above, where it leaves below, and whether it leads to the edge."""

    net: layout.Net
    above: tuple[float, ...]
    below: tuple[float, ...]
    out: bool

    def span(self, right: float) -> tuple[float, float]:
        ends = (*self.above, *self.below, *((right,) if self.out else ()))
        return min(ends), max(ends)


@dataclasses.dataclass
class Routes:
    """Where everything is on paper."""

    tops: list[float]
    """Of each row's boxes."""
    bottom: float
    edges: list[tuple[graph.Edge, tuple[Point, ...]]]
    outside: dict[str, Point]
    """The left top of each box at the edge."""
    entered: dict[layout.Net, Point]
    """The tips of the arrows."""
    right: float
    """Where the edge begins."""


def of(made: layout.Layout, top: float) -> Routes:
    """Lines of `made`, whose first row is at `top` or below."""
    _separate(made)
    enters = _enters(made)
    leaves = _leaves(made, enters)
    buses = sorted({net for net in made.nets if net.target not in made.row})
    right = made.right + EDGE * (len(buses) + 2)
    gaps = [_tracks(_strands(made, gap, leaves, enters), right) for gap in range(-1, len(made.rows))]
    tops: list[float] = []
    ys: dict[tuple[int, layout.Net], float] = {}
    y = top
    for gap, tracks in enumerate(gaps, -1):
        wall = WALL if _is_wall(made, gap) else 0
        for net, level in tracks.items():
            ys[gap, net] = y + ABOVE + wall / 2 + level * TRACK
        y += ABOVE + BELOW + wall + TRACK * (max(tracks.values(), default=-1) + 1) if tracks or gap >= 0 else BELOW
        if gap + 1 < len(made.rows):
            tops.append(y)
            y += layout.HEIGHT
    outside = _outside(made, ys, top, y, right)
    found = Routes(tops, y, [], outside, {}, right)
    for net, edges in sorted(made.nets.items()):
        if net.target in made.row:
            found.entered[net] = (enters[net], tops[made.row[net.target]])
        else:
            left, up = outside[net.target]
            taken = [at for (_, other), at in ys.items() if other in buses and other != net]
            taken += [tip[1] for other, tip in found.entered.items() if other in buses]
            y = _free(up + layout.HEIGHT / 2, taken, up + 6, up + layout.HEIGHT - 6)
            found.entered[net] = (left, y)
        for each in edges:
            bus = made.right + EDGE * (buses.index(net) + 2) if net in buses else 0
            points = _way(each, net, made, leaves, ys, found.entered[net], tops, bus)
            found.edges.append((each, points))
    return found


def _separate(made: layout.Layout) -> None:
    """Lanes of different nets in rows that follow each other are never in one column."""
    for row, above in zip(made.rows[1:], made.rows, strict=False):
        for cell in row:
            taken = [each.x for each in above if each.is_lane and each.key != cell.key]
            if cell.is_lane:
                cell.x = _free(cell.x, taken, cell.x - layout.LANE / 2, cell.x + layout.LANE / 2)


def _enters(made: layout.Layout) -> dict[layout.Net, float]:
    """Columns where nets enter their boxes, from left to right as they come."""
    into: dict[str, list[layout.Net]] = {}
    for net in sorted(made.nets):
        if net.target in made.row:
            into.setdefault(net.target, []).append(net)
    found: dict[layout.Net, float] = {}
    for key, nets in into.items():
        row = made.row[key]
        lanes = {each.key: each.x for each in made.rows[row - 1] if each.is_lane} if row else {}
        low, high = _sides(made.cell(row, key))
        step = min(_SPREAD, (high - low) / len(nets))
        taken: list[float] = []
        for number, net in enumerate(sorted(nets, key=lambda net: (_origin(made, net), net))):
            x = made.cell(row, key).x + step * (number - (len(nets) - 1) / 2)
            if len(nets) == 1 and net in lanes and abs(lanes[net] - x) < _SPREAD:
                x = lanes[net]  # straight down
            found[net] = _free(x, [*taken, *(at for other, at in lanes.items() if other != net)], low, high)
            taken.append(found[net])
    return found


def _leaves(made: layout.Layout, enters: Mapping[layout.Net, float]) -> dict[tuple[str, layout.Net], float]:
    """Columns where lines leave their boxes, from left to right as they go on."""
    out: dict[str, list[layout.Net]] = {}
    for net, edges in sorted(made.nets.items()):
        for each in edges:
            out.setdefault(each.source, []).append(net)
    found: dict[tuple[str, layout.Net], float] = {}
    for key, nets in out.items():
        row = made.row[key]
        # A net that comes from further down, too, has a lane beside the box that it enters.
        below = [(each.key, each.x) for each in made.rows[row + 1] if each.is_lane] if row + 1 < len(made.rows) else []
        below += [(net, x) for net, x in enters.items() if made.row[net.target] == row + 1]
        onward = dict(below)
        low, high = _sides(made.cell(row, key))
        step = min(_STEP, (high - low) / len(nets))
        taken: list[float] = []
        for number, net in enumerate(sorted(nets, key=lambda net: (_onward(made, key, net), net))):
            x = made.cell(row, key).x + step * (number - (len(nets) - 1) / 2)
            if net in onward and abs(onward[net] - x) < step * 2 / 3:
                x = onward[net]  # straight down
            found[key, net] = _free(x, [*taken, *(at for other, at in below if other != net)], low, high)
            taken.append(found[key, net])
    return found


def _sides(cell: layout.Cell) -> tuple[float, float]:
    """Between which columns lines leave and enter a box."""
    return cell.x - cell.width / 2 + 12, cell.x + cell.width / 2 - 12


def _free(x: float, taken: Sequence[float], low: float, high: float) -> float:
    """The place nearest to `x`, between `low` and `high`, that is `_NEAR` to none that is taken; where there is none,
    the one that is farthest from all."""
    places = sorted(
        (x + step / 2 * side for step in range(2 * int(high - low) + 2) for side in (1, -1)),
        key=lambda at: (abs(at - x), at),
    )
    inside = [at for at in places if low <= at <= high] or [x]
    return next(
        (at for at in inside if all(abs(at - other) >= _NEAR for other in taken)),
        max(inside, key=lambda at: min((abs(at - other) for other in taken), default=0.0)),
    )


def _onward(made: layout.Layout, source: str, net: layout.Net) -> float:
    """Where a line goes after it left its box."""
    if net.target not in made.row:
        return made.right
    row, target = made.row[source], made.row[net.target]
    if row >= target:
        return made.cell(row, net).x
    return made.cell(row + 1, net if row + 1 < target else net.target).x


def _origin(made: layout.Layout, net: layout.Net) -> float:
    """Where a net comes from, in the row above its target."""
    target = made.row[net.target]
    sources = [each.source for each in made.nets[net]]
    found = [made.cell(target - 1, key).x for key in sources if made.row[key] == target - 1]
    passes = layout.passed(target, [made.row[key] for key in sources])
    found += [made.cell(target - 1, net).x] if target - 1 in passes else []
    found += [made.cell(target, net).x] if target in passes else []
    return sum(found) / len(found)


def _strands(
    made: layout.Layout,
    gap: int,
    leaves: Mapping[tuple[str, layout.Net], float],
    enters: Mapping[layout.Net, float],
) -> list[Strand]:
    """What every net has in the gap below row `gap`."""
    found = []
    for net, edges in sorted(made.nets.items()):
        rows = [made.row[each.source] for each in edges]
        above = {leaves[each.source, net] for each in edges if made.row[each.source] == gap}
        below: set[float] = set()
        out = net.target not in made.row
        if not out:
            target = made.row[net.target]
            passes = layout.passed(target, rows)
            above |= {made.cell(gap, net).x} if gap in passes else set()
            # A lane that leads up begins in the row below; one that leads down ends there.
            below |= {made.cell(gap + 1, net).x} if gap + 1 in passes else set()
            below |= {enters[net]} if gap + 1 == target else set()
        if above or below:
            found.append(Strand(net, tuple(sorted(above)), tuple(sorted(below)), out))
    return found


def _tracks(strands: Sequence[Strand], right: float) -> dict[layout.Net, int]:
    """The track of each net, counted from above."""
    listed = sorted(strands, key=lambda each: (each.span(right), each.net))
    for _ in range(_SWAPS):
        for number in range(len(listed) - 1):
            one, other = listed[number], listed[number + 1]
            if _cost(other, one, right) < _cost(one, other, right):
                listed[number : number + 2] = [other, one]
    found: dict[layout.Net, int] = {}
    for number, each in enumerate(listed):
        low, high = each.span(right)
        before = [found[other.net] for other in listed[:number] if _meet((low, high), other.span(right))]
        found[each.net] = max(before, default=-1) + 1
    return found


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] + EDGE and other[0] <= one[1] + EDGE


def _cost(upper: Strand, lower: Strand, right: float) -> int:
    """Crossings, when the track of `upper` is above that of `lower`."""
    low, high = lower.span(right)
    crossed = sum(low < x < high for x in upper.below)
    low, high = upper.span(right)
    crossed += sum(low < x < high for x in lower.above)
    return crossed


def _is_wall(made: layout.Layout, gap: int) -> bool:
    """Whether the rows above and below a gap are of different zones."""
    rows = [made.rows[row] for row in (gap, gap + 1) if 0 <= row < len(made.rows)]
    zones = [{each.zone for each in row if not each.is_lane} for row in rows]
    return len(zones) < 2 or zones[0] != zones[1] or len(zones[0]) > 1


def _outside(
    made: layout.Layout, ys: Mapping[tuple[int, layout.Net], float], top: float, bottom: float, right: float
) -> dict[str, Point]:
    """Places at the edge, each as near to the tracks that lead there as the others allow."""
    wanted = {}
    for number, key in enumerate(made.edge):
        found = [y for (_, net), y in ys.items() if net.target == key]
        wanted[key] = sum(found) / len(found) if found else bottom + number
    room = layout.HEIGHT + 22
    placed: dict[str, Point] = {}
    y = top + 34
    for key in sorted(made.edge, key=lambda key: (wanted[key], key)):
        y = max(y, wanted[key] - layout.HEIGHT / 2)
        placed[key] = (right + 12, y)
        y += room
    # What was pushed below the picture moves up again, the last first.
    limit = max(bottom - layout.HEIGHT - 12, top + 34 + room * (len(placed) - 1))
    for key in sorted(placed, key=lambda key: -placed[key][1]):
        placed[key] = (placed[key][0], min(placed[key][1], limit))
        limit = placed[key][1] - room
    return placed


def _way(
    edge: graph.Edge,
    net: layout.Net,
    made: layout.Layout,
    leaves: Mapping[tuple[str, layout.Net], float],
    ys: Mapping[tuple[int, layout.Net], float],
    tip: Point,
    tops: Sequence[float],
    bus: float,
) -> tuple[Point, ...]:
    """The corners of one line."""
    row, x = made.row[edge.source], leaves[edge.source, net]
    points: list[Point] = [(x, tops[row] + layout.HEIGHT), (x, ys[row, net])]
    if net.target not in made.row:
        points += [(bus, ys[row, net]), (bus, tip[1]), tip]
        return _straight(points)
    target = made.row[net.target]
    if row < target:
        gaps = range(row, target - 1)
        for gap in gaps:
            lane = made.cell(gap + 1, net).x
            points += [(lane, ys[gap, net]), (lane, ys[gap + 1, net])]
    else:
        for gap in range(row, target - 1, -1):
            lane = made.cell(gap, net).x
            points += [(lane, ys[gap, net]), (lane, ys[gap - 1, net])]
    points += [(tip[0], ys[target - 1, net]), tip]
    return _straight(points)


def _straight(points: Sequence[Point]) -> tuple[Point, ...]:
    """Without corners that are none."""
    found: list[Point] = []
    for point in points:
        if found and found[-1] == point:
            continue
        if len(found) > 1 and (found[-2][0] == found[-1][0] == point[0] or found[-2][1] == found[-1][1] == point[1]):
            found[-1] = point
        else:
            found.append(point)
    return tuple(found)
