"""Pages as values, and the headers that each carries."""

from __future__ import annotations

from typing import Any, NamedTuple

import jinja2


class Page(NamedTuple):
    status: int
    body: str
    location: str = ""


# Nothing runs and nothing loads; only the page's own style, and forms that go back here. Frames are refused, so that
# nobody can lay the page under his own. `form-action` also governs where an answer to a form may redirect.
_POLICY = (
    "default-src 'none'; style-src 'sha256-{style}'; img-src https:; form-action {targets}; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)

environment = jinja2.Environment(
    loader=jinja2.PackageLoader("payments.api.pages", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, status: int = 200, /, **values: Any) -> Page:
    return Page(status, environment.get_template(template).render(style=STYLE, **values))


def message(status: int, title: str, text: str) -> Page:
    return render("message.html", status, title=title, text=text)


def redirect(target: str) -> Page:
    return Page(303, "", target)


async def send(page: Page, send: Any) -> None:
    body = page.body.encode()
    head = [*_HEADERS, (b"content-security-policy", POLICY), (b"content-length", b"%d" % len(body))]
    if page.location:
        head.append((b"location", page.location.encode("ascii", "ignore")))
    await send({"type": "http.response.start", "status": page.status, "headers": head})
    await send({"type": "http.response.body", "body": body})


STYLE = environment.get_template("style.css").render()


def _policy() -> bytes:
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return _POLICY.format(style=digest, targets="'self' https: http:").encode()


POLICY = _policy()
