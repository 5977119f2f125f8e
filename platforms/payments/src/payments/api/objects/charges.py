"""charge and refund, and the balance_transaction that each leaves."""

from __future__ import annotations

from typing import Any

import msgspec

from payments.api.objects import defaults, methods


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "charge"
    amount: int
    amount_captured: int = 0
    amount_refunded: int = 0
    application: None = None
    application_fee: None = None
    application_fee_amount: None = None
    balance_transaction: str | None = None
    billing_details: dict[str, Any] = defaults.always(methods.BILLING)
    calculated_statement_descriptor: str | None = None
    captured: bool = False
    created: int
    currency: str
    customer: str | None = None
    description: str | None = None
    destination: None = None
    dispute: str | None = None
    disputed: bool = False
    failure_balance_transaction: None = None
    failure_code: str | None = None
    failure_message: str | None = None
    fraud_details: dict[str, Any] = {}
    livemode: bool
    metadata: dict[str, str] = {}
    on_behalf_of: None = None
    order: None = None
    outcome: dict[str, Any] | None = None
    paid: bool = False
    payment_intent: str | None = None
    payment_method: str | None = None
    payment_method_details: dict[str, Any] | None = None
    radar_options: dict[str, Any] = {}
    receipt_email: str | None = None
    receipt_number: None = None
    receipt_url: None = None
    refunded: bool = False
    review: None = None
    shipping: dict[str, Any] | None = None
    source: None = None
    source_transfer: None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    status: str
    transfer_data: None = None
    transfer_group: str | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "refund"
    amount: int
    balance_transaction: str | None = None
    charge: str
    created: int
    currency: str
    destination_details: dict[str, Any] | None = None
    failure_reason: str | None = msgspec.field(default=None)
    metadata: dict[str, str] = {}
    payment_intent: str | None = None
    pending_reason: str | None = None
    reason: str | None = None
    receipt_number: None = None
    source_transfer_reversal: None = None
    status: str = "pending"
    transfer_reversal: None = None


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "balance_transaction"
    amount: int
    available_on: int
    balance_type: str = "payments"
    created: int
    currency: str
    description: str | None = None
    exchange_rate: None = None
    fee: int = 0
    fee_details: list[dict[str, Any]] = []
    net: int
    reporting_category: str
    source: str
    status: str = "pending"
    type: str
