"""Cards on their way to the wall: Tokenize, and the payment methods and tokens made of what comes back."""

from __future__ import annotations

import logging
import time
from typing import Any, NamedTuple

import grpc
import grpc.aio
import msgspec

from groundplan_runtime import callee
from payments.api import aliases, changes, kinds, store
from payments.api.objects import methods, rows
from payments.api.wire import calls, errors
from payments.common import failures, ids
from payments.rpc import tokenization_pb2 as pb
from payments.rpc import tokenization_pb2_grpc

_log = logging.getLogger(__name__)
_ALIAS_TOKENS = 4096
"""Aliases whose card token is remembered; the same test card needs no second row."""


class Choice(NamedTuple):
    """A payment method to use: a row, and the writes it needs if it is new."""

    row: rows.Row[methods.PaymentMethod]
    writes: tuple[changes.Write, ...] = ()


class Wallet:
    def __init__(self, channel: grpc.aio.Channel, found: store.Store) -> None:
        self._stub: Any = tokenization_pb2_grpc.TokenizationStub(channel)
        self._store = found
        self._aliased: dict[tuple[str, str], pb.Token] = {}

    async def tokenize(self, tenant: calls.Tenant, card: dict[str, Any], prefix: str) -> pb.Token:
        """The card behind the wall; raises 402 with the parameter under `prefix` that is wrong."""
        request = pb.TokenizeRequest(
            account_id=tenant.account_id,
            number=card["number"].reveal(),
            exp_month=card["exp_month"],
            exp_year=_century(card["exp_year"]),
            cvc=card["cvc"].reveal() if "cvc" in card else "",
            holder_name=card.get("name") or "",
        )
        try:
            answer: pb.Token = await self._stub.Tokenize(request)
        except grpc.aio.AioRpcError as error:
            raise _refused(error, prefix) from None
        return answer

    async def alias(self, tenant: calls.Tenant, name: str) -> pb.Token | None:
        """The card that a documented test name stands for."""
        number = None if tenant.livemode else aliases.number(name)
        if number is None:
            return None
        known = self._aliased.get((tenant.account_id, name))
        if known is None:
            month, year = aliases.EXPIRY
            known = await self.tokenize(tenant, {"number": number, "exp_month": month, "exp_year": year}, "card")
            if len(self._aliased) >= _ALIAS_TOKENS:
                self._aliased.pop(next(iter(self._aliased)))
            self._aliased[tenant.account_id, name] = known
        return known

    async def chosen(self, call: calls.Call, values: dict[str, Any]) -> Choice | None:
        """What `values` name as payment_method or bring as payment_method_data; None when neither."""
        if values.get("payment_method"):
            return await self.method(call.tenant, values["payment_method"])
        if "payment_method_data" in values:
            return await self.made(call.tenant, values["payment_method_data"], "payment_method_data")
        return None

    async def method(self, tenant: calls.Tenant, given: str, param: str = "payment_method") -> Choice:
        """The payment method called `given`, or a new one for a test card's name; raises 404."""
        card = await self.alias(tenant, given)
        if card is not None:
            return fresh(method(tenant, card, {}))
        found = await self._store.find(tenant, kinds.METHOD, given)
        if found is None:
            raise errors.missing("PaymentMethod", given, param)
        if found.state == "detached":
            errors.refuse(_DETACHED, param=param, code="payment_method_unexpected_state")
        return Choice(found)

    async def made(self, tenant: calls.Tenant, data: dict[str, Any], prefix: str) -> Choice:
        """A new payment method from `data` (see `fields.METHOD_DATA`)."""
        card, param = data.get("card"), f"{prefix}[card]" if prefix else "card"
        if card is None:
            errors.refuse(f"Missing required param: {param}.", param=param, code="parameter_missing")
        if "token" in card:
            return await self._of_token(tenant, card["token"], data, f"{param}[token]")
        whole(card, param)
        name = (data.get("billing_details") or {}).get("name")
        return fresh(method(tenant, await self.tokenize(tenant, card | {"name": name}, param), data))

    async def _of_token(self, tenant: calls.Tenant, given: str, data: dict[str, Any], param: str) -> Choice:
        card = await self.alias(tenant, given)
        if card is not None:
            return fresh(method(tenant, card, data))
        token = await self._store.find(tenant, kinds.TOKEN, given)
        if token is None:
            raise errors.missing("token", given, param)
        if token.object.used:
            errors.refuse(_USED.format(given), param=param, code="token_already_used")
        made = method_of_token(tenant, token, data)
        used = changes.along(kinds.TOKEN, token.with_(used=True), "use")
        return Choice(made, (changes.along(kinds.METHOD, made, "create"), used))


_USED = "You cannot use a Stripe token more than once: {}."
_DETACHED = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again."
)


