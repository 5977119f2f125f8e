"""Who waits for what, in words a person can act on: "waiting for postgres: accepting connections"."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from groundplan.local.state import units


class Wait(msgspec.Struct, frozen=True, kw_only=True, tag="wait"):
    """`unit` cannot start before all of `on` are ready or done; empty when it waits no more."""

    unit: str
    on: tuple[str, ...]


def roots(waits: Iterable[Wait]) -> tuple[str, ...]:
    """Those that others wait for and that wait for nobody: where the time goes."""
    waiting = {wait.unit: wait.on for wait in waits if wait.on}
    return tuple(dict.fromkeys(on for ons in waiting.values() for on in ons if on not in waiting))


def words(instance: units.Instance, title: str = "") -> str:
    """What one that has not settled is busy with: "postgres: accepting connections"."""
    return f"{instance.name}: {instance.why or title or instance.phase}"
