"""One request as handlers see it: whose it is, what it may, what it carries."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec

from payments.api.wire import errors, params
from payments.common import cards


class Tenant(NamedTuple):
    """Whose rows: an account, and its live or its test half. Nothing is ever read without it."""

    account_id: str
    livemode: bool


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that passed the gateway; `tree` is its form (a GET's query)."""

    tenant: Tenant
    method: str
    path: str
    tree: dict[str, Any]
    ids: dict[str, str] = {}
    """What the path names: {"id": "pi_…"}."""
    request_id: str = ""
    key: str = ""
    """Idempotency-Key; empty without."""
    kind: str = "secret"
    """The API key's: "secret", "publishable", "restricted"."""
    scopes: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        return self.ids["id"]

    def read(self, declared: params.Params) -> dict[str, Any]:
        return declared.read(self.tree)

    @property
    def publishable(self) -> bool:
        return self.kind == "publishable"

    def fingerprint(self) -> bytes:
        """The same for the same request; card data count by what may be shown of them (see `_plain`)."""
        said = msgspec.json.encode((self.method, self.path, self.tree), enc_hook=_plain, order="deterministic")
        return hashlib.sha256(said).digest()


def _plain(value: Any) -> str:
    # A digest over a whole card number could be searched for it: there are few numbers. So only what is stored in
    # clear anyhow goes in, the last four digits.
    if isinstance(value, (cards.Number, cards.Cvc)):
        return repr(value)
    raise NotImplementedError(type(value))


def allow(call: Call, resource: str, right: str, *, publishable: bool) -> None:
    """Raises 403 where the API key may not do this. `right` is "read" or "write"; writing includes reading."""
    if call.kind == "publishable":
        if not publishable:
            raise errors.forbidden(_PUBLISHABLE)
        return
    if call.kind == "secret" or "*" in call.scopes or f"{resource}:{right}" in call.scopes:
        return
    if right == "read" and f"{resource}:write" in call.scopes:
        return
    raise errors.forbidden(
        f"The provided key does not have the required permissions for this endpoint: having the '{resource}:{right}' "
        "permission would allow this request to continue."
    )


_PUBLISHABLE = "This API call cannot be made with a publishable API key. Please use a secret API key."


class Answer(NamedTuple):
    """What goes back."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


_encode = msgspec.json.Encoder().encode


def answer(document: Any, status: int = 200) -> Answer:
    return Answer(status, _encode(document))
