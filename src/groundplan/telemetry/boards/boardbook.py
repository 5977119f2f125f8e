"""All boards of a platform, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from groundplan.model import platform
from groundplan.shapes import boards
from groundplan.telemetry.boards import engines, overview, services

BOARDS: tuple[Callable[[platform.Platform], Iterator[boards.Board]], ...] = (
    overview.boards_of,
    services.boards_of,
    engines.boards_of,
)


def of(plan: platform.Platform) -> tuple[boards.Board, ...]:
    """Those made here, and the author's own."""
    own = (each.what for each in plan.watched if isinstance(each.what, boards.Board))
    return (*(board for each in BOARDS for board in each(plan)), *own)
