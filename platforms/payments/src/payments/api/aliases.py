"""Names for test cards, as Stripe documents them (https://docs.stripe.com/testing): pm_card_visa, tok_visa, …

They are known in test mode alone. The numbers are published test numbers of no account.
"""

from __future__ import annotations

from payments.common import cards

_NUMBERS = {
    "visa": "4242424242424242",
    "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444",
    "mastercard_debit": "5200828282828210",
    "mastercard_prepaid": "5105105105105100",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "diners": "3056930009020004",
    "jcb": "3566002020360505",
    "unionpay": "6200000000000005",
    "visa_chargeDeclined": "4000000000000002",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedLostCard": "4000000000009987",
    "visa_chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "chargeCustomerFail": "4000000000000341",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "threeDSecure2Required": "4000000000003220",
    "createDispute": "4000000000000259",
}
METHODS = {f"pm_card_{name}": number for name, number in _NUMBERS.items()}
TOKENS = {f"tok_{name}": number for name, number in _NUMBERS.items()}
EXPIRY = (12, 2034)
"""Month and year that all of them carry."""


def number(alias: str) -> cards.Number | None:
    """The number that `alias` stands for."""
    found = METHODS.get(alias) or TOKENS.get(alias)
    return cards.Number(found) if found else None
