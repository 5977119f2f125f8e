"""Where requests are worked on: intent, question, outcome (see the package's paragraph)."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import grpc
from msgspec.structs import replace

from groundplan_runtime import deadlines
from payments.common import failures, ids
from payments.transaction import acquirer, answers, changes, states, vault
from payments.transaction.changes import Change
from payments.transaction.records import Dispute, Operation, Transaction
from payments.transaction.store import Ended, Repeated, Stale, Store

Done = TypeVar("Done")
_log = logging.getLogger(__name__)
_RACES = 20
"""How often a step is decided anew because the transaction changed meanwhile."""
_FIRST_PAUSE, _LAST_PAUSE = 1.0, 300.0
"""Seconds until an unknown operation is asked about again: doubling from the first to the last."""
_IDS = {"refund": "rft"}


class Desk:
    """Moves transactions along. `abandon_after`: an authorization that the acquirer never saw is reversed then."""

    def __init__(
        self, rows: Store, bank: acquirer.Acquirer, cards: vault.Cards, *,
        hold: datetime.timedelta, abandon_after: datetime.timedelta,
    ) -> None:  # fmt: skip
        self.rows = rows
        self._bank = bank
        self._cards = cards
        self._hold = hold
        self._abandon_after = abandon_after
        self._running: set[asyncio.Task[Any]] = set()

    async def authorize(self, wanted: Transaction, operation: Operation) -> tuple[Transaction, Operation]:
        """A new transaction; the one that was made before for the same request id."""
        one = replace(wanted, expires_at=wanted.created_at + self._hold)
        try:
            await self.rows.create(Change(one, replace(one, state=states.PENDING), operation))
        except Repeated:
            return await self.repeated(operation)
        return await self.finished(self._first(replace(one, state=states.PENDING, version=1), operation))

    async def begin(
        self, account_id: str, operation: Operation, decide: Callable[[Transaction], Change]
    ) -> tuple[Transaction, Operation]:
        """An operation on a transaction that exists; `decide` raises `failures.Refused` where it may not be."""
        known = await self.rows.operation(account_id, operation.kind, operation.request_id)
        if known is not None:
            return await self.repeated(operation)
        for _ in range(_RACES):
            one = await self.found(account_id, operation.transaction_id)
            change = answers.kept(decide(one))
            try:
                await self.rows.begin(change)
            except Stale:
                continue
            except Repeated:
                return await self.repeated(operation)
            after = replace(change.after, version=one.version + 1)
            if not change.operation.open:
                return after, change.operation
            return await self.finished(self._ask(after, change.operation, ours=after))
        raise _contended()

    async def repeated(self, operation: Operation) -> tuple[Transaction, Operation]:
        """The same request id again: the same answer, or going on where the first one stopped."""
        known = await self.rows.operation(operation.account_id, operation.kind, operation.request_id)
        if known is None or known.parameters != operation.parameters:
            message = f"request_id {operation.request_id!r} was used before with other parameters"
            failures.refuse(grpc.StatusCode.ALREADY_EXISTS, "request_id_reused", "request_id", message)
        if known.open:
            mine = await self.rows.claim(known)
            if mine is None and known.state == "pending":
                message = "the first request with this request_id is still running; ask again in a moment"
                failures.refuse(grpc.StatusCode.ABORTED, "request_in_progress", "request_id", message)
            if mine is not None:
                return await self.finished(self.resume(mine, again=True))
        return await self.found(known.account_id, known.transaction_id), known

    async def found(self, account_id: str, transaction_id: str) -> Transaction:
        one = await self.rows.find(account_id, transaction_id)
        if one is None:
            message = f"No such transaction: '{transaction_id}'"
            failures.refuse(grpc.StatusCode.NOT_FOUND, "resource_missing", "transaction_id", message)
        return one

    async def resume(self, operation: Operation, *, again: bool) -> tuple[Transaction, Operation]:
        """Goes on with an operation that nobody works on; `again`: its caller is there and wants it done."""
        one = await self.found(operation.account_id, operation.transaction_id)
        if operation.kind != "authorize":
            return await self._ask(one, operation)
        return await self._resume_authorization(one, operation, again=again)

    async def expire(self, one: Transaction) -> bool:
        """Frees a hold (or a challenge) whose time is over; False when another worker does."""
        operation = new_operation("expire", one.account_id, one.id, f"expire:{one.id}", b"", one.held)
        change = _expiry(one, operation)
        try:
            await self.rows.begin(answers.kept(change))
        except (Stale, Repeated):
            return False
        if change.operation.open:
            after = replace(change.after, version=one.version + 1)
            await self.finished(self._ask(after, operation, ours=after))
        return True

    async def open_dispute(
        self, account_id: str, operation: Operation, reason: str, amount: Callable[[Transaction], int]
    ) -> tuple[Transaction, Dispute]:
        """A dispute of what `amount` says, or the one that was opened for the same request id."""
        for _ in range(_RACES):
            one = await self.found(account_id, operation.transaction_id)
            wanted = replace(operation, amount=amount(one))
            values = (ids.new("dp"), one.id, account_id, wanted.amount)
            dispute = Dispute(*values, state="open", reason=reason, created_at=wanted.created_at)
            change = self._disputed(changes.disputed(one, wanted), dispute)
            try:
                await self.rows.begin(change, dispute)
            except Stale:
                continue
            return change.after, dispute
        raise _contended()

    async def end_dispute(
        self, account_id: str, operation: Operation, dispute: Dispute, outcome: Ended
    ) -> tuple[Transaction, Dispute]:
        decide = changes.dispute_won if outcome == "won" else changes.dispute_lost
        for _ in range(_RACES):
            one = await self.found(account_id, operation.transaction_id)
            ended = replace(dispute, state=outcome)
            change = self._disputed(decide(one, replace(operation, amount=dispute.amount)), ended)
            try:
                await self.rows.end(change, dispute, outcome)
            except Stale:
                continue
            return change.after, ended
        raise _contended()

    async def finished(self, work: Coroutine[Any, Any, Done]) -> Done:
        """`work` to its end, even when the caller hangs up: money that was asked for must be written down."""
        task = asyncio.ensure_future(_undisturbed(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Until everything begun is finished; what is cut off all the same is taken up by a reconciler."""
        while self._running:
            await asyncio.wait(self._running)

    @staticmethod
    def _disputed(change: Change, dispute: Dispute) -> Change:
        answer = answers.dispute(change.after, dispute).SerializeToString()
        settled = replace(change.operation, answer=answer, settled_at=datetime.datetime.now(datetime.UTC))
        return dataclasses.replace(change, operation=settled)

    async def _first(self, one: Transaction, operation: Operation) -> tuple[Transaction, Operation]:
        """The first time that an authorization goes out."""
        try:
            return await self._authorization(one, operation, ours=one)
        except acquirer.NotSent:
            # Nothing ever left: this is a plain no, and the next attempt may find the acquirer up again.
            return await self._settle(operation, lambda now, it: changes.declined(now, it, "processing_error"))

    async def _authorization(
        self, one: Transaction, operation: Operation, ours: Transaction | None = None
    ) -> tuple[Transaction, Operation]:
        try:
            card = await self._cards.card(one, operation)
        except vault.Missing:
            # Not the holder's fault and never to be charged: the card was deleted.
            return await self._settle(operation, lambda now, it: changes.declined(now, it, "processing_error"))
        except vault.Unavailable:
            await self.rows.postpone(operation, datetime.timedelta())
            raise
        return await self._decided(
            operation, lambda: self._bank.authorize(one, operation, card), self._authorized, ours
        )

    async def _resume_authorization(
        self, one: Transaction, operation: Operation, *, again: bool
    ) -> tuple[Transaction, Operation]:
        try:
            found = await self._bank.inquire(operation)
            age = datetime.datetime.now(datetime.UTC) - operation.created_at
            if found is None and age >= self._abandon_after:
                await self._bank.reverse(operation)
                return await self._settle(operation, lambda now, it: changes.declined(now, it, "processing_error"))
        except acquirer.Unknown as error:
            return await self._doubted(operation, error)
        if found is not None:
            return await self._settle(operation, self._authorized(found))
        if again:
            return await self._authorization(one, operation)
        return await self._doubted(operation, acquirer.Unknown("the acquirer has not seen it (yet)"))

    async def _ask(
        self, one: Transaction, operation: Operation, ours: Transaction | None = None
    ) -> tuple[Transaction, Operation]:
        """A capture, void, expiry or refund: sent again under its key as often as need be."""
        if operation.kind == "capture":
            return await self._decided(operation, lambda: self._bank.capture(one, operation), _captured, ours)
        if operation.kind == "refund":
            return await self._decided(operation, lambda: self._bank.refund(one, operation), _refunded, ours)
        return await self._decided(operation, lambda: self._bank.void(one, operation), _released, ours)

    async def _decided(
        self,
        operation: Operation,
        ask: Callable[[], Awaitable[Any]],
        outcome: Callable[[Any], _Outcome],
        ours: Transaction | None,
    ) -> tuple[Transaction, Operation]:
        """Asks and writes the answer down. `ours`: the transaction, if we wrote it when we began the operation."""
        try:
            answer = await ask()
        except acquirer.Refused as refused:
            return await self._settle(operation, _failed(operation, refused))
        except acquirer.NotSent:
            if operation.kind == "authorize" and operation.attempts == 1:
                raise
            return await self._doubted(operation, acquirer.Unknown("the acquirer is not asked for a moment"))
        except acquirer.Unknown as error:
            return await self._doubted(operation, error)
        return await self._settle(operation, outcome(answer), ours=ours)

    def _authorized(self, answer: changes.Authorized) -> _Outcome:
        return lambda one, operation: changes.authorized(one, operation, answer)

    async def _doubted(self, operation: Operation, error: Exception) -> tuple[Transaction, Operation]:
        _log.warning("unknown: %s", error, extra={"operation": operation.id, "kind": operation.kind})
        pause = datetime.timedelta(seconds=min(_FIRST_PAUSE * 2 ** min(operation.attempts - 1, 20), _LAST_PAUSE))
        if operation.state == "unknown":
            await self.rows.postpone(operation, pause)
            return await self.found(operation.account_id, operation.transaction_id), operation
        return await self._settle(operation, changes.unknown, pause)

    async def _settle(
        self,
        operation: Operation,
        outcome: _Outcome,
        pause: datetime.timedelta = datetime.timedelta(),
        ours: Transaction | None = None,
    ) -> tuple[Transaction, Operation]:
        """Writes the outcome; when somebody else did meanwhile, theirs."""
        for _ in range(_RACES):
            # What we wrote ourselves is most often still so: then nothing need be read.
            one, now = (ours, operation) if ours else await self._current(operation)
            if not now.open or (pause and now.state == "unknown"):
                return one, now
            change = answers.kept(outcome(one, now))
            try:
                await self.rows.settle(change, pause)
            except Stale:
                ours = None
                continue
            return replace(change.after, version=one.version + 1), change.operation
        raise _contended()

    async def _current(self, operation: Operation) -> tuple[Transaction, Operation]:
        """Both as they are. The operation is read last: were it decided in between, the transaction's version tells."""
        one = await self.found(operation.account_id, operation.transaction_id)
        return one, await self.rows.operation_by_id(operation.id) or operation


