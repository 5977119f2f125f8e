"""Default values that are maps or lists."""

from __future__ import annotations

from typing import Any

import msgspec


def always(value: Any) -> Any:
    """A field whose default is `value` itself: objects are frozen and nobody changes their maps."""
    return msgspec.field(default_factory=lambda: value)
