"""Messages of the acquirer's API."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**13)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=10**13)]
Status = Literal["authorized", "captured", "declined", "requires_action", "voided"]
Kind = Literal["capture", "void", "refund"]
Outcome = Literal["succeeded", "failed"]


class Card(msgspec.Struct, frozen=True):
    number: Annotated[str, msgspec.Meta(pattern="^[0-9]{12,19}$")]
    exp_month: Annotated[int, msgspec.Meta(ge=1, le=12)]
    exp_year: int
    cvc: str = ""

    def __repr__(self) -> str:
        return f"Card(****{self.number[-4:]})"


class Authorize(msgspec.Struct, frozen=True):
    key: Key
    amount: Amount
    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]
    card: Card
    capture: bool = False
    off_session: bool = False
    authentication: str = ""
    descriptor: str = ""


class Capture(msgspec.Struct, frozen=True):
    key: Key
    amount: Positive
    final: bool = False


class Void(msgspec.Struct, frozen=True):
    key: Key


class Refund(msgspec.Struct, frozen=True):
    key: Key
    amount: Positive


class Reversal(msgspec.Struct, frozen=True):
    key: Key


class Authorization(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As the bank's book has it. `held` is what may still be captured."""

    id: str
    key: str
    status: Status
    amount: int
    captured: int
    refunded: int
    held: int
    currency: str
    last4: str
    created: int
    decline_code: str = ""
    authentication: str = ""
    authentication_url: str = ""
    network_transaction_id: str = ""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    key: str
    kind: Kind
    status: Outcome
    amount: int
    authorization: Authorization


class Reversed(msgspec.Struct, frozen=True):
    status: Literal["reversed", "nothing"]


class Event(msgspec.Struct, frozen=True):
    """Something the network tells the merchant; the same `id` twice is one event."""

    id: str
    number: int
    kind: Literal["dispute.opened"]
    authorization: str
    key: str
    amount: int
    reason: str


class Refused(Exception):
    """The bank's own "no", with its HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
