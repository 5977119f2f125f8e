"""What stands in which row: zones above each other as traffic leads down, lanes for lines that pass a row."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
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
    main: int
    """How many rows there are above those in which zones stand beside each other."""
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
    main = len(boxes)
    boxes += _aside(zones.aside, drawn)
    rows = [[Cell(key, drawn.nodes[key].zone, WIDTH) for key in row] for row in boxes]
    made = Layout(
        rows, {key: number for number, row in enumerate(boxes) for key in row}, {}, edge + alone, main, left, left
    )
    for each in drawn.edges:
        made.nets.setdefault(Net(each.target, each.ports), []).append(each)
    _lanes(made)
    made.right = left + max((_room(row) for row in rows), default=WIDTH)
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


def apart(one: Cell, other: Cell) -> float:
    """Between the middles of two neighbours."""
    gap = PASSING if one.is_lane or other.is_lane else BESIDE if one.zone == other.zone else APART
    return (one.width + other.width) / 2 + gap


def _room(row: Sequence[Cell]) -> float:
    """What a row takes at least, with some air."""
    inner = sum(apart(one, other) for one, other in itertools.pairwise(row))
    return inner + ((row[0].width + row[-1].width) / 2 if row else 0) + 2 * LANE
