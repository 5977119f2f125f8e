"""Asking the acquirer, over HTTP. Three kinds of answers: yes, no, and nobody knows.

A request that was answered with 5xx, with nothing or not in time may have been carried out: that is `Unknown`, never a
failure. Every request carries a key of ours, so it may be sent again.
"""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec

from groundplan_runtime import callee, clients
from payments.common import cards
from payments.transaction.changes import Authorized
from payments.transaction.records import Operation, Transaction

Reply = TypeVar("Reply")
_PAGE = 500
# They ask for another try, so they decide nothing.
_UNDECIDED = frozenset((408, 425, 429))


class Unknown(Exception):
    """No answer: it may have been done, now or later."""


class NotSent(Unknown):
    """No answer because nothing was sent (the breaker is open)."""


class Refused(Exception):
    """The acquirer's "no"; nothing was done."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclasses.dataclass(frozen=True)
class Card:
    """A card in the clear, on its way."""

    number: cards.Number
    exp_month: int
    exp_year: int
    cvc: cards.Cvc


class Listed(msgspec.Struct, frozen=True):
    """An authorization in the acquirer's book."""

    id: str
    key: str
    status: str
    amount: int
    captured: int
    refunded: int
    held: int
    currency: str
    decline_code: str = ""
    authentication_url: str = ""
    network_transaction_id: str = ""


class Done(msgspec.Struct, frozen=True):
    """A capture, void or refund."""

    id: str
    status: str


class Event(msgspec.Struct, frozen=True):
    """Something that the network says."""

    id: str
    number: int
    kind: str
    key: str
    amount: int
    reason: str


class _Error(msgspec.Struct, frozen=True):
    code: str
    message: str


class _Errors(msgspec.Struct, frozen=True):
    error: _Error


class _Reversed(msgspec.Struct, frozen=True):
    status: str


class _Book(msgspec.Struct, frozen=True):
    authorizations: tuple[Listed, ...]
    next: str | None


class _Events(msgspec.Struct, frozen=True):
    events: tuple[Event, ...]


class Acquirer:
    """The acquirer at the other end of `http`."""

    def __init__(self, http: clients.Http) -> None:
        self._http = http

    async def authorize(self, one: Transaction, operation: Operation, card: Card) -> Authorized:
        shown = {"number": card.number.reveal(), "exp_month": card.exp_month, "exp_year": card.exp_year}
        body = {
            "key": operation.id,
            "amount": one.amount,
            "currency": one.currency,
            "card": shown | ({"cvc": card.cvc.reveal()} if card.cvc else {}),
            "capture": operation.capture,
            "off_session": operation.off_session,
            "authentication": operation.authentication,
            "descriptor": operation.descriptor,
        }
        return _authorized(await self._post("/authorizations", body, Listed))

    async def inquire(self, operation: Operation) -> Authorized | None:
        """What became of an authorization; None when the acquirer never saw it."""
        try:
            return _authorized(await self._get("/authorizations", {"key": operation.id}, Listed))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def reverse(self, operation: Operation) -> None:
        """Undoes an authorization, now and should it arrive later: afterwards nothing is held or taken for it."""
        await self._post("/reversals", {"key": operation.id}, _Reversed)

    async def capture(self, one: Transaction, operation: Operation) -> Done:
        body = {"key": operation.id, "amount": operation.amount, "final": operation.final}
        return await self._post(f"/authorizations/{one.acquirer_reference}/captures", body, Done)

    async def void(self, one: Transaction, operation: Operation) -> Done:
        return await self._post(f"/authorizations/{one.acquirer_reference}/voids", {"key": operation.id}, Done)

    async def refund(self, one: Transaction, operation: Operation) -> Done:
        body = {"key": operation.id, "amount": operation.amount}
        return await self._post(f"/authorizations/{one.acquirer_reference}/refunds", body, Done)

    async def events(self, after: int) -> tuple[Event, ...]:
        return (await self._get("/events", {"after": after, "limit": _PAGE}, _Events)).events

    async def book(self) -> AsyncIterator[Listed]:
        """Everything that the acquirer ever authorized or declined for us, oldest first."""
        after: str | None = ""
        while after is not None:
            page = await self._get("/book", {"after": after, "limit": _PAGE}, _Book)
            for listed in page.authorizations:
                yield listed
            after = page.next

    async def _post(self, path: str, body: dict[str, Any], kind: type[Reply]) -> Reply:
        return await self._asked("POST", path, kind, body)

    async def _get(self, path: str, query: dict[str, Any], kind: type[Reply]) -> Reply:
        return await self._asked("GET", f"{path}?{urllib.parse.urlencode(query)}", kind)

    async def _asked(self, method: str, path: str, kind: type[Reply], body: Any = None) -> Reply:
        try:
            response = await self._http.request(method, path, json=body, idempotent=method == "GET")
        except callee.BreakerOpen as error:
            raise NotSent(str(error)) from None
        except callee.CallFailed as error:
            raise Unknown(str(error)) from None
        if response.status >= 500 or response.status in _UNDECIDED:
            raise Unknown(f"acquirer: {method} {path} was answered with {response.status}")
        return _read(response.status, response.content, kind)


def _read(status: int, content: bytes, kind: type[Reply]) -> Reply:
    try:
        if status < 300:
            return msgspec.json.decode(content, type=kind)
        error = msgspec.json.decode(content, type=_Errors).error
    except msgspec.MsgspecError as broken:
        # Whatever this is (a proxy's page?), it is no word of the acquirer's.
        raise Unknown(f"acquirer: an answer of status {status} that is not of its API: {broken}") from None
    raise Refused(status, error.code, error.message)


def _authorized(listed: Listed) -> Authorized:
    said = (listed.network_transaction_id, listed.authentication_url, listed.decline_code)
    return Authorized(listed.status, listed.id, *said)
