"""Double entry: what each event does to the accounts. Pure; every posting sums to zero.

Debit is positive, credit negative. Assets of the platform: what the acquirer owes (``acquirer:receivable``).
Liabilities: what it owes merchants (``merchant:acct_…:pending`` and ``:available``), money on its way back
(``acquirer:refunds``) and money in dispute (``acquirer:disputes``). Income: ``platform:fees``. A hold is no money yet:
it stands in two memorandum accounts (``acquirer:holds`` against ``merchant:acct_…:held``) until it is released.
"""

from __future__ import annotations

import dataclasses

HOLDS = "acquirer:holds"
RECEIVABLE = "acquirer:receivable"
REFUNDS = "acquirer:refunds"
DISPUTES = "acquirer:disputes"
FEES = "platform:fees"


def held(account_id: str) -> str:
    return f"merchant:{account_id}:held"


def pending(account_id: str) -> str:
    return f"merchant:{account_id}:pending"


def available(account_id: str) -> str:
    return f"merchant:{account_id}:available"


@dataclasses.dataclass(frozen=True)
class Posting:
    """An amount that moves between two accounts: a debit of one and a credit of the other."""

    kind: str
    debit: str
    credit: str
    amount: int


Postings = tuple[Posting, ...]


def _moved(kind: str, debit: str, credit: str, amount: int) -> Postings:
    return (Posting(kind, debit, credit, amount),) if amount else ()


def hold(account_id: str, amount: int) -> Postings:
    """An authorization: the issuer keeps `amount` for us."""
    return _moved("hold", HOLDS, held(account_id), amount)


def release(account_id: str, amount: int) -> Postings:
    """The other phase of a hold: captured, voided or run out."""
    return _moved("release", held(account_id), HOLDS, amount)


def capture(account_id: str, amount: int, fee: int) -> Postings:
    """Money that the acquirer will pay, owed to the merchant less the fee."""
    owed = pending(account_id)
    return _moved("capture", RECEIVABLE, owed, amount) + _moved("fee", owed, FEES, fee)


def settle(account_id: str, amount: int) -> Postings:
    """Captured money becomes available to the merchant."""
    return _moved("settlement", pending(account_id), available(account_id), amount)


def refund(account_id: str, amount: int) -> Postings:
    """First phase: taken from the merchant before the acquirer is asked."""
    return _moved("refund", available(account_id), REFUNDS, amount)


def refunded(amount: int) -> Postings:
    """Second phase: the acquirer paid it back to the card."""
    return _moved("refund", REFUNDS, RECEIVABLE, amount)


def refund_failed(account_id: str, amount: int) -> Postings:
    """Second phase: it came back to the merchant."""
    return _moved("reversal", REFUNDS, available(account_id), amount)


def dispute(account_id: str, amount: int) -> Postings:
    """The network takes the money until the dispute is decided."""
    return _moved("dispute", available(account_id), DISPUTES, amount)


def dispute_lost(amount: int) -> Postings:
    return _moved("dispute", DISPUTES, RECEIVABLE, amount)


def dispute_won(account_id: str, amount: int) -> Postings:
    return _moved("reversal", DISPUTES, available(account_id), amount)
