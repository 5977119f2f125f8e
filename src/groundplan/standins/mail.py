"""A mail relay: ``python -m groundplan.standins.mail --smtp=HOST:PORT --http=HOST:PORT --data=DIR``.

Takes every message and delivers none. ``GET /messages`` lists them: sender, recipients, subject, text.
"""

from __future__ import annotations

import datetime
import email
import email.message
import email.policy
import pathlib

from aiosmtpd import controller, smtp

from groundplan.standins import arguments, shelf, web


class Catcher:
    """aiosmtpd's handler."""

    def __init__(self, kept: shelf.Shelf) -> None:
        self._kept = kept

    async def handle_DATA(self, server: smtp.SMTP, session: smtp.Session, envelope: smtp.Envelope) -> str:
        self._kept.add(_message(envelope))
        return "250 kept"


def _message(envelope: smtp.Envelope) -> dict[str, object]:
    content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    body = parsed.get_body(("plain", "html"))
    subject = str(parsed.get("Subject", ""))
    return {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "summary": f"{', '.join(envelope.rcpt_tos)}: {subject}",
        "from": envelope.mail_from or "",
        "to": list(envelope.rcpt_tos),
        "subject": subject,
        "text": body.get_content() if isinstance(body, email.message.EmailMessage) else "",
    }


def main() -> None:
    given = arguments.parse(("smtp", "http", "data"))
    folder = pathlib.Path(given.data)
    folder.mkdir(parents=True, exist_ok=True)
    kept = shelf.Shelf(folder / "messages.jsonl")
    host, _, port = given.smtp.rpartition(":")
    relay = controller.Controller(Catcher(kept), hostname=host, port=int(port))
    relay.start()
    web.serve(web.Server(given.http, kept, "messages", "Mail", web.Handler), relay.stop)


if __name__ == "__main__":
    main()
