"""Stand-ins for tokenization-service and transaction-service: real gRPC servers, written from the protos.

They keep what idempotency needs (the same request id, one effect, the same answer) and can be told to go wrong:
``fakes.transactions.faults.append("lost")``. What each does with a card follows from its last four digits.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from groundplan_runtime import callee, clients
from payments.common import cards, failures, ids
from payments.rpc import tokenization_pb2, tokenization_pb2_grpc, transaction_pb2_grpc
from payments.rpc import transaction_pb2 as pb

DECLINES = {
    "0002": ("card_declined", "generic_decline"),
    "9995": ("card_declined", "insufficient_funds"),
    "0069": ("expired_card", "expired_card"),
    "0127": ("incorrect_cvc", "incorrect_cvc"),
    "0119": ("processing_error", "processing_error"),
}
CHALLENGED = ("3184", "3220", "3155")


class Tokenization(tokenization_pb2_grpc.TokenizationServicer):
    """Checks Luhn and length, and answers a token whose id ends in the last four digits."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        """Account and last four digits of each call."""

    async def Tokenize(self, request: tokenization_pb2.TokenizeRequest, context: Any) -> tokenization_pb2.Token:
        number = cards.Number(request.number.replace(" ", ""))
        if not number.reveal().isdigit() or not cards.luhn(number):
            failure = failures.Failure("incorrect_number", "number", "Your card number is incorrect.")
            await failures.abort(context, failures.Refused(grpc.StatusCode.INVALID_ARGUMENT, failure))
        self.seen.append((request.account_id, number.last4))
        return tokenization_pb2.Token(
            id=f"{ids.new('card')}{number.last4}",
            account_id=request.account_id,
            brand=cards.brand(number).name,
            last4=number.last4,
            bin=number.bin,
            exp_month=request.exp_month,
            exp_year=request.exp_year,
            fingerprint=f"fp{number.last4}{request.account_id}",
            funding=cards.funding(number),
            has_cvc=bool(request.cvc),
        )


@dataclasses.dataclass
class Faults:
    """What goes wrong with the next calls, in order: "lost" (done, but no answer), "down" (not done, no answer),
    "unknown" (the acquirer did not answer; it did it), "refused"."""

    waiting: list[str] = dataclasses.field(default_factory=list)

    def next(self) -> str:
        return self.waiting.pop(0) if self.waiting else ""


class Transactions(transaction_pb2_grpc.TransactionsServicer):
    """Holds, takes and returns money in memory."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.delay = 0.0
        self.by_request: dict[str, Any] = {}
        self.transactions: dict[str, pb.Transaction] = {}
        self.refunds: dict[str, pb.RefundTransfer] = {}
        self.calls: list[str] = []

    async def Authorize(self, request: pb.AuthorizeRequest, context: Any) -> pb.Transaction:
        fault = await self._begin("Authorize", context, request.request_id)
        known = self.by_request.get(request.request_id)
        if known is None:
            known = self.by_request[request.request_id] = self._authorized(request)
            self.transactions[known.id] = known
        return await self._answer(known, fault, context)

    def _authorized(self, request: pb.AuthorizeRequest) -> pb.Transaction:
        made = pb.Transaction(
            id=ids.new("txn"), account_id=request.account_id, livemode=request.livemode, reference=request.reference,
            amount=request.amount, currency=request.currency, card_token=request.card_token,
        )  # fmt: skip
        last4 = request.card_token[-4:]
        if last4 in CHALLENGED and request.authentication != "proof":
            made.state, made.authentication_url = pb.REQUIRES_ACTION, "https://bank.example/authenticate/1"
        elif last4 in DECLINES:
            made.state = pb.DECLINED
            made.error_code, made.decline_code = DECLINES[last4]
        else:
            made.state, made.authorized = pb.AUTHORIZED, request.amount
            if request.capture:
                self._take(made, request.amount)
        return made

    def _take(self, one: pb.Transaction, amount: int) -> None:
        one.state, one.captured = pb.CAPTURED, one.captured + amount
        one.fee = one.captured * 29 // 1000 + 30

    def expire(self, one: pb.Transaction) -> None:
        """The bank lets a hold go."""
        one.state, one.authorized = pb.EXPIRED, 0

    async def Capture(self, request: pb.CaptureRequest, context: Any) -> pb.Transaction:
        fault = await self._begin("Capture", context, request.request_id)
        one = self.transactions[request.transaction_id]
        if one.state == pb.EXPIRED:
            return one
        if request.request_id not in self.by_request:
            self._take(one, request.amount or one.authorized - one.captured)
            assert one.captured <= one.authorized, "captured more than was held"
            self.by_request[request.request_id] = pb.Transaction.FromString(one.SerializeToString())
        return await self._answer(self.by_request[request.request_id], fault, context)

    async def Void(self, request: pb.VoidRequest, context: Any) -> pb.Transaction:
        fault = await self._begin("Void", context, request.request_id)
        one = self.transactions[request.transaction_id]
        one.state = pb.VOIDED
        return await self._answer(one, fault, context)

    async def Refund(self, request: pb.RefundRequest, context: Any) -> pb.RefundTransfer:
        fault = await self._begin("Refund", context, request.request_id)
        one = self.transactions[request.transaction_id]
        if request.request_id not in self.refunds:
            one.refunded += request.amount
            assert one.refunded <= one.captured, "returned more than was taken"
            self.refunds[request.request_id] = pb.RefundTransfer(
                id=ids.new("rft"), transaction_id=one.id, amount=request.amount, currency=one.currency,
                state="succeeded", reference=request.reference,
            )  # fmt: skip
        answer = self.refunds[request.request_id]
        if fault == "lost":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
        if fault == "unknown":
            return pb.RefundTransfer(id=answer.id, transaction_id=one.id, amount=answer.amount, state="unknown")
        if fault == "failed":
            one.refunded -= request.amount
            answer.state, answer.failure_reason = "failed", "declined"
        return answer

    async def Get(self, request: pb.GetRequest, context: Any) -> pb.Transaction:
        self.calls.append("Get")
        found = self.transactions.get(request.transaction_id)
        if found is None or found.account_id != request.account_id:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such transaction")
        return found  # type: ignore[return-value]

    async def GetBalance(self, request: pb.GetBalanceRequest, context: Any) -> pb.Balance:
        mine = [one for one in self.transactions.values() if one.account_id == request.account_id]
        net = sum(one.captured - one.refunded - one.fee for one in mine if one.captured)
        return pb.Balance(available=[], pending=[pb.Money(amount=net, currency="usd")])

    async def _begin(self, name: str, context: Any, request_id: str) -> str:
        self.calls.append(f"{name} {request_id}")
        if self.delay:
            await asyncio.sleep(self.delay)
        fault = self.faults.next()
        if fault == "down":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        if fault == "refused":
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "refused")
        return fault

    async def _answer(self, one: pb.Transaction, fault: str, context: Any) -> pb.Transaction:
        if fault == "lost":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
        if fault == "unknown":
            unknown = pb.Transaction.FromString(one.SerializeToString())
            unknown.state, unknown.captured, unknown.authorized = pb.UNKNOWN, 0, 0
            return unknown
        return one


