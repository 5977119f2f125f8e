"""What each event does to a transaction: pure functions from what is to what shall be, with the ledger's postings.

A change names the transaction it was computed from; the store applies it only to that version.
"""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from payments.transaction import fees, ledger, states
from payments.transaction.records import Operation, Transaction


@dataclasses.dataclass(frozen=True)
class Change:
    """One step, written by one statement."""

    before: Transaction
    after: Transaction
    operation: Operation
    postings: ledger.Postings = ()
    net: int = 0
    """Captured less fees: what becomes available to the merchant later."""

    def __post_init__(self) -> None:
        states.check(self.before.state, self.after.state)


@dataclasses.dataclass(frozen=True)
class Authorized:
    """The acquirer's answer to an authorization."""

    status: str
    """One of "authorized", "captured", "declined" or "requires_action"."""
    reference: str
    network_transaction_id: str = ""
    authentication_url: str = ""
    decline_code: str = ""


def authorized(one: Transaction, operation: Operation, answer: Authorized) -> Change:
    """The outcome of an authorization, whichever it is."""
    known = replace(
        one,
        acquirer_reference=answer.reference,
        network_transaction_id=answer.network_transaction_id,
        authentication_url=answer.authentication_url,
    )
    if answer.status == "declined":
        return declined(known, replace(operation, acquirer_reference=answer.reference), answer.decline_code, one)
    done = _done(operation, answer.reference)
    if answer.status == "requires_action":
        return Change(one, replace(known, state=states.REQUIRES_ACTION), done)
    if answer.status == "captured":
        fee = fees.fee(one.amount, one.currency)
        taken = replace(known, state=states.CAPTURED, authorized=one.amount, captured=one.amount, fee=fee)
        return Change(one, taken, done, ledger.capture(one.account_id, one.amount, fee), one.amount - fee)
    held = replace(known, state=states.AUTHORIZED, authorized=one.amount, held=one.amount)
    return Change(one, held, done, ledger.hold(one.account_id, one.amount))


def declined(one: Transaction, operation: Operation, decline_code: str, before: Transaction | None = None) -> Change:
    """Nothing is held and nothing will be; the ledger has nothing to say."""
    error, message = _DECLINES.get(decline_code, ("card_declined", "Your card was declined."))
    after = replace(one, state=states.DECLINED, error_code=error, decline_code=decline_code, message=message)
    # The operation did what it was for: it asked, and was answered.
    return Change(before or one, after, _done(operation, operation.acquirer_reference))


# Stripe's error code and words by decline code (https://docs.stripe.com/declines/codes).
_DECLINES = {
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "card_velocity_exceeded": (
        "card_declined",
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    "authentication_failed": (
        "payment_intent_authentication_failure",
        "The provided payment method has failed authentication.",
    ),
}


def capturing(one: Transaction, operation: Operation) -> Change:
    """The intent to capture: its amount is spoken for."""
    return Change(one, replace(one, capturing=one.capturing + operation.amount), operation)


def captured(one: Transaction, operation: Operation, reference: str) -> Change:
    amount = operation.amount
    total, left = one.captured + amount, one.held - amount
    fee = fees.fee(total, one.currency)
    # What another capture has spoken for meanwhile stays held, even if this one is called final.
    freed = left - (one.capturing - amount) if operation.final else 0
    after = replace(
        _certain(one, operation), state=states.CAPTURED, captured=total, fee=fee, held=left - freed,
        capturing=one.capturing - amount,
    )  # fmt: skip
    postings = (
        *ledger.release(one.account_id, amount + freed),
        *ledger.capture(one.account_id, amount, fee - one.fee),
    )
    return Change(one, after, _done(operation, reference), postings, amount - (fee - one.fee))


def capture_failed(one: Transaction, operation: Operation, failure: str) -> Change:
    after = replace(_certain(one, operation), capturing=one.capturing - operation.amount)
    return Change(one, after, replace(operation, state="failed", failure=failure))


def releasing(one: Transaction, operation: Operation) -> Change:
    """The intent to void or expire: nothing else may touch the hold."""
    return Change(one, replace(one, releasing=True), operation)


def released(one: Transaction, operation: Operation, reference: str) -> Change:
    """What was held is free; a payment that was captured in part stays captured."""
    ended = states.EXPIRED if operation.kind == "expire" else states.VOIDED
    state = one.state if one.state == states.CAPTURED else ended
    after = replace(_certain(one, operation), state=state, held=0, releasing=False)
    return Change(one, after, _done(operation, reference), ledger.release(one.account_id, one.held))


def release_failed(one: Transaction, operation: Operation, failure: str) -> Change:
    after = replace(_certain(one, operation), releasing=False)
    return Change(one, after, replace(operation, state="failed", failure=failure))


def refunding(one: Transaction, operation: Operation) -> Change:
    """The intent to refund: taken from the merchant first, so that two refunds never return one amount."""
    after = replace(one, refunding=one.refunding + operation.amount)
    return Change(one, after, operation, ledger.refund(one.account_id, operation.amount))


def refunded(one: Transaction, operation: Operation, reference: str) -> Change:
    amount = operation.amount
    certain = _certain(one, operation)
    after = replace(certain, refunding=one.refunding - amount, refunded=one.refunded + amount)
    return Change(one, after, _done(operation, reference), ledger.refunded(amount))


def refund_failed(one: Transaction, operation: Operation, failure: str) -> Change:
    amount = operation.amount
    after = replace(_certain(one, operation), refunding=one.refunding - amount)
    failed = replace(operation, state="failed", failure=failure)
    return Change(one, after, failed, ledger.refund_failed(one.account_id, amount))


def disputed(one: Transaction, operation: Operation) -> Change:
    after = replace(one, disputed=one.disputed + operation.amount)
    return Change(one, after, _done(operation, ""), ledger.dispute(one.account_id, operation.amount))


def dispute_won(one: Transaction, operation: Operation) -> Change:
    after = replace(one, disputed=one.disputed - operation.amount)
    return Change(one, after, _done(operation, ""), ledger.dispute_won(one.account_id, operation.amount))


def dispute_lost(one: Transaction, operation: Operation) -> Change:
    """The money is gone; it stays counted as disputed, so that it is not refunded too."""
    return Change(one, one, _done(operation, ""), ledger.dispute_lost(operation.amount))


def unknown(one: Transaction, operation: Operation) -> Change:
    """Asked, and no answer."""
    doubted = replace(operation, state="unknown")
    if operation.kind == "authorize":
        return Change(one, replace(one, state=states.UNKNOWN), doubted)
    return Change(one, replace(one, in_doubt=one.in_doubt + 1), doubted)


def _certain(one: Transaction, operation: Operation) -> Transaction:
    """Without the doubt that `operation` left."""
    return replace(one, in_doubt=one.in_doubt - 1) if operation.state == "unknown" else one


def _done(operation: Operation, reference: str) -> Operation:
    return replace(operation, state="succeeded", acquirer_reference=reference)
