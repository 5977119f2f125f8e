"""Fetching a card from behind the wall, for the acquirer alone."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio

from groundplan_runtime import callee
from payments.common import cards
from payments.rpc import tokenization_pb2 as pb
from payments.rpc import tokenization_pb2_grpc
from payments.transaction import acquirer
from payments.transaction.records import Operation, Transaction


class Missing(Exception):
    """There is no such card (any more)."""


class Unavailable(Exception):
    """tokenization-service does not answer; nothing was sent to the acquirer."""


class Cards:
    """Cards by token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = tokenization_pb2_grpc.TokenizationStub(channel)

    async def card(self, one: Transaction, operation: Operation) -> acquirer.Card:
        """The card in the clear, with its CVC if that was not used before."""
        request = pb.DetokenizeRequest(
            account_id=one.account_id,
            token_id=one.card_token,
            purpose="authorization",
            reference=one.id,
            consume_cvc=True,
        )
        try:
            found: pb.DetokenizeResponse = await self._stub.Detokenize(request)
        except callee.CallFailed as error:
            raise Unavailable(str(error)) from None
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.DATA_LOSS):
                raise Missing(error.details()) from None
            raise Unavailable(f"Detokenize ended with {error.code().name}") from None
        return acquirer.Card(cards.Number(found.number), found.exp_month, found.exp_year, cards.Cvc(found.cvc))