@dataclasses.dataclass(frozen=True)
class Fakes:
    tokenization: Tokenization
    transactions: Transactions
    cards: grpc.aio.Channel
    money: grpc.aio.Channel
    port: int

    @property
    def charged(self) -> int:
        """How many authorizations there ever were."""
        return len(self.transactions.transactions)


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Fakes]:
    """Both on one free port, and the runtime's channels to them."""
    server = grpc.aio.server()
    # What they leave out stays as generated: UNIMPLEMENTED.
    tokenization = Tokenization()  # type: ignore[abstract]
    transactions = Transactions()  # type: ignore[abstract]
    tokenization_pb2_grpc.add_TokenizationServicer_to_server(tokenization, server)
    transaction_pb2_grpc.add_TransactionsServicer_to_server(transactions, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    where = {f"{name}_SERVICE_GRPC_ADDRESS": f"127.0.0.1:{port}" for name in ("TOKENIZATION", "TRANSACTION")}
    # Breakers are one a process and name: a test that makes calls fail must not open them for the next.
    callee._breakers.clear()
    cards_channel = clients.grpc_channel("tokenization-service", environment=where, connections=1)
    money_channel = clients.grpc_channel("transaction-service", environment=where, connections=1)
    try:
        yield Fakes(tokenization, transactions, cards_channel, money_channel, port)
    finally:
        await cards_channel.close()
        await money_channel.close()
        await server.stop(None)
