"""Charges and balance transactions that an answer of the acquirer leaves."""

from __future__ import annotations

import time
from typing import Any

from payments.api import changes, kinds, wallet
from payments.api.objects import charges, intents, methods, rows
from payments.common import ids
from payments.rpc import transaction_pb2 as pb

SETTLES_AFTER = 2 * 24 * 3600
"""Seconds until taken money is available; what the books of transaction-service say is in /v1/balance."""


def charge(
    intent: rows.Row[intents.PaymentIntent], method: methods.PaymentMethod, transaction: pb.Transaction, **said: Any
) -> rows.Row[charges.Charge]:
    """The charge that an authorization left, taken, held or failed as `said`."""
    one = intent.object
    made = charges.Charge(
        amount=one.amount,
        billing_details=method.billing_details,
        created=int(time.time()),
        currency=one.currency,
        customer=one.customer,
        description=one.description,
        livemode=one.livemode,
        metadata=one.metadata,
        payment_intent=one.id,
        payment_method=method.id,
        payment_method_details=_details(method, said.get("failure_code")),
        receipt_email=one.receipt_email,
        shipping=one.shipping,
        statement_descriptor=one.statement_descriptor,
        statement_descriptor_suffix=one.statement_descriptor_suffix,
        transfer_group=one.transfer_group,
        **({"id": ids.new("ch")} | said),
    )
    return rows.Row(intent.tenant, made, rows.Inner(transaction=transaction.id))


def _details(method: methods.PaymentMethod, failure: str | None) -> dict[str, Any]:
    said = wallet.details(method)
    if said["card"]["checks"].get("cvc_check") == "unchecked":
        verified = "fail" if failure == "incorrect_cvc" else "pass"
        said["card"]["checks"] = said["card"]["checks"] | {"cvc_check": verified}
    return said


APPROVED = {
    "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 0,
    "seller_message": "Payment complete.", "type": "authorized",
}  # fmt: skip


def declined(decline: str | None) -> dict[str, Any]:
    return APPROVED | {
        "network_status": "declined_by_network",
        "reason": decline,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def taken(intent: intents.PaymentIntent, source: str, amount: int, fee: int) -> charges.BalanceTransaction:
    """Money that came in: `amount` and `fee` in minor units."""
    now = int(time.time())
    details = {
        "amount": fee,
        "application": None,
        "currency": intent.currency,
        "description": "Processing fees",
        "type": "stripe_fee",
    }
    return charges.BalanceTransaction(
        id=ids.new("txn"),
        amount=amount,
        available_on=now + SETTLES_AFTER,
        created=now,
        currency=intent.currency,
        description=intent.description,
        fee=fee,
        fee_details=[details] if fee else [],
        net=amount - fee,
        reporting_category="charge",
        source=source,
        type="charge",
    )


def returned(refund: charges.Refund) -> charges.BalanceTransaction:
    """Money that went back; fees do not."""
    now = int(time.time())
    return charges.BalanceTransaction(
        id=ids.new("txn"),
        amount=-refund.amount,
        available_on=now,
        created=now,
        currency=refund.currency,
        description="REFUND FOR CHARGE",
        net=-refund.amount,
        reporting_category="refund",
        source=refund.id,
        status="available",
        type="refund",
    )


def recorded(row: rows.Row[Any], one: charges.BalanceTransaction) -> changes.Write:
    return changes.along(kinds.BALANCE, rows.Row(row.tenant, one), "create")
