"""The gRPC face: messages in, messages out; numbers are wrapped before anything else touches them."""

from __future__ import annotations

from typing import NoReturn

import grpc

from groundplan_runtime import current
from payments.common import failures
from payments.rpc import tokenization_pb2 as pb
from payments.rpc import tokenization_pb2_grpc
from payments.tokenization import checks, envelope, store, vault

MAX_BATCH = 1000
"""Most data keys wrapped anew in one call (and one database transaction)."""
_DEFAULT_BATCH = 200


class Servicer(tokenization_pb2_grpc.TokenizationServicer):
    """payments.tokenization.v1.Tokenization."""

    def __init__(self, cards: vault.Vault) -> None:
        self._vault = cards

    @failures.answered
    async def Tokenize(self, request: pb.TokenizeRequest) -> pb.Token:
        _wanted(request.account_id, "account_id")
        expiry = (request.exp_month, request.exp_year)
        checked = checks.check(request.number, *expiry, request.cvc, request.holder_name, vault.today())
        if isinstance(checked, tuple):
            raise failures.Refused(grpc.StatusCode.INVALID_ARGUMENT, *checked)
        try:
            return _token(await self._vault.tokenize(request.account_id, checked))
        except vault.Contended:
            failures.refuse(grpc.StatusCode.ABORTED, "contended", "number", "This card is being deleted; try again.")

    @failures.answered
    async def Detokenize(self, request: pb.DetokenizeRequest) -> pb.DetokenizeResponse:
        _wanted(request.purpose, "purpose")
        _wanted(request.reference, "reference")
        values = (request.account_id, request.token_id, current.caller.get(), request.purpose, request.reference)
        try:
            opened = await self._vault.open(store.Access(*values, request.consume_cvc))
        except envelope.Unreadable as error:
            failures.refuse(grpc.StatusCode.DATA_LOSS, "card_unreadable", "token_id", str(error))
        return _opened(opened) if opened else _not_found(request.token_id)

    @failures.answered
    async def GetMetadata(self, request: pb.GetMetadataRequest) -> pb.Token:
        found = await self._vault.metadata(request.account_id, request.token_id)
        return _token(found) if found else _not_found(request.token_id)

    @failures.answered
    async def Delete(self, request: pb.DeleteRequest) -> pb.DeleteResponse:
        return pb.DeleteResponse(deleted=await self._vault.delete(request.account_id, request.token_id))

    @failures.answered
    async def RotateKeys(self, request: pb.RotateKeysRequest) -> pb.RotateKeysResponse:
        batch = min(request.batch or _DEFAULT_BATCH, MAX_BATCH)
        if batch < 0:
            failures.refuse(grpc.StatusCode.INVALID_ARGUMENT, "invalid_batch", "batch", "batch must be 1 or more")
        rewrapped, remaining, active = await self._vault.rotate(batch)
        return pb.RotateKeysResponse(rewrapped=rewrapped, remaining=remaining, active_version=active)


def _wanted(value: str, field: str) -> None:
    if not value:
        failures.refuse(grpc.StatusCode.INVALID_ARGUMENT, "parameter_missing", field, f"{field} must be given")


def _not_found(token_id: str) -> NoReturn:
    failures.refuse(grpc.StatusCode.NOT_FOUND, "resource_missing", "token_id", f"No such card token: '{token_id}'")


def _token(found: vault.Metadata) -> pb.Token:
    token, card = found.token, found.token.card
    message = pb.Token(
        id=token.id,
        account_id=token.account_id,
        brand=card.brand,
        last4=card.last4,
        bin=card.bin,
        exp_month=token.exp_month,
        exp_year=token.exp_year,
        fingerprint=card.fingerprint,
        funding=card.funding,
        holder_name=found.holder_name,
        has_cvc=found.has_cvc,
    )
    message.created_at.FromDatetime(token.created_at)
    return message


def _opened(opened: vault.Opened) -> pb.DetokenizeResponse:
    return pb.DetokenizeResponse(
        number=opened.number.reveal(),
        exp_month=opened.exp_month,
        exp_year=opened.exp_year,
        cvc=opened.cvc.reveal(),
        holder_name=opened.holder_name,
    )