def fresh(row: rows.Row[methods.PaymentMethod]) -> Choice:
    """A payment method that must be written with what uses it."""
    return Choice(row, (changes.along(kinds.METHOD, row, "create"),))


def _century(year: int) -> int:
    return 2000 + year if year < 100 else year


def whole(card: dict[str, Any], prefix: str) -> None:
    """Raises 400 where a number or its expiry is missing."""
    for name in ("number", "exp_month", "exp_year"):
        if name not in card:
            param = f"{prefix}[{name}]"
            errors.refuse(f"Missing required param: {param}.", param=param, code="parameter_missing")


def _refused(error: grpc.aio.AioRpcError, prefix: str) -> Exception:
    found = failures.of(error)
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT and found:
        first = found[0]
        return errors.Error(402, "card_error", first.message, code=first.code, param=f"{prefix}[{first.field}]")
    if error.code() is grpc.StatusCode.ABORTED:
        return errors.Busy()
    # Nothing of the request goes into the log: it carries a number.
    _log.error("tokenization-service failed", extra={"code": error.code().name})
    return callee.CalleeUnavailable("tokenization-service", f"Tokenize failed: {error.code().name}")


def checks(token: pb.Token) -> dict[str, Any]:
    verified = "unchecked" if token.has_cvc else None
    return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": verified}


def method(tenant: calls.Tenant, token: pb.Token, data: dict[str, Any]) -> rows.Row[methods.PaymentMethod]:
    """A new payment method for the card that `token` stands for."""
    card = methods.Card(
        brand=token.brand,
        checks=checks(token),
        country=None,
        display_brand=token.brand,
        exp_month=token.exp_month,
        exp_year=token.exp_year,
        fingerprint=token.fingerprint,
        funding=token.funding,
        last4=token.last4,
        networks={"available": [token.brand], "preferred": None},
    )
    return _method(tenant, card, token.id, data)


def _method(
    tenant: calls.Tenant, card: methods.Card, secret: str, data: dict[str, Any]
) -> rows.Row[methods.PaymentMethod]:
    one = methods.PaymentMethod(
        id=ids.new("pm"),
        allow_redisplay=data.get("allow_redisplay") or "unspecified",
        billing_details=billing(data.get("billing_details") or {}),
        card=card,
        created=int(time.time()),
        livemode=tenant.livemode,
        metadata=data.get("metadata") or {},
    )
    return rows.Row(tenant, one, rows.Inner(card=secret))


def billing(given: dict[str, Any], old: dict[str, Any] = methods.BILLING) -> dict[str, Any]:
    """billing_details, whole: `given` over `old`."""
    whole = old | {name: value for name, value in given.items() if name != "address"}
    return whole | {"address": old["address"] | (given.get("address") or {})}


def token(tenant: calls.Tenant, card: pb.Token, given: dict[str, Any]) -> rows.Row[methods.Token]:
    """A new token, in the older shape."""
    shown = methods.TokenCard(
        id=ids.new("card"),
        brand=_BRANDS.get(card.brand, "Unknown"),
        country=None,
        cvc_check="unchecked" if card.has_cvc else None,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint,
        funding=card.funding,
        last4=card.last4,
        **{name: value for name, value in given.items() if name.startswith("address_") or name == "name"},
    )
    one = methods.Token(id=ids.new("tok"), card=shown, created=int(time.time()), livemode=tenant.livemode)
    return rows.Row(tenant, one, rows.Inner(card=card.id))


_BRANDS = {
    "visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover",
    "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay",
}  # fmt: skip
_OF_NAMES = {name: brand for brand, name in _BRANDS.items()}


def method_of_token(
    tenant: calls.Tenant, token: rows.Row[methods.Token], data: dict[str, Any]
) -> rows.Row[methods.PaymentMethod]:
    """A payment method for the card that a tok_… holds."""
    old = token.object.card
    brand = _OF_NAMES.get(old.brand, "unknown")
    card = methods.Card(
        brand=brand,
        checks={"address_line1_check": None, "address_postal_code_check": None, "cvc_check": old.cvc_check},
        country=old.country,
        display_brand=brand,
        exp_month=old.exp_month,
        exp_year=old.exp_year,
        fingerprint=old.fingerprint,
        funding=old.funding,
        last4=old.last4,
        networks={"available": [brand], "preferred": None},
    )
    return _method(tenant, card, token.inner.card, data)


def details(one: methods.PaymentMethod) -> dict[str, Any]:
    """payment_method_details of a charge."""
    card = one.card
    shown = msgspec.structs.asdict(card)
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    more = {"installments": None, "mandate": None, "network": card.brand, "three_d_secure": None}
    return {"card": {name: shown[name] for name in kept} | more, "type": "card"}
