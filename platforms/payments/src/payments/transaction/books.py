"""Two books side by side: what the acquirer says it did, and what we wrote down. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from payments.transaction import acquirer


@dataclasses.dataclass(frozen=True)
class Ours:
    """A transaction as we have it; `key` is what the acquirer knows its authorization by."""

    key: str
    transaction_id: str
    state: str
    amount: int
    currency: str
    captured: int
    refunded: int
    held: int
    acquirer_reference: str
    unsettled: bool
    """Something about it is still open, so it may differ for now."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """Where the books disagree."""

    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what}"


_COMPARED = ("captured", "refunded", "held")


def differences(ours: Mapping[str, Ours], theirs: Mapping[str, acquirer.Listed]) -> list[Difference]:
    """All of them, by key."""
    found = [_orphan(listed) for key, listed in theirs.items() if key not in ours]
    for key, one in ours.items():
        if not one.unsettled:
            found.extend(_between(one, theirs.get(key)))
    return sorted(filter(None, found), key=lambda each: (each.key, each.what))


def _orphan(listed: acquirer.Listed) -> Difference | None:
    """Money that the acquirer moved and nobody here knows of."""
    if not listed.held and listed.captured == listed.refunded:
        return None
    return Difference(listed.key, f"{listed.id} of {listed.amount} {listed.currency} is in the acquirer's book alone")


def _between(one: Ours, listed: acquirer.Listed | None) -> list[Difference]:
    if listed is None:
        moved = any(getattr(one, name) for name in _COMPARED)
        return [Difference(one.key, f"{one.transaction_id} is in our book alone")] if moved else []
    pairs = [(name, getattr(one, name), getattr(listed, name)) for name in _COMPARED]
    wrong = [f"{name} {mine} here, {other} there" for name, mine, other in pairs if mine != other]
    if one.currency != listed.currency:
        wrong.append(f"{one.currency} here, {listed.currency} there")
    return [Difference(one.key, f"{one.transaction_id}: {text}") for text in wrong]
