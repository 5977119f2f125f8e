"""A trace: its spans as a tree, and where its time went."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator

from groundplan.local.traces import spans as shapes

SLOW = 0.2
"""A span is slow whose own time is this part of its trace's."""


@dataclasses.dataclass(frozen=True)
class Trace:
    """All spans of one trace that are known here; at least one. Times in nanoseconds."""

    spans: tuple[shapes.Span, ...]

    @property
    def id(self) -> str:
        return self.spans[0].trace

    @functools.cached_property
    def roots(self) -> tuple[shapes.Span, ...]:
        """Spans without a parent here: one where all of it has arrived, the first one first."""
        known = {span.id for span in self.spans}
        found = [span for span in self.spans if span.parent not in known or span.parent == span.id]
        return tuple(sorted(found or self.spans, key=_order))

    @property
    def root(self) -> shapes.Span:
        return self.roots[0]

    @property
    def is_whole(self) -> bool:
        """Whether it has one root, and that one has no parent elsewhere."""
        return len(self.roots) == 1 and not self.root.parent

    @property
    def is_request(self) -> bool:
        """Whether somebody's request began it."""
        return self.root.kind in ("server", "consumer")

    @property
    def start(self) -> int:
        return min(span.start for span in self.spans)

    @property
    def duration(self) -> int:
        return max(span.end for span in self.spans) - self.start

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(span.service for span in sorted(self.spans, key=_order)))

    @property
    def errors(self) -> tuple[shapes.Span, ...]:
        return tuple(span for span in sorted(self.spans, key=_order) if span.error)

    @functools.cached_property
    def _children(self) -> dict[str, list[shapes.Span]]:
        found: dict[str, list[shapes.Span]] = {}
        for span in sorted(self.spans, key=_order):
            found.setdefault(span.parent, []).append(span)
        return found

    def walk(self) -> Iterator[tuple[int, shapes.Span]]:
        """Every span once, with its depth, callers before those they call."""
        seen: set[str] = set()
        # Spans that call each other in a circle hang on no root: they come last.
        for first in (*self.roots, *sorted(self.spans, key=_order)):
            left = [(0, first)]
            while left:
                depth, span = left.pop()
                if span.id not in seen:
                    seen.add(span.id)
                    yield depth, span
                    left += [(depth + 1, each) for each in reversed(self._children.get(span.id, ()))]

    def own(self, span: shapes.Span) -> int:
        """The part of its time in which nobody that it called was at work."""
        children = self._children.get(span.id, ())
        inside = sorted((max(each.start, span.start), min(each.end, span.end)) for each in children if each is not span)
        return span.end - span.start - _covered(inside)

    def slow(self) -> list[shapes.Span]:
        """Spans that took a fifth of the whole by themselves, the slowest first."""
        found = [span for span in self.spans if self.own(span) >= SLOW * self.duration > 0]
        return sorted(found, key=self.own, reverse=True)


def _covered(stretches: Iterable[tuple[int, int]]) -> int:
    """How much sorted stretches cover together."""
    total = until = 0
    for start, end in stretches:
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total


def _order(span: shapes.Span) -> tuple[int, int, str]:
    return span.start, -span.end, span.id
