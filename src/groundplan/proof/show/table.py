"""Rows as an aligned table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from groundplan.proof.show import rows

TITLES = ("SOURCE", "DESTINATION", "CONNECTIONS")


def lines(some: Sequence[rows.Row]) -> Iterator[str]:
    """A heading and one line a row."""
    cells = [TITLES, *((each.source, _destination(each), each.connections) for each in some)]
    left, right = (max(len(row[column]) for row in cells) for column in (0, 1))
    for source, destination, words in cells:
        yield f"{source:<{left}}  {destination:<{right}}  {words}"


def _destination(row: rows.Row) -> str:
    return "(its replicas)" if row.replicas else row.destination
