"""The two pages that links in mails lead to. They work without JavaScript, and opening one changes nothing:
mail scanners follow links."""

from __future__ import annotations

import html

from starlette.responses import HTMLResponse

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # the address holds a token
    "cache-control": "no-store",
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}}
input,button{{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin:.25rem 0 1rem}}</style></head>
<body><main><h1>{title}</h1>{content}</main></body></html>
"""

_CONFIRM = """<form method="post" action="/auth/verify"><input type="hidden" name="token" value="{token}">
<button>Yes, this address is mine</button></form>"""

_RESET = """{note}<form method="post" action="/auth/password/reset"><input type="hidden" name="token" value="{token}">
<label for="password">New password, {least} characters or more</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="{least}" required>
<button>Set it</button></form>"""


def confirm(token: str) -> HTMLResponse:
    return _page("Confirm your address", _CONFIRM.format(token=html.escape(token)))


def reset(token: str, least: int, note: str = "", status: int = 200) -> HTMLResponse:
    """Asks for a password of `least` characters; `note` says why it asks again."""
    said = f'<p role="alert">{html.escape(note)}</p>' if note else ""
    return _page("Set a new password", _RESET.format(token=html.escape(token), least=least, note=said), status)


def message(title: str, words: str, status: int = 200) -> HTMLResponse:
    return _page(title, f"<p>{html.escape(words)}</p>", status)


def _page(title: str, content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=html.escape(title), content=content), status, _HEADERS)
