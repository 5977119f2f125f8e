"""What must be seen at once. The logs themselves are files; only these few lines pass through the model."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["info", "warning", "error"]


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag="notice"):
    """Something that happened to `unit` (empty: to the platform), with the last lines it wrote, masked."""

    at: float
    unit: str
    level: Level
    text: str
    lines: tuple[str, ...] = ()
    file: str = ""
    """Where all lines are."""
