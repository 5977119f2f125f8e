"""Where cells stand in their rows: lines short and straight, nothing on anything else."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from groundplan.documents.picture import layout

_SWEEPS, _SORTING = 60, 16
"""How often all rows are gone through; the first ones put cells into their order."""
_STIFF = 4
"""How much harder than a box a lane is pushed aside, so that lines stay straight."""

Joined = list[tuple[layout.Cell, float]]
"""Others, each with the weight of its pull."""


def place(made: layout.Layout) -> None:
    """Moves cells towards what they are joined with; where zones stand beside each other, they keep their order."""
    for row in made.rows:
        _settle(row, [made.left + (made.right - made.left) * (n + 0.5) / len(row) for n in range(len(row))], made)
    joined = _joined(made)
    for sweep in range(_SWEEPS):
        for number in range(len(made.rows)) if sweep % 2 == 0 else range(len(made.rows) - 1, -1, -1):
            row = made.rows[number]
            wanted = {id(each): _wanted(each, joined[id(each)]) for each in row}
            if sweep < _SORTING and number < made.main:
                row.sort(key=lambda each: (wanted[id(each)], each.is_lane, str(each.key)))
            elif sweep < _SORTING:
                _slip_in(row, wanted)
            elif number < made.main:
                _swap(row, joined, made)
            _settle(row, [_wanted(each, joined[id(each)]) for each in row], made)
    _centre(made, made.rows[: made.main])
    for row in made.rows:
        for each in row:
            each.x = round(each.x)
    for net in sorted(made.nets):
        _straighten(made, net)


def _straighten(made: layout.Layout, net: layout.Net) -> None:
    """One column for the lanes of a net in as many rows that follow each other as have room in it."""
    rows = [number for number, row in enumerate(made.rows) if any(each.key == net for each in row)]
    while rows:
        chain = [row for number, row in enumerate(rows) if row - rows[0] == number]
        while len(chain) > 1 and not _straight(made, net, chain):
            chain.pop()
        rows = rows[len(chain) :]


def _straight(made: layout.Layout, net: layout.Net, rows: Sequence[int]) -> bool:
    """Puts the lanes in `rows` into the column nearest to all, if one of theirs is free in each."""
    columns = [made.cell(row, net).x for row in rows]
    middle = sum(columns) / len(columns)
    free = [x for x in columns if all(_is_free(made.rows[row], net, x) for row in rows)]
    for row in rows if free else ():
        made.cell(row, net).x = min(free, key=lambda x: (abs(x - middle), x))
    return bool(free)


def _is_free(row: Sequence[layout.Cell], net: layout.Net, x: float) -> bool:
    others = (each for each in row if each.key != net)
    return all(abs(each.x - x) >= each.width / 2 + layout.PASSING - layout.LANE / 2 for each in others)


def _swap(row: list[layout.Cell], joined: Mapping[int, Joined], made: layout.Layout) -> None:
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


def _centre(made: layout.Layout, rows: Sequence[Sequence[layout.Cell]]) -> None:
    """Moves all of `rows` together into the middle."""
    cells = [each for row in rows for each in row]
    if cells:
        low = min(each.x - each.width / 2 for each in cells)
        high = max(each.x + each.width / 2 for each in cells)
        for each in cells:
            each.x += (made.left + made.right - low - high) / 2


def _slip_in(row: list[layout.Cell], wanted: Mapping[int, float]) -> None:
    """Lanes go between the boxes where they want to be; the boxes keep their order."""
    boxes = [each for each in row if not each.is_lane]
    lanes = sorted((each for each in row if each.is_lane), key=lambda each: (wanted[id(each)], str(each.key)))
    for lane in lanes:
        found = next((n for n, each in enumerate(boxes) if each.x > wanted[id(lane)]), len(boxes))
        boxes.insert(found, lane)
    row[:] = boxes


def _joined(made: layout.Layout) -> dict[int, Joined]:
    """What pulls at each cell, by its identity: the cells that its lines lead to in the rows above and below."""
    cells = {(number, each.key): each for number, row in enumerate(made.rows) for each in row}
    found: dict[int, Joined] = {id(each): [] for each in cells.values()}

    def join(row: int, key: str | layout.Net, below: str | layout.Net) -> None:
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
        for row in layout.passed(target, sources):
            if row < target:
                join(row, net, net if row + 1 < target else net.target)
            elif row + 1 in layout.passed(target, sources):
                join(row, net, net)
    return found


def _wanted(cell: layout.Cell, pulls: Joined) -> float:
    """The middle of what pulls at it; where it is, when nothing does."""
    total = sum(weight for _, weight in pulls)
    return sum(other.x * weight for other, weight in pulls) / total if total else cell.x


def _settle(row: Sequence[layout.Cell], wanted: Sequence[float], made: layout.Layout) -> None:
    """As near to `wanted` as the order and the distances allow, by least squares, between left and right."""
    offsets = [0.0]
    for one, other in itertools.pairwise(row):
        offsets.append(offsets[-1] + layout.apart(one, other))
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
