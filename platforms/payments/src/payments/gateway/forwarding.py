"""What goes on to a backend and what comes back: headers taken off and put on, bodies within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from payments.gateway import shapes

LARGEST_BODY = 10 << 20
"""Bytes of a request's body at most (the ingress says the same: 10Mi)."""

# RFC 9110, 7.6.1: they are about one connection. Host and length are the client's to say anew.
_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
# What only the gateway may say; a request that brings it lies. Backends learn who asks, never the credential itself.
_OURS = frozenset(
    (
        b"x-user-id",
        b"x-session-id",
        b"x-roles",
        b"x-account-id",
        b"x-livemode",
        b"x-key-id",
        b"x-key-kind",
        b"x-scopes",
        b"x-request-id",
        b"x-workload-token",
        b"x-request-timeout-ms",
        b"x-real-ip",
        b"forwarded",
        b"traceparent",
        b"tracestate",
        b"authorization",
        b"proxy-authorization",
        b"proxy-authenticate",
        b"host",
        b"content-length",
        b"accept-encoding",
    )
)
_DROPPED = _HOP | _OURS
_FORWARDED = b"x-forwarded-"

_NOT_RETURNED = _HOP | {b"content-length", b"date", b"server", b"x-request-id"}

SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
]
_NO_STORE = (b"cache-control", b"no-store")
# Pages bring their own, which fit them; JSON is not rendered.
_FOR_PAGES = (
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def sent(headers: Iterable[tuple[bytes, bytes]], more: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers for the backend: those from outside that are the client's to say, and ours (`more`)."""
    named = _connection(headers)
    kept = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        # An underscore may become a dash further on: x_user_id must not turn into what it resembles.
        if not (name in _DROPPED or name.startswith(_FORWARDED) or b"_" in name or name in named)
    ]
    kept.extend(more)
    return kept


def returned(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """The headers for the client; a backend that says nothing about caching, or a page nothing about framing, gets
    the strict answer."""
    kept = [
        (key, value.encode("latin-1"))
        for name, value in headers
        if (key := name.lower().encode("latin-1")) not in _NOT_RETURNED
    ]
    said = dict(kept)
    if b"cache-control" not in said:
        kept.append(_NO_STORE)
    if said.get(b"content-type", b"").startswith(b"text/html"):
        kept.extend(default for default in _FOR_PAGES if default[0] not in said)
    return kept


def _connection(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """The headers that ``Connection`` names as being for this hop alone."""
    for name, value in headers:
        if name == b"connection":
            return frozenset(part.strip().lower() for part in value.split(b","))
    return frozenset()


def client_address(peer: str, forwarded_for: bytes, hops: int) -> str:
    """Who asks: the peer, or what the first of `hops` trusted proxies saw. Anybody can write the rest of the header."""
    if hops == 0:
        return peer
    seen = [part.strip().decode("latin-1") for part in forwarded_for.split(b",") if part.strip()]
    return seen[-hops][:45] if len(seen) >= hops else peer


async def body(headers: dict[bytes, bytes], receive: Any, seconds: float) -> bytes:
    """The request's body, whole; raises `shapes.Refused` where it is too large, broken off, or takes too long."""
    declared = headers.get(b"content-length")
    if declared is None and b"transfer-encoding" not in headers:
        return b""
    if declared is not None and (not declared.isdigit() or int(declared) > LARGEST_BODY):
        raise _too_large()
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive)
    except TimeoutError:
        words = f"The body did not arrive within {seconds:.0f} seconds."
        raise shapes.Refused(408, words, headers={"connection": "close"}) from None


async def _read(receive: Any) -> bytes:
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        whole: bytes = message.get("body", b"")
        if len(whole) > LARGEST_BODY:
            raise _too_large()
        return whole
    received = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise shapes.Refused(400, "The body was broken off.")
        received += message.get("body", b"")
        if len(received) > LARGEST_BODY:
            raise _too_large()
        if not message.get("more_body"):
            return bytes(received)
        message = await receive()


def _too_large() -> shapes.Refused:
    # The rest of the body is not read, so the connection cannot be used again.
    words = f"The body may have {LARGEST_BODY} bytes at most."
    return shapes.Refused(413, words, "content_too_large", {"connection": "close"})
