"""A change: what one atomic phase writes, as a value. `store.commit` writes all of it or nothing.

::

    changes.Change(call.tenant, writes=(changes.along(kinds.INTENT, row, "cancel"),), cause=…)
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any, NamedTuple

import msgspec

from payments.api import graph, kinds
from payments.api.objects import events, rows
from payments.api.wire import calls
from payments.common import ids

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(dict[str, Any]).decode


class Step(NamedTuple):
    """One edge that an object went along, and the object as it was then."""

    edge: graph.Edge
    snapshot: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Write:
    """A row after its change, with the steps that led there; `row.state` is where it was, "" for nowhere."""

    kind: kinds.Kind
    row: rows.Row[Any]
    steps: tuple[Step, ...]
    previous: dict[str, Any] | None = None
    """previous_attributes, for events called …updated."""

    @property
    def state(self) -> str:
        return self.steps[-1].edge.after

    @property
    def stored(self) -> rows.Row[Any]:
        """The row once this is committed."""
        return self.row.stored(self.state)


@dataclasses.dataclass(frozen=True, slots=True)
class Promise:
    """Something that will be asked outside, written down before it is: whoever finds it overdue keeps it."""

    id: str
    kind: str
    subject: str
    """The id of the object it is about."""
    values: dict[str, Any]
    key: str = ""
    """The idempotency key whose answer it will be."""
    request_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key: claimed while a promise is open (no answer), or finished with its answer."""

    key: str
    fingerprint: bytes
    recovery_point: str
    answer: calls.Answer | None = None


class Cause(NamedTuple):
    """Which request made the change; empty: a background task."""

    request_id: str = ""
    key: str = ""


NOBODY = Cause()


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    tenant: calls.Tenant
    writes: tuple[Write, ...]
    cause: Cause = NOBODY
    promise: Promise | None = None
    kept: str = ""
    """The promise that this change keeps: gone afterwards; the change fails when it is gone already."""
    claim: Key | None = None
    """Inserted; the change fails with `store.KeyTaken` when it exists."""
    finish: Key | None = None
    """A claimed key that gets its answer."""


class Event(NamedTuple):
    id: str
    type: str
    object_id: str
    body: str
    created: int


def along(
    kind: kinds.Kind,
    row: rows.Row[Any],
    *names: str,
    previous: dict[str, Any] | None = None,
    first: Any = None,
) -> Write:
    """`row` along the edges called `names`; `first` is the object after the first of several edges."""
    steps: list[Step] = []
    state = row.state
    for number, name in enumerate(names):
        edge = graph.edge(kind.table, name, state)
        steps.append(Step(edge, first if first is not None and number == 0 else row.object))
        state = edge.after
    _agrees(kind, row, state)
    return Write(kind, row, tuple(steps), previous)


def _agrees(kind: kinds.Kind, row: rows.Row[Any], state: str) -> None:
    actual = kind.state(row.object)
    if state not in (actual, "deleted", "detached"):
        raise graph.NoEdge(f"{row.id} says {actual!r} where its edges lead to {state!r}")


def events_of(change: Change) -> list[Event]:
    """Exactly the events that the edges declare, in their order."""
    told = [(write, step, event) for write in change.writes for step in write.steps for event in step.edge.events]
    # Sorted, because ids of one millisecond are not: events of one change are listed in the order they happened.
    names = sorted(ids.new("evt") for _ in told)
    made, request = int(time.time()), events.Request(change.cause.request_id or None, change.cause.key or None)
    return [_event(name, change, *one, made, request) for name, one in zip(names, told, strict=True)]


def _event(
    name: str, change: Change, write: Write, step: Step, event: str, made: int, request: events.Request
) -> Event:
    previous = write.previous if event.endswith(".updated") else None
    one = events.Event(
        id=name,
        created=made,
        data=events.Data(msgspec.Raw(encode(step.snapshot)), previous),
        livemode=change.tenant.livemode,
        request=request,
        type=event,
    )
    return Event(one.id, event, write.row.id, encode(one).decode(), made)
