"""Fields of decoded objects, whatever they may be: what has the wrong kind counts as absent here."""

from __future__ import annotations

from typing import Any


def items(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list; nothing for anything else, which the schema is there for."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def words(value: Any) -> list[str]:
    """The items of a list as words; nothing for anything else."""
    return [str(each) for each in value] if isinstance(value, list) else []


def inner(value: Any, *steps: str) -> dict[str, Any]:
    """The mapping at a path; an empty one where there is none."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def dotted(path: tuple[str | int, ...]) -> str:
    """A path in words: `spec.ports[0].name`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
