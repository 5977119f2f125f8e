"""Mail: what is sent, and the relay that takes it (RFC 5321, submission as in RFC 6409)."""

from __future__ import annotations

import dataclasses
import email.message
import email.policy
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import aiosmtplib

TIMEOUT = 15.0
"""Seconds that one mail may take."""


@dataclasses.dataclass(frozen=True)
class Mail:
    """One mail to one person, in plain text; `id` stays the same over tries, so that a duplicate can be told."""

    id: str
    to: str
    subject: str
    text: str


class Account(msgspec.Struct, frozen=True):
    """How we sign in at the relay; empty: we do not."""

    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Account(username={self.username!r})"


class Rejected(Exception):
    """The relay will never take this mail (a 5yz reply): trying again is of no use."""


class NotSent(Exception):
    """The relay did not take the mail this time."""


class Relay:
    """An SMTP server at `address` (host:port); `account` gives the secret's content, ``{"username", "password"}``."""

    def __init__(self, address: str, account: Callable[[], str], sender: str) -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"SMTP_ADDRESS must be host:port, such as smtp.example.com:587, not {address!r}")
        self._host, self._port = host.strip("[]"), int(port)
        self._account = account
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """Hands `mail` over; raises `Rejected` or `NotSent`."""
        import aiosmtplib  # a service that has nothing to mail need not wait for it

        client = aiosmtplib.SMTP(
            hostname=self._host, port=self._port, timeout=TIMEOUT
        )  # STARTTLS where the server offers it
        try:
            async with client:
                await self._sign_in(client)
                await client.send_message(self.message(mail), sender=self._sender, recipients=[mail.to])
        except aiosmtplib.SMTPRecipientsRefused as error:
            _refused(error.recipients[0].code, str(error))
        except aiosmtplib.SMTPResponseException as error:
            _refused(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(f"{self._host}:{self._port}: {error}") from error

    async def _sign_in(self, client: aiosmtplib.SMTP) -> None:
        account = msgspec.json.decode(self._account(), type=Account)
        if not account.username:
            return
        if client.get_transport_info("sslcontext") is None:
            raise NotSent(f"{self._host}:{self._port} offers no STARTTLS: the password is not sent in clear")
        await client.login(account.username, account.password)

    def message(self, mail: Mail) -> email.message.EmailMessage:
        """`mail` as it goes over the wire; a header with a line break in it raises ValueError."""
        message = email.message.EmailMessage(email.policy.SMTP)
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Message-ID"] = f"<{mail.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note should answer
        message.set_content(mail.text)
        return message


def _refused(code: int, words: str) -> None:
    # 535 is about our own password, not about the mail: it may be put right.
    if 500 <= code < 600 and code not in (530, 534, 535):
        raise Rejected(f"{code} {words}")
    raise NotSent(f"{code} {words}")
