"""Asking transaction-service. An answer is an answer; a refusal is one too; anything else is *unknown*, never *failed*.

Every question carries a request id derived from what it is about, so asking again has no second effect.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any, NamedTuple, TypeVar

import grpc
import grpc.aio

from groundplan_runtime import callee
from payments.rpc import transaction_pb2 as pb
from payments.rpc import transaction_pb2_grpc

T = TypeVar("T")
_log = logging.getLogger(__name__)
TIMEOUT = 20.0
"""Seconds to wait for the acquirer's word before the caller is told "processing"."""

# With these the service says that it did nothing and never will for this request.
_REFUSALS = frozenset(
    (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    )
)
UNSETTLED = frozenset((pb.STATE_UNSPECIFIED, pb.PENDING, pb.UNKNOWN))


class Refused(Exception):
    """transaction-service will not do this."""

    def __init__(self, status: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unknown(NamedTuple):
    """Nobody knows yet. `transaction` is its id where that is known."""

    transaction: str = ""


class Transactions:
    """The calls that payment-api may make."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = transaction_pb2_grpc.TransactionsStub(channel)

    async def authorize(self, request: pb.AuthorizeRequest) -> pb.Transaction | Unknown:
        return _settled(await self._asked(self._stub.Authorize(request, timeout=TIMEOUT)))

    async def get(self, account_id: str, transaction: str) -> pb.Transaction | Unknown:
        """How it stands now."""
        request = pb.GetRequest(account_id=account_id, transaction_id=transaction)
        answer = _settled(await self._asked(self._stub.Get(request, timeout=TIMEOUT)))
        return Unknown(transaction) if isinstance(answer, Unknown) else answer

    async def capture(self, request: pb.CaptureRequest) -> pb.Transaction | Unknown:
        return _settled(await self._asked(self._stub.Capture(request, timeout=TIMEOUT)))

    async def void(self, request: pb.VoidRequest) -> pb.Transaction | Unknown:
        return _settled(await self._asked(self._stub.Void(request, timeout=TIMEOUT)))

    async def refund(self, request: pb.RefundRequest) -> pb.RefundTransfer | Unknown:
        answer: pb.RefundTransfer | None = await self._asked(self._stub.Refund(request, timeout=TIMEOUT))
        if answer is None or answer.state not in ("succeeded", "failed"):
            return Unknown()
        return answer

    async def balance(self, account_id: str, livemode: bool) -> pb.Balance:
        """Raises `callee.CallFailed`."""
        request = pb.GetBalanceRequest(account_id=account_id, livemode=livemode)
        answer: pb.Balance = await self._stub.GetBalance(request, timeout=TIMEOUT)
        return answer

    async def _asked(self, asking: Awaitable[T]) -> T | None:
        """The answer, None when there is none yet; raises `Refused`."""
        try:
            return await asking
        except callee.CallFailed as error:
            _log.warning("no answer yet: %s", error)
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSALS:
                raise Refused(error.code(), error.details() or "") from error
            # ABORTED: the first request with this id is still at work.
            level = logging.INFO if error.code() is grpc.StatusCode.ABORTED else logging.ERROR
            _log.log(level, "no answer: %s", error.details(), extra={"code": error.code().name})
        return None


def _settled(answer: pb.Transaction | None) -> pb.Transaction | Unknown:
    if answer is None:
        return Unknown()
    return Unknown(answer.id) if answer.state in UNSETTLED else answer
