"""Changes of the model, as they travel to subscribers and over the control socket."""

from __future__ import annotations

from typing import Literal

import msgspec

from groundplan.local.state import health, logs, units, waits


class Platform(msgspec.Struct, frozen=True, kw_only=True, tag="platform"):
    """The whole."""

    name: str
    environment: str
    phase: Literal["starting", "up", "changing", "stopping"]
    since: float
    pid: int
    notes: tuple[str, ...] = ()
    entries: tuple[tuple[str, str], ...] = ()


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag="gone"):
    """An entry of the model that is no more."""

    key: tuple[str, ...]


class Missed(msgspec.Struct, frozen=True, kw_only=True, tag="missed"):
    """A subscriber was too slow: so many notices were left out for it."""

    notices: int


class Now(msgspec.Struct, frozen=True, kw_only=True, tag="now"):
    """What came before is how things were when the subscription began; what follows is new."""


Event = Now | Platform | units.Unit | units.Instance | health.Health | waits.Wait | logs.Notice | Gone | Missed
Key = tuple[str, ...]


def key(event: Event) -> Key | None:
    """What `event` replaces in the model; None for what is told once (notices)."""
    match event:
        case Platform():
            return ("platform",)
        case units.Unit(name=name):
            return ("unit", name)
        case units.Instance(name=name):
            return ("instance", name)
        case health.Health(instance=instance, question=question):
            return ("health", instance, question)
        case waits.Wait(unit=unit):
            return ("wait", unit)
        case Now():
            return ("now",)
        case Gone(key=gone):
            return gone
        case logs.Notice() | Missed():
            return None
