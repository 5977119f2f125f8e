"""Rows as messages."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from msgspec.structs import replace

from payments.rpc import transaction_pb2 as pb
from payments.transaction import states
from payments.transaction.changes import Change
from payments.transaction.records import Dispute, Operation, Transaction
from payments.transaction.store import Entry

_SHARED = (
    "id", "account_id", "livemode", "reference", "amount", "authorized", "captured", "refunded", "disputed", "fee",
    "currency", "decline_code", "error_code", "message", "acquirer_reference", "authentication_url",
    "network_transaction_id", "card_token",
)  # fmt: skip


def transaction(one: Transaction) -> pb.Transaction:
    """With UNKNOWN where a later operation is in doubt: its amounts may not be the last word."""
    values: dict[str, Any] = {name: getattr(one, name) for name in _SHARED}
    message = pb.Transaction(state=pb.State.Value(states.UNKNOWN if one.in_doubt else one.state), **values)
    message.created_at.FromDatetime(one.created_at)
    message.expires_at.FromDatetime(one.expires_at)
    return message


def refund(one: Transaction, operation: Operation) -> pb.RefundTransfer:
    message = pb.RefundTransfer(
        id=operation.id, transaction_id=one.id, amount=operation.amount, currency=one.currency, state=operation.state,
        failure_reason=operation.failure, acquirer_reference=operation.acquirer_reference,
        reference=operation.reference,
    )  # fmt: skip
    message.created_at.FromDatetime(operation.created_at)
    return message


def dispute(one: Transaction, found: Dispute) -> pb.Dispute:
    message = pb.Dispute(
        id=found.id, transaction_id=one.id, amount=found.amount, currency=one.currency, state=found.state,
        reason=found.reason,
    )  # fmt: skip
    message.created_at.FromDatetime(found.created_at)
    return message


def entry(line: Entry) -> pb.Entry:
    message = pb.Entry(
        id=line.id, posting_id=line.posting_id, ledger_account=line.ledger_account, amount=line.amount,
        currency=line.currency, kind=line.kind, transaction_id=line.transaction_id,
    )  # fmt: skip
    message.created_at.FromDatetime(line.created_at)
    return message


def kept(change: Change) -> Change:
    """`change` with the answer that its operation will always give from now on."""
    operation = change.operation
    if operation.open:
        return change
    message = refund(change.after, operation) if operation.kind == "refund" else transaction(change.after)
    settled = datetime.datetime.now(datetime.UTC)
    return dataclasses.replace(
        change, operation=replace(operation, answer=message.SerializeToString(), settled_at=settled)
    )
