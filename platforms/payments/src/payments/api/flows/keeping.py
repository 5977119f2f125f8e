"""Keeping a promise, whoever does it: the request that made it, or the settler after it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from payments.api import changes, expansion, keys, store
from payments.api.objects import rows
from payments.api.wire import calls, errors
from payments.api.world import World
from payments.common import ids


class Decided(NamedTuple):
    """What an answer from outside means: rows that change, and what the caller is shown (or told)."""

    writes: tuple[changes.Write, ...]
    shown: Any = None
    error: errors.Error | None = None
    """A refusal that is told instead: a declined card."""
    open: bool = False
    """Not known yet: the promise stays."""


class Flow(Protocol):
    """One kind of promise."""

    @property
    def kind(self) -> str: ...

    async def decide(self, tenant: calls.Tenant, promise: changes.Promise, subject: rows.Row[Any]) -> Decided | None:
        """Asks outside; None where there is nothing new to write."""

    async def subject(self, tenant: calls.Tenant, promise: changes.Promise) -> rows.Row[Any] | None: ...


def promise(kind: str, subject: str, call: calls.Call, values: dict[str, Any], **more: Any) -> changes.Promise:
    """A new promise; ``expand`` comes along, since whoever keeps it renders the answer."""
    params = more | ({"expand": values["expand"]} if values.get("expand") else {})
    return changes.Promise(ids.new("prm"), kind, subject, params, call.key, call.request_id)


async def keep(
    world: World, flow: Flow, tenant: calls.Tenant, made: changes.Promise, subject: rows.Row[Any] | None = None
) -> calls.Answer | None:
    """Ask, and write the answer down. None: somebody else did, or there is still no answer and that is written."""
    for _ in range(_TRIES):
        current = subject or await flow.subject(tenant, made)
        if current is None or current.inner.promise != made.id:
            return None
        decided = await flow.decide(tenant, made, current)
        if decided is None:
            return None
        try:
            return await _written(world, tenant, made, current, decided)
        except store.Stale:  # a row beside the subject moved (another refund of the charge): look, and ask again
            subject = None
    return None


_TRIES = 8


async def _written(
    world: World, tenant: calls.Tenant, made: changes.Promise, subject: rows.Row[Any], decided: Decided
) -> calls.Answer:
    answer = await _told(world, tenant, made, decided)
    # The request that ended without an answer has told its caller "processing", and saved that under its key.
    finish = None if subject.inner.unanswered else keys.kept(made, answer)
    cause = changes.Cause(made.request_id, made.key)
    kept = "" if decided.open else made.id
    await world.store.commit(changes.Change(tenant, decided.writes, cause, kept=kept, finish=finish))
    return answer


async def _told(world: World, tenant: calls.Tenant, made: changes.Promise, decided: Decided) -> calls.Answer:
    if decided.error is not None:
        return calls.Answer(decided.error.status, decided.error.encoded())
    known = {write.row.id: write.row.object for write in decided.writes}
    call = calls.Call(tenant=tenant, method="POST", path="", tree={})
    try:
        return await expansion.answer(world.store, call, decided.shown, made.values.get("expand"), known)
    except errors.Error:  # what was done outside is written down, whatever was asked to be shown of it
        return await expansion.answer(world.store, call, decided.shown, None)


async def begun(
    world: World, flow: Flow, call: calls.Call, made: changes.Promise, *writes: changes.Write
) -> calls.Answer:
    """Write the promise down with `writes` (its subject first), and keep it now."""
    change = changes.Change(
        call.tenant, writes, changes.Cause(call.request_id, call.key), made, claim=keys.claimed(call, made)
    )
    await world.store.commit(change)
    answer = await keep(world, flow, call.tenant, made, writes[0].stored)
    return answer or await _otherwise(world, flow, call, made)


async def _otherwise(world: World, flow: Flow, call: calls.Call, made: changes.Promise) -> calls.Answer:
    """Somebody else kept the promise first: his answer where it was saved, else the object as it is now."""
    found = await world.store.key(call.tenant, call.key) if call.key else None
    if found is not None and found.status is not None and found.response is not None:
        return calls.Answer(found.status, found.response.encode())
    row = await flow.subject(call.tenant, made)
    if row is None:
        raise errors.Busy
    return await expansion.answer(world.store, call, row.object, made.values.get("expand"))


def check_expand(kind: type[Any], values: dict[str, Any]) -> None:
    """Raises 400 now rather than after money has moved."""
    for path in values.get("expand") or ():
        if path.split(".")[0] not in kind.__struct_fields__:
            errors.refuse(f"This property cannot be expanded ({path[:200]}).", param="expand")
