"""The life of a merchant account: a graph, and nothing happens outside it."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Literal

State = Literal["draft", "submitted", "verified", "active", "suspended", "closed"]
Revoking = Literal["live", "all"]


@dataclasses.dataclass(frozen=True)
class Edge:
    """One step; `permission` is the platform's where `platform`, else a member's."""

    action: str
    sources: tuple[State, ...]
    target: State
    permission: str
    platform: bool = False
    revokes: Revoking | None = None
    """The API keys that this step takes away."""
    letter: str = ""
    """What the account's owner is told by mail; empty: nothing."""


EDGES = (
    Edge("submit", ("draft",), "submitted", "submit"),
    Edge("approve", ("submitted",), "verified", "merchant.approve", platform=True, letter="was approved"),
    Edge("reject", ("submitted",), "draft", "merchant.reject", platform=True, letter="was not approved"),
    Edge("activate", ("verified",), "active", "activate"),
    Edge("suspend", ("active",), "suspended", "merchant.suspend", True, "live", "was suspended"),
    Edge("reinstate", ("suspended",), "active", "merchant.reinstate", platform=True, letter="was reinstated"),
    Edge("close", ("draft", "submitted", "verified", "active", "suspended"), "closed", "close", revokes="all"),
)
BY_ACTION = {edge.action: edge for edge in EDGES}

# A draft may be anybody's: keys come with the serious wish, live ones with the platform's word.
TEST_KEYS: tuple[State, ...] = ("submitted", "verified", "active", "suspended")
LIVE_KEYS: tuple[State, ...] = ("active",)

NEEDED_TO_SUBMIT = ("name", "email", "country", "business_type")


def possible(state: str) -> tuple[str, ...]:
    """The actions that lead on from `state`."""
    return tuple(edge.action for edge in EDGES if state in edge.sources)


def is_path(history: tuple[str, ...]) -> bool:
    """Whether `history` (states, oldest first) begins with a draft and follows edges."""
    steps = {(source, edge.target) for edge in EDGES for source in edge.sources}
    return history[:1] == ("draft",) and all(step in steps for step in itertools.pairwise(history))
