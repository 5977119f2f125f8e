"""What a card holder's bank said no with, in Stripe's words (https://docs.stripe.com/declines/codes)."""

from __future__ import annotations

from typing import Any

import msgspec

from payments.api.objects import methods
from payments.api.wire import errors
from payments.rpc import transaction_pb2 as pb

_MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
_UNAUTHENTICATED = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod "
    "to attempt to fulfill this intent again."
)
_PARAMS = {"expired_card": "exp_month", "incorrect_cvc": "cvc", "incorrect_number": "number"}
_CODES = frozenset(("expired_card", "incorrect_cvc", "incorrect_number", "processing_error", "authentication_required"))


def error(transaction: pb.Transaction, charge: str, method: methods.PaymentMethod) -> dict[str, Any]:
    """last_payment_error for what the acquirer declined."""
    decline = transaction.decline_code or transaction.error_code or "generic_decline"
    code = transaction.error_code or (decline if decline in _CODES else "card_declined")
    return _error(code, decline, transaction.message, charge, method)


def lost(charge: str | None, method: methods.PaymentMethod) -> dict[str, Any]:
    """For a payment that ended without taking money and without the bank's word."""
    return _error("processing_error", "processing_error", "", charge, method)


def unauthenticated(method: methods.PaymentMethod, code: str) -> dict[str, Any]:
    """`code` says of which kind of intent."""
    said = _error(code, None, _UNAUTHENTICATED, None, method)
    return said | {"type": "invalid_request_error"}


def _error(
    code: str, decline: str | None, message: str, charge: str | None, method: methods.PaymentMethod
) -> dict[str, Any]:
    said = {
        "charge": charge,
        "code": code,
        "decline_code": decline,
        "doc_url": f"{errors.DOCS}/{code.replace('_', '-')}",
        "message": message or _MESSAGES.get(decline or code) or _MESSAGES.get(code) or "Your card was declined.",
        "param": _PARAMS.get(code),
        "payment_method": msgspec.to_builtins(method),
        "type": "card_error",
    }
    return {name: value for name, value in said.items() if value is not None}


def told(said: dict[str, Any], noun: str, intent: Any) -> errors.Error:
    """402: the error as the answer, with the whole intent in it."""
    more = {name: said[name] for name in ("charge", "payment_method") if name in said}
    return errors.Error(
        402,
        said["type"],
        said["message"],
        code=said["code"],
        param=said.get("param"),
        decline_code=said.get("decline_code"),
        more=more | {noun: msgspec.to_builtins(intent)},
    )
