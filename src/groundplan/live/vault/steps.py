"""The words in which a plan of requests speaks: what it wants done, and what it hears back."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from typing import Any, TypeVar

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Request:
    """One request to Vault; `path` is below ``/v1/``. It is heard back as an `Answer`."""

    method: str
    path: str
    body: dict[str, Any] | None = dataclasses.field(default=None, repr=False)
    token: str = dataclasses.field(default="", repr=False)
    repeatable: bool = True
    """Whether asking again does no harm when nobody knows if the first one was heard."""
    server: int = 0
    """Which of the servers, where there are several: each is sealed by itself, and whoever is open passes on to the one
    that leads."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What Vault says: a status code, and the body's JSON."""

    status: int
    body: dict[str, Any] = dataclasses.field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        found = self.body.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def errors(self) -> str:
        """Its own words."""
        listed = self.body.get("errors")
        return "; ".join(str(each) for each in listed) if isinstance(listed, list) else ""


@dataclasses.dataclass(frozen=True)
class Keys:
    """What opens a Vault: shares of its key, and its first token as long as it is needed."""

    shares: tuple[str, ...] = dataclasses.field(repr=False)
    threshold: int
    number: int
    """Of shares that were handed out; some may have been taken away since."""
    root_token: str = dataclasses.field(default="", repr=False)
    finished: bool = False
    """Everything is in place, and only the token is left to be revoked."""


@dataclasses.dataclass(frozen=True)
class Reserve:
    """Make sure that keys can be kept, before there are any; heard back as None."""


@dataclasses.dataclass(frozen=True)
class Keep:
    """Keep these keys, safe against power failure, before anything else happens; heard back as None."""

    keys: Keys


@dataclasses.dataclass(frozen=True)
class Share:
    """Ask somebody for a share, the `number`-th of those still needed; heard back as text."""

    number: int
    threshold: int


@dataclasses.dataclass(frozen=True)
class Supply:
    """Ask for what people bring; heard back as text by path."""

    paths: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Pause:
    """Wait for so many seconds: servers do something by themselves; heard back as None."""

    seconds: float


@dataclasses.dataclass(frozen=True)
class Tell:
    """Something is done; heard back as None."""

    text: str


Step = Request | Reserve | Keep | Share | Supply | Pause | Tell
Plan = Generator[Step, Any, T]
"""Yields steps, is sent what came of each, and returns a T. Whoever runs it may stop between any two."""


def at(server: int, plan: Plan[T]) -> Plan[T]:
    """`plan`, with every request to one of the servers."""
    heard: object = None
    while True:
        try:
            step = plan.send(heard)
        except StopIteration as ended:
            value: T = ended.value
            return value
        heard = yield (dataclasses.replace(step, server=server) if isinstance(step, Request) else step)
