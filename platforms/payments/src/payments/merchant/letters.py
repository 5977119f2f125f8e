"""What merchant-service mails."""

from __future__ import annotations

from payments.merchant.store import merchants


class Letters:
    """Letters that name `public_url`, the platform's address for people."""

    def __init__(self, public_url: str) -> None:
        self._base = public_url.rstrip("/")

    def decision(self, merchant: merchants.Merchant, what: str, reason: str) -> merchants.Letter:
        """`what` happened to the account: "was approved"."""
        text = f"Hello,\n\nyour merchant account {merchant.name} ({merchant.id}) {what}.\n\n{reason}\n"
        return merchants.Letter(merchant.email, f"Your merchant account {what}", text)

    def invitation(self, merchant: merchants.Merchant, email: str, role: str, token: str) -> merchants.Letter:
        text = (
            f"Hello,\n\nyou are invited to work on the merchant account {merchant.name} as {role}.\n"
            f"Sign in at {self._base} and accept with this code:\n\n{token}\n\n"
            "(Programs send it as token to POST /merchants/invitations/accept.) It works once, for seven days.\n"
            "If you do not know what this is about, there is nothing to do.\n"
        )
        return merchants.Letter(email, f"Invitation to {merchant.name}", text)
