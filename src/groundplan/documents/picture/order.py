"""What comes above what: callers above those whom they call, as far as they do not call each other in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from groundplan.documents.picture import graph


class Zones(NamedTuple):
    """Zones in their order."""

    main: tuple[str, ...]
    """From top to bottom."""
    aside: tuple[str, ...]
    """Those that no arrow joins with another: they stand beside each other, below."""


def zones(drawn: graph.Graph) -> Zones:
    """Which zone stands where: those whose boxes are called later stand lower."""
    nodes = drawn.nodes
    pairs = [(each.source, each.target) for each in drawn.edges if not each.quiet]
    joined = {key for pair in pairs if nodes[pair[1]].zone for key in pair}
    depths = ranks(list(nodes), pairs)
    called = {target for _, target in pairs}
    main: list[tuple[float, str]] = []
    for zone in drawn.zones:
        own = [key for key in joined if nodes[key].zone == zone]
        deep = [depths[key] for key in own if key in called] or [depths[key] for key in own]
        if deep:
            main.append((sum(deep) / len(deep), zone))
    listed = tuple(zone for _, zone in sorted(main))
    return Zones(listed, tuple(zone for zone in drawn.zones if zone not in listed))


def ranks(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The longest way down to each key, arrows that close a circle aside."""
    after: dict[str, list[str]] = {key: [] for key in keys}
    called = set()
    for source, target in sorted(set(pairs)):
        if source != target:
            after[source].append(target)
            called.add(target)
    found: dict[str, int] = dict.fromkeys(keys, 0)
    backwards = _backwards(sorted(keys, key=lambda key: (key in called, key)), after)
    for key in reversed(backwards.finished):
        for target in after[key]:
            if (key, target) not in backwards.closing:
                found[target] = max(found[target], found[key] + 1)
    return found


class _Walk(NamedTuple):
    finished: list[str]
    """Each after all that can be reached from it, circles aside."""
    closing: set[tuple[str, str]]
    """Arrows that lead back onto their own way."""


def _backwards(starts: Sequence[str], after: dict[str, list[str]]) -> _Walk:
    """A walk in depth, without recursion: a platform may be deep."""
    walk = _Walk([], set())
    seen: set[str] = set()
    for start in starts:
        way = [(start, iter(after[start]))] if start not in seen else []
        seen.add(start)
        on_way = {start}
        while way:
            key, ahead = way[-1]
            target = next(ahead, None)
            if target is None:
                walk.finished.append(key)
                on_way.discard(key)
                way.pop()
            elif target in on_way:
                walk.closing.add((key, target))
            elif target not in seen:
                seen.add(target)
                on_way.add(target)
                way.append((target, iter(after[target])))
    return walk
