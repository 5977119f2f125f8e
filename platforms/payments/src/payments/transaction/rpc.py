"""The gRPC face: checks requests, makes operations of them, and answers with rows as messages."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any, NoReturn

import grpc
import msgspec

from payments.common import failures, ids, money
from payments.rpc import transaction_pb2 as pb
from payments.rpc import transaction_pb2_grpc
from payments.transaction import answers, changes, desk, disputes, ledger, reconciler, states, vault
from payments.transaction.records import Kind, Operation, Transaction
from payments.transaction.store import Store

MAX_PAGE = 100
_DEFAULT_PAGE = 20
_GONE = (states.VOIDED, states.EXPIRED, states.DECLINED)


class Servicer(transaction_pb2_grpc.TransactionsServicer):
    """payments.transaction.v1.Transactions."""

    def __init__(
        self, rows: Store, work: desk.Desk, objections: disputes.Disputes, settling: reconciler.Reconciler
    ) -> None:
        self._rows = rows
        self._desk = work
        self._disputes = objections
        self._reconciler = settling

    @failures.answered
    async def Authorize(self, request: pb.AuthorizeRequest) -> pb.Transaction:
        _wanted(request, "request_id", "account_id", "reference", "card_token")
        _priced(request)
        one = _transaction(request)
        asked = {"capture": request.capture, "off_session": request.off_session, "reference": request.reference,
                 "authentication": request.authentication, "descriptor": request.statement_descriptor}  # fmt: skip
        operation = _operation("authorize", request, one.id, request.amount, **asked)
        try:
            return _told(*await self._desk.authorize(one, operation))
        except vault.Unavailable as error:
            failures.refuse(grpc.StatusCode.UNAVAILABLE, "cards_unavailable", "card_token", str(error))

    @failures.answered
    async def Capture(self, request: pb.CaptureRequest) -> pb.Transaction:
        _wanted(request, "request_id", "account_id", "transaction_id")
        _not_negative(request.amount)
        operation = _operation("capture", request, request.transaction_id, request.amount, final=request.final)

        def decide(one: Transaction) -> changes.Change:
            _decided(one)
            amount = request.amount or one.capturable
            if one.state not in (states.AUTHORIZED, states.CAPTURED) or not 0 < amount <= one.capturable:
                _refuse("amount_too_large", f"{one.capturable} of '{one.id}' can be captured, not {amount}", "amount")
            return changes.capturing(one, _sized(operation, amount))

        return _told(*await self._desk.begin(request.account_id, operation, decide))

    @failures.answered
    async def Void(self, request: pb.VoidRequest) -> pb.Transaction:
        _wanted(request, "request_id", "account_id", "transaction_id")
        operation = _operation("void", request, request.transaction_id, 0, reason=request.reason)
        gone = await self._gone(operation)
        if gone is not None:
            return answers.transaction(gone)

        def decide(one: Transaction) -> changes.Change:
            _decided(one)
            if one.state == states.REQUIRES_ACTION or (one.state == states.AUTHORIZED and not one.held):
                return changes.released(one, operation, "")
            if one.state != states.AUTHORIZED or one.capturing or one.releasing:
                _refuse("not_voidable", f"'{one.id}' cannot be voided: it is {one.state.lower()}", "transaction_id")
            return changes.releasing(one, operation)

        return _told(*await self._desk.begin(request.account_id, operation, decide))

    @failures.answered
    async def Refund(self, request: pb.RefundRequest) -> pb.RefundTransfer:
        _wanted(request, "request_id", "account_id", "transaction_id")
        asked = {"reference": request.reference, "reason": request.reason}
        operation = _operation("refund", request, request.transaction_id, request.amount, **asked)

        def decide(one: Transaction) -> changes.Change:
            _decided(one)
            if not 0 < request.amount <= one.refundable:
                text = f"{one.refundable} of '{one.id}' can be refunded, not {request.amount}"
                _refuse("amount_too_large", text, "amount")
            return changes.refunding(one, operation)

        one, done = await self._desk.begin(request.account_id, operation, decide)
        return pb.RefundTransfer.FromString(done.answer) if done.answer else answers.refund(one, done)

    @failures.answered
    async def Get(self, request: pb.GetRequest) -> pb.Transaction:
        if request.transaction_id:
            return answers.transaction(await self._desk.found(request.account_id, request.transaction_id))
        one = await self._rows.latest(request.account_id, request.reference)
        if one is None:
            message = f"No transaction for '{request.reference}'"
            failures.refuse(grpc.StatusCode.NOT_FOUND, "resource_missing", "reference", message)
        return answers.transaction(one)

    @failures.answered
    async def List(self, request: pb.ListRequest) -> pb.ListResponse:
        limit = _limit(request.limit)
        if request.state and request.state not in states.GRAPH:
            _invalid("state", f"state must be one of {', '.join(filter(None, states.GRAPH))}")
        rows = await self._rows.page(request.account_id, request.after, request.state, limit + 1)
        return pb.ListResponse(transactions=map(answers.transaction, rows[:limit]), has_more=len(rows) > limit)

    @failures.answered
    async def RecordDispute(self, request: pb.RecordDisputeRequest) -> pb.Dispute:
        _wanted(request, "request_id", "account_id", "transaction_id")
        _not_negative(request.amount)
        if request.outcome not in disputes.OUTCOMES:
            _invalid("outcome", 'outcome must be "", "won" or "lost"')
        operation = _operation("dispute", request, request.transaction_id, request.amount, reason=request.reason)
        done = await self._disputes.record(request.account_id, operation, request.reason, request.outcome)
        if isinstance(done, Operation):
            await self._desk.repeated(operation)
            return pb.Dispute.FromString(done.answer or b"")
        return answers.dispute(*done)

    @failures.answered
    async def GetBalance(self, request: pb.GetBalanceRequest) -> pb.Balance:
        _wanted(request, "account_id")
        account = request.account_id
        names = {
            ledger.available(account): "available",
            ledger.pending(account): "pending",
            ledger.held(account): "held",
        }
        answer = pb.Balance()
        for name, currency, amount in await self._rows.balance(list(names), request.livemode):
            # Liabilities stand on the credit side; the merchant sees them as his.
            getattr(answer, names[name]).add(amount=-amount, currency=currency)
        return answer

    @failures.answered
    async def ListEntries(self, request: pb.ListEntriesRequest) -> pb.ListEntriesResponse:
        _wanted(request, "account_id")
        limit = _limit(request.limit)
        wanted = (request.account_id, request.livemode, request.after, limit + 1, request.transaction_id)
        rows = await self._rows.entries(*wanted)
        return pb.ListEntriesResponse(entries=map(answers.entry, rows[:limit]), has_more=len(rows) > limit)

    @failures.answered
    async def Reconcile(self, request: pb.ReconcileRequest) -> pb.ReconcileResponse:
        limit = request.limit or reconciler.BATCH
        _not_negative(limit)
        examined, settled = await self._reconciler.doubts(min(limit, 10 * reconciler.BATCH), now=True)
        await self._reconciler.events()
        return pb.ReconcileResponse(
            examined=examined, settled=settled, still_unknown=await self._rows.open_operations()
        )

    async def _gone(self, operation: Operation) -> Transaction | None:
        """The transaction, when nothing of it is held any more and this is no repeated request."""
        one = await self._desk.found(operation.account_id, operation.transaction_id)
        if one.state not in _GONE:
            return None
        return one if await self._rows.operation(operation.account_id, "void", operation.request_id) is None else None


def _transaction(request: pb.AuthorizeRequest) -> Transaction:
    now = datetime.datetime.now(datetime.UTC)
    owner = (ids.new("txn"), request.account_id, request.livemode, request.reference, request.card_token)
    return Transaction(*owner, request.currency, now, now, request.amount)


def _operation(kind: Kind, request: Any, transaction_id: str, amount: int, **asked: Any) -> Operation:
    parameters = hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=16).digest()
    owner = (request.account_id, transaction_id, request.request_id)
    return desk.new_operation(kind, *owner, parameters, amount, **asked)


def _sized(operation: Operation, amount: int) -> Operation:
    return msgspec.structs.replace(operation, amount=amount)


def _told(one: Transaction, operation: Operation) -> pb.Transaction:
    """What was told at the end, or how it stands; a refusal of the acquirer's is one of ours."""
    if operation.state == "failed":
        _refuse(operation.failure, f"the acquirer refused the {operation.kind}: {operation.failure}", "transaction_id")
    if operation.answer:
        return pb.Transaction.FromString(operation.answer)
    return answers.transaction(one)


