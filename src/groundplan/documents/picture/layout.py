"""Where everything stands: zones above each other as traffic leads down, boxes in rows, lanes for lines passing."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from groundplan.documents.picture import graph, order

WIDTH, HEIGHT = 200, 54
"""Of a box."""
LANE = 12
"""The width of a lane."""
BESIDE, PASSING, APART = 28, 18, 52
"""Between two boxes, between a box and a lane, and between boxes of two zones in one row."""
MOST = 4
"""Boxes in a row."""
_SWEEPS, _SORTING = 60, 16
"""How often all rows are gone through; the first ones put cells into their order."""
_STIFF = 4
"""How much harder than a box a lane is pushed aside, so that lines stay straight."""


class Net(NamedTuple):
    """All lines that lead to some ports of one box."""

    target: str
    ports: str


@dataclasses.dataclass
class Cell:
    """Something in a row: a box, or the lane of a net that passes."""

    key: str | Net
    zone: str
    width: int
    x: float = 0
    """Of its middle."""

    @property
    def is_lane(self) -> bool:
        return isinstance(self.key, Net)


@dataclasses.dataclass
class Layout:
    """Rows from top to bottom, and what stands at the edge."""

    rows: list[list[Cell]]
    row: dict[str, int]
    """Of each box; what stands at the edge has none."""
    nets: dict[Net, list[graph.Edge]]
    edge: tuple[str, ...]
    """Boxes at the edge: systems outside that are called."""
    left: float
    right: float
    """Where cells begin and end."""

    def cell(self, row: int, key: str | Net) -> Cell:
        return next(each for each in self.rows[row] if each.key == key)


def of(drawn: graph.Graph, left: float) -> Layout:
    """The layout of `drawn`; cells begin at `left`."""
    called = {each.target for each in drawn.edges}
    edge = tuple(key for key, node in drawn.nodes.items() if not node.zone and key in called)
    idle = [key for key, node in drawn.nodes.items() if not node.zone and key not in called]
    callers = {each.source for each in drawn.edges}
    alone = tuple(key for key in idle if key not in callers)
    top = [key for key in idle if key in callers]
    zones = order.zones(drawn)
    boxes = [top] if top else []
    boxes += [row for zone in zones.main for row in _rows(zone, drawn)]
    boxes += _aside(zones.aside, drawn)
    rows = [[Cell(key, drawn.nodes[key].zone, WIDTH) for key in row] for row in boxes]
    made = Layout(rows, {key: number for number, row in enumerate(boxes) for key in row}, {}, edge + alone, left, left)
    for each in drawn.edges:
        made.nets.setdefault(Net(each.target, each.ports), []).append(each)
    _lanes(made)
    made.right = left + max((_room(row) for row in rows), default=WIDTH)
    _place(made, fixed=len(rows) - len(_aside(zones.aside, drawn)))
    return made


def _rows(zone: str, drawn: graph.Graph) -> list[list[str]]:
    """The boxes of a zone, callers above those whom they call; rows no longer than `MOST`."""
    keys = [key for key, node in drawn.nodes.items() if node.zone == zone]
    inside = [(each.source, each.target) for each in drawn.edges if not each.quiet]
    ranks = order.ranks(keys, [pair for pair in inside if pair[0] in keys and pair[1] in keys])
    found: dict[int, list[str]] = {}
    for key in keys:
        found.setdefault(ranks[key], []).append(key)
    return [part for rank in sorted(found) for part in _parts(found[rank])] or [[]]


def _parts(keys: list[str]) -> list[list[str]]:
    """`keys` in rows as equal as can be."""
    number = -(-len(keys) // MOST)
    size = -(-len(keys) // number) if number else 1
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def _aside(zones: Sequence[str], drawn: graph.Graph) -> list[list[str]]:
    """Zones beside each other, as many in a row as it holds."""
    parts = [part for zone in zones for part in _parts([key for key, node in drawn.nodes.items() if node.zone == zone])]
    number = -(-sum(map(len, parts)) // MOST)
    rows: list[list[str]] = []
    for part in parts:
        # About as many in each row.
        if not rows or len(rows[-1]) + len(part) > MOST or len(rows[-1]) * number >= sum(map(len, parts)):
            rows.append([])
        rows[-1] += part
    return rows


def _lanes(made: Layout) -> None:
    """A lane for each net in each row that it passes: down to its target, or up to it from below."""
    for net, edges in sorted(made.nets.items()):
        if net.target not in made.row:
            continue
        for row in passed(made.row[net.target], [made.row[each.source] for each in edges]):
            made.rows[row].append(Cell(net, "", LANE))


def passed(target: int, sources: Iterable[int]) -> tuple[int, ...]:
    """The rows that lines from `sources` to `target` pass."""
    listed = list(sources)
    above = [row for row in listed if row < target]
    below = [row for row in listed if row >= target]
    down = range(min(above) + 1, target) if above else ()
    return (*down, *(range(target, max(below) + 1) if below else ()))


def _apart(one: Cell, other: Cell) -> float:
    """Between the middles of two neighbours."""
    gap = PASSING if one.is_lane or other.is_lane else BESIDE if one.zone == other.zone else APART
    return (one.width + other.width) / 2 + gap


def _room(row: Sequence[Cell]) -> float:
    """What a row takes at least, with some air."""
    inner = sum(_apart(one, other) for one, other in itertools.pairwise(row))
    return inner + ((row[0].width + row[-1].width) / 2 if row else 0) + 2 * LANE


def _place(made: Layout, fixed: int) -> None:
    """Moves cells towards what they are joined with; rows from `fixed` on keep their order, zone by zone."""
    for row in made.rows:
        _settle(row, [made.left + (made.right - made.left) * (n + 0.5) / len(row) for n in range(len(row))], made)
    joined = _joined(made)
    for sweep in range(_SWEEPS):
        for number in range(len(made.rows)) if sweep % 2 == 0 else range(len(made.rows) - 1, -1, -1):
            row = made.rows[number]
            wanted = {id(each): _wanted(each, joined[id(each)]) for each in row}
            if sweep < _SORTING and number < fixed:
                row.sort(key=lambda each: (wanted[id(each)], each.is_lane, str(each.key)))
            elif sweep < _SORTING:
                _slip_in(row, wanted)
            elif number < fixed:
                _swap(row, joined, made)
            _settle(row, [_wanted(each, joined[id(each)]) for each in row], made)
    _centre(made, made.rows[:fixed])
    for row in made.rows:
        for each in row:
            each.x = round(each.x)
    for net in sorted(made.nets):
        _straighten(made, net)


def _straighten(made: Layout, net: Net) -> None:
    """One column for the lanes of a net in as many rows that follow each other as have room in it."""
    rows = [number for number, row in enumerate(made.rows) if any(each.key == net for each in row)]
    while rows:
        chain = [row for number, row in enumerate(rows) if row - rows[0] == number]
        while len(chain) > 1 and not _straight(made, net, chain):
            chain.pop()
        rows = rows[len(chain) :]


def _straight(made: Layout, net: Net, rows: Sequence[int]) -> bool:
    """Puts the lanes in `rows` into the column nearest to all, if one of theirs is free in each."""
    columns = [made.cell(row, net).x for row in rows]
    middle = sum(columns) / len(columns)
    free = [x for x in columns if all(_is_free(made.rows[row], net, x) for row in rows)]
    for row in rows if free else ():
        made.cell(row, net).x = min(free, key=lambda x: (abs(x - middle), x))
    return bool(free)


def _is_free(row: Sequence[Cell], net: Net, x: float) -> bool:
    others = (each for each in row if each.key != net)
    return all(abs(each.x - x) >= each.width / 2 + PASSING - LANE / 2 for each in others)


def _swap(row: list[Cell], joined: Mapping[int, Joined], made: Layout) -> None:
    """Neighbours change places where lines become shorter by it."""

    def length() -> float:
        _settle(row, [_wanted(each, joined[id(each)]) for each in row], made)
        return sum(abs(each.x - other.x) * weight for each in row for other, weight in joined[id(each)])

    shortest = length()
    for number in range(len(row) - 1):
        row[number], row[number + 1] = row[number + 1], row[number]
        found = length()
        if found < shortest - 1:
            shortest = found
        else:
            row[number], row[number + 1] = row[number + 1], row[number]


def _centre(made: Layout, rows: Sequence[Sequence[Cell]]) -> None:
    """Moves all of `rows` together into the middle."""
    cells = [each for row in rows for each in row]
    if cells:
        low = min(each.x - each.width / 2 for each in cells)
        high = max(each.x + each.width / 2 for each in cells)
        for each in cells:
            each.x += (made.left + made.right - low - high) / 2


def _slip_in(row: list[Cell], wanted: Mapping[int, float]) -> None:
    """Lanes go between the boxes where they want to be; the boxes keep their order."""
    boxes = [each for each in row if not each.is_lane]
    lanes = sorted((each for each in row if each.is_lane), key=lambda each: (wanted[id(each)], str(each.key)))
    for lane in lanes:
        found = next((n for n, each in enumerate(boxes) if each.x > wanted[id(lane)]), len(boxes))
        boxes.insert(found, lane)
    row[:] = boxes


Joined = list[tuple[Cell, float]]
"""Others, each with the weight of its pull."""


def _joined(made: Layout) -> dict[int, Joined]:
    """What pulls at each cell, by its identity: the cells that its lines lead to in the rows above and below."""
    cells = {(number, each.key): each for number, row in enumerate(made.rows) for each in row}
    found: dict[int, Joined] = {id(each): [] for each in cells.values()}

    def join(row: int, key: str | Net, below: str | Net) -> None:
        one, other = cells[row, key], cells[row + 1, below]
        weight = 4.0 if one.is_lane and other.is_lane else 1.0
        found[id(one)].append((other, weight))
        found[id(other)].append((one, weight))

    for net, edges in made.nets.items():
        if net.target not in made.row or all(each.quiet for each in edges):
            continue
        target, sources = made.row[net.target], [made.row[each.source] for each in edges]
        for each, row in zip(edges, sources, strict=True):
            if row < target:
                join(row, each.source, net if row + 1 < target else net.target)
        for row in passed(target, sources):
            if row < target:
                join(row, net, net if row + 1 < target else net.target)
            elif row + 1 in passed(target, sources):
                join(row, net, net)
    return found


def _wanted(cell: Cell, pulls: Joined) -> float:
    """The middle of what pulls at it; where it is, when nothing does."""
    total = sum(weight for _, weight in pulls)
    return sum(other.x * weight for other, weight in pulls) / total if total else cell.x


def _settle(row: Sequence[Cell], wanted: Sequence[float], made: Layout) -> None:
    """As near to `wanted` as the order and the distances allow, by least squares, between left and right."""
    offsets = [0.0]
    for one, other in itertools.pairwise(row):
        offsets.append(offsets[-1] + _apart(one, other))
    pools: list[tuple[float, int, int]] = []
    for each, want, offset in zip(row, wanted, offsets, strict=False):
        mean, weight, size = want - offset, _STIFF if each.is_lane else 1, 1
        while pools and pools[-1][0] > mean:
            before, heavy, number = pools.pop()
            mean = (mean * weight + before * heavy) / (weight + heavy)
            weight, size = weight + heavy, size + number
        pools.append((mean, weight, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    if row:
        low = made.left + row[0].width / 2
        high = made.right - row[-1].width / 2 - offsets[len(row) - 1]
        for each, mean, offset in zip(row, means, offsets, strict=False):
            each.x = min(max(mean, low), max(high, low)) + offset
