"""A stored object: its wire shape, what is ours alone, its version and whose it is."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

import msgspec

from payments.api.wire import calls

T = TypeVar("T", bound=msgspec.Struct)


class Secret(msgspec.Struct, frozen=True):
    """A signing secret; `expires_at` in Unix seconds, 0 for never."""

    value: str
    expires_at: int = 0

    def __repr__(self) -> str:
        return "Secret(****)"


class Inner(msgspec.Struct, frozen=True, omit_defaults=True):
    """What we know of an object and show to nobody."""

    attempt: int = 0
    """How often something outside was asked for this object; each attempt has a request id of its own."""
    transaction: str = ""
    """txn_… of the last authorization."""
    promise: str = ""
    """The promise being kept just now (see `flows`): nobody else may move the object meanwhile."""
    card: str = ""
    """card_… behind a payment method or token."""
    authentication: str = ""
    """Proof that the card holder authenticated, for the next authorization."""
    nonce: str = ""
    """What a page must bring back."""
    off_session: bool = False
    unanswered: bool = False
    """The promise was kept for so long without an answer that the request has ended."""
    reserved: int = 0
    """What refunds in progress will return, in minor units (part of amount_refunded)."""
    fee: int = 0
    """What captures of a charge have cost so far, in minor units."""
    return_url: str = ""
    """Where a card holder goes after authenticating."""
    session: str = ""
    """cs_… that an intent belongs to."""
    secrets: tuple[Secret, ...] = ()
    """With which a webhook endpoint's deliveries are signed."""
    intent: dict[str, Any] = {}
    """What a checkout session says of its payment intent."""
    items: tuple[dict[str, Any], ...] = ()
    """The line items of a checkout session."""


NOTHING = Inner()
inner = msgspec.json.Decoder(Inner).decode


@dataclasses.dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One row of one of the object tables; `version` and `state` are what the database has (0 and "": nothing)."""

    tenant: calls.Tenant
    object: T
    inner: Inner = NOTHING
    version: int = 0
    state: str = ""

    @property
    def id(self) -> str:
        return str(self.object.id)  # type: ignore[attr-defined]

    def with_(self, inner: dict[str, Any] | None = None, **changes: Any) -> Row[T]:
        """The row after a change; version and state stay what was read, because the guard compares with them."""
        changed = msgspec.structs.replace(self.object, **changes) if changes else self.object
        inside = msgspec.structs.replace(self.inner, **inner) if inner else self.inner
        return Row(self.tenant, changed, inside, self.version, self.state)

    def stored(self, state: str) -> Row[T]:
        """The row as it is once the change is committed."""
        return Row(self.tenant, self.object, self.inner, self.version + 1, state)


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a deleted object."""

    id: str
    object: str
    deleted: bool = True