def _priced(request: pb.AuthorizeRequest) -> None:
    """Zero verifies a card without holding anything."""
    found = []
    if not 0 <= request.amount <= money.MAX_AMOUNT:
        message = f"amount must be from 0 to {money.MAX_AMOUNT}, not {request.amount}"
        found.append(failures.Failure("invalid_amount", "amount", message))
    if request.currency not in money.EXPONENTS:
        found.append(failures.Failure("invalid_currency", "currency", str(money.UnknownCurrency(request.currency))))
    if not request.amount and request.capture:
        found.append(failures.Failure("invalid_amount", "capture", "a verification of amount 0 captures nothing"))
    if found:
        raise failures.Refused(grpc.StatusCode.INVALID_ARGUMENT, *found)


def _wanted(request: Any, *fields: str) -> None:
    missing = [field for field in fields if not getattr(request, field)]
    if missing:
        found = (failures.Failure("parameter_missing", field, f"{field} must be given") for field in missing)
        raise failures.Refused(grpc.StatusCode.INVALID_ARGUMENT, *found)


def _decided(one: Transaction) -> None:
    if one.state in states.UNDECIDED:
        message = f"the outcome of '{one.id}' is not known yet; ask again in a moment"
        failures.refuse(grpc.StatusCode.ABORTED, "transaction_unsettled", "transaction_id", message)


def _not_negative(amount: int) -> None:
    if amount < 0:
        _invalid("amount", f"must not be negative: {amount}")


def _limit(asked: int) -> int:
    if asked < 0:
        _invalid("limit", f"limit must be from 1 to {MAX_PAGE}")
    return min(asked or _DEFAULT_PAGE, MAX_PAGE)


def _refuse(code: str, message: str, field: str) -> NoReturn:
    failures.refuse(grpc.StatusCode.FAILED_PRECONDITION, code, field, message)


def _invalid(field: str, message: str) -> NoReturn:
    failures.refuse(grpc.StatusCode.INVALID_ARGUMENT, f"invalid_{field}", field, message)
