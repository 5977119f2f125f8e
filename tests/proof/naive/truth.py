"""Three-valued answers (Kleene): true, false, or unknown for a reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class Unknown:
    """Neither true nor false from what is written."""

    why: str

    def __bool__(self) -> bool:
        raise TypeError(f"an unknown answer was used as a boolean: {self.why}")


Truth = bool | Unknown


def either(answers: Iterable[Truth]) -> Truth:
    """True if any is; else unknown if any is."""
    unknown: Unknown | None = None
    for answer in answers:
        if isinstance(answer, Unknown):
            unknown = answer if unknown is None else unknown
        elif answer:
            return True
    return False if unknown is None else unknown


def both(answers: Iterable[Truth]) -> Truth:
    """False if any is; else unknown if any is."""
    return opposite(either(opposite(answer) for answer in answers))


def opposite(answer: Truth) -> Truth:
    return answer if isinstance(answer, Unknown) else not answer


def choose(condition: Truth, when_true: Truth, when_false: Truth) -> Truth:
    """`when_true` or `when_false`; with an unknown condition, what the two agree on."""
    if not isinstance(condition, Unknown):
        return when_true if condition else when_false
    if isinstance(when_true, bool) and when_true is when_false:
        return when_true
    return condition
