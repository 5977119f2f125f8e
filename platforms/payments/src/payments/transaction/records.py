"""A transaction and the operations on it, as rows hold them. Structs, since each step makes several anew."""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec

from payments.transaction import states

Kind = Literal["authorize", "capture", "void", "expire", "refund", "dispute"]
OpState = Literal["pending", "unknown", "succeeded", "failed"]


class Transaction(msgspec.Struct, frozen=True):
    """Amounts are in minor units. Of `authorized`, `held` may still be captured and `captured` was."""

    id: str
    account_id: str
    livemode: bool
    reference: str
    card_token: str
    currency: str
    created_at: datetime.datetime
    expires_at: datetime.datetime
    amount: int
    state: str = states.NEW
    version: int = 0
    authorized: int = 0
    held: int = 0
    capturing: int = 0
    captured: int = 0
    refunding: int = 0
    refunded: int = 0
    disputed: int = 0
    fee: int = 0
    releasing: bool = False
    in_doubt: int = 0
    decline_code: str = ""
    error_code: str = ""
    message: str = ""
    acquirer_reference: str = ""
    authentication_url: str = ""
    network_transaction_id: str = ""

    @property
    def capturable(self) -> int:
        return 0 if self.releasing else self.held - self.capturing

    @property
    def refundable(self) -> int:
        return self.captured - self.refunded - self.refunding - self.disputed


class Operation(msgspec.Struct, frozen=True):
    """Something that was asked for; `id` is the key that the acquirer knows it by."""

    id: str
    transaction_id: str
    account_id: str
    kind: Kind
    request_id: str
    parameters: bytes
    amount: int
    created_at: datetime.datetime
    capture: bool = False
    final: bool = False
    off_session: bool = False
    authentication: str = ""
    descriptor: str = ""
    reference: str = ""
    reason: str = ""
    state: OpState = "pending"
    failure: str = ""
    acquirer_reference: str = ""
    answer: bytes | None = None
    settled_at: datetime.datetime | None = None
    attempts: int = 1

    @property
    def open(self) -> bool:
        return self.state in ("pending", "unknown")


class Dispute(msgspec.Struct, frozen=True):
    """A card holder's objection."""

    id: str
    transaction_id: str
    account_id: str
    amount: int
    state: Literal["open", "won", "lost"]
    reason: str
    created_at: datetime.datetime