_Outcome = Callable[[Transaction, Operation], Change]


def new_operation(
    kind: Any, account_id: str, transaction_id: str, request_id: str, parameters: bytes, amount: int, **more: Any
) -> Operation:
    """An operation that was asked for now."""
    now = datetime.datetime.now(datetime.UTC)
    values = (ids.new(_IDS.get(kind, "op")), transaction_id, account_id, kind, request_id, parameters, amount, now)
    return Operation(*values, **more)


def _expiry(one: Transaction, operation: Operation) -> Change:
    """Where money is held the acquirer must be told; elsewhere time alone ends it."""
    return changes.releasing(one, operation) if one.held else changes.released(one, operation, "")


def _captured(answer: acquirer.Done) -> _Outcome:
    return lambda one, operation: changes.captured(one, operation, answer.id)


def _released(answer: acquirer.Done) -> _Outcome:
    return lambda one, operation: changes.released(one, operation, answer.id)


def _refunded(answer: acquirer.Done) -> _Outcome:
    if answer.status == "failed":
        return lambda one, operation: changes.refund_failed(one, operation, "declined")
    return lambda one, operation: changes.refunded(one, operation, answer.id)


def _failed(operation: Operation, refused: acquirer.Refused) -> _Outcome:
    """The acquirer said no, in so many words."""
    _log.error("refused: %s", refused, extra={"operation": operation.id, "kind": operation.kind, "code": refused.code})
    if operation.kind == "authorize":
        return lambda one, now: changes.declined(one, now, "processing_error")
    if operation.kind == "expire":
        return lambda one, now: changes.released(one, now, "")
    decide = {"capture": changes.capture_failed, "void": changes.release_failed, "refund": changes.refund_failed}
    return lambda one, now: decide[operation.kind](one, now, refused.code)


async def _undisturbed(work: Coroutine[Any, Any, Done]) -> Done:
    deadlines.start(None)  # the caller's deadline is not the acquirer's
    return await work


def _contended() -> failures.Refused:
    message = "too many changes of this transaction at once; try again"
    return failures.Refused(grpc.StatusCode.ABORTED, failures.Failure("contended", "transaction_id", message))
