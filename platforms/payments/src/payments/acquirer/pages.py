"""The page where a card holder authenticates: plain HTML that needs no JavaScript and loads nothing."""

from __future__ import annotations

import html

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Authenticate your payment</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1.2rem;margin-right:.5rem}}</style></head>
<body><main><h1>{title}</h1><p>{text}</p>{form}</main></body></html>
"""

_FORM = """<form method="post">
<button name="answer" value="approve">Approve</button>
<button name="answer" value="fail">Fail</button>
</form>"""

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}
"""form-action is left open: the answer leads back to the merchant, wherever that is."""


def question(amount: str) -> str:
    """What the bank asks."""
    return _PAGE.format(
        title="Your bank asks", text=f"Do you approve this payment of {html.escape(amount)}?", form=_FORM
    )


def done(state: str) -> str:
    """Where there is nowhere to return to."""
    return _PAGE.format(
        title="Thank you", text=f"Authentication: {html.escape(state)}. You may close this page.", form=""
    )


def missing() -> str:
    return _PAGE.format(title="Nothing to authenticate", text="This address is unknown.", form="")
