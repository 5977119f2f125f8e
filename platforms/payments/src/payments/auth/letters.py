"""What auth-service mails."""

from __future__ import annotations

from payments.auth.store import people


class Letters:
    """Letters with links to `public_url`, the platform's address for people."""

    def __init__(self, public_url: str) -> None:
        self._base = public_url.rstrip("/")

    def welcome(self, token: str) -> people.Letter:
        """Without the name: whoever registers writes it, and could write to a stranger in our name."""
        link = f"{self._base}/auth/verify?token={token}"
        return people.Letter(
            "Confirm your address",
            f"Hello,\n\nconfirm that this address is yours and your account is ready:\n\n{link}\n\n"
            f"The link works once, for 24 hours. Programs send its token to POST /auth/verify.\n"
            f"If you did not ask for this, there is nothing to do.\n",
        )

    def known(self) -> people.Letter:
        return people.Letter(
            "You have an account already",
            "Hello,\n\nsomebody (you?) tried to register with this address, which has an account.\n"
            "If you forgot your password, ask for a new one at the sign-in page, or with POST /auth/password/forgot.\n"
            "If it was not you, there is nothing to do.\n",
        )

    def forgot(self, token: str) -> people.Letter:
        link = f"{self._base}/auth/password/reset?token={token}"
        return people.Letter(
            "Set a new password",
            f"Hello,\n\nset a new password here:\n\n{link}\n\n"
            "The link works once, for an hour. Programs send its token to POST /auth/password/reset.\n"
            "If you did not ask for this, there is nothing to do: your password stays as it is.\n",
        )
