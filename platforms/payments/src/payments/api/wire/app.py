"""The ASGI app of /v1: reads the form, knows the caller from the gateway's headers, finds the handler, tells errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from groundplan_runtime import callee, current, deadlines, http
from payments.api.wire import calls, errors, form, routes

MAX_BODY = 1 << 20
"""Bytes of a request's body; far more than 1,000 parameters need."""
MAX_KEY = 255
"""Characters of an Idempotency-Key."""
_log = logging.getLogger(__name__)
_JSON = (b"content-type", b"application/json")
Pages = Callable[[Any, Any, Any], Awaitable[None]]


class App:
    """`pages` answers /checkout/*, which has no API key."""

    def __init__(self, table: routes.Table, pages: Pages) -> None:
        self._table = table
        self._pages = pages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/checkout/"):
            await self._pages(scope, receive, send)
            return
        answer = await self._answer(scope, receive)
        head = [_JSON, (b"content-length", b"%d" % len(answer.body)), *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Any, receive: Any) -> calls.Answer:
        try:
            return await self._handled(scope, receive)
        except errors.Error as error:
            return calls.Answer(error.status, error.encoded())
        except deadlines.DeadlineExceeded:
            return _told(errors.Error(504, "api_error", "The request took too long; what it began is being finished."))
        except callee.CalleeUnavailable as error:
            _log.warning("%s", error)
            return _told(errors.unavailable())
        except Exception:
            _log.exception("unexpected error")
            return _told(errors.internal())

    async def _handled(self, scope: Any, receive: Any) -> calls.Answer:
        found = self._table.find(scope["method"], scope["path"])
        if found.route is None:
            raise _unknown(scope, found)
        route = found.route
        scope["route_template"] = route.path
        headers = dict(scope["headers"])
        raw = scope["query_string"] if route.method in ("GET", "DELETE") else await body(scope, receive)
        _form_only(headers, raw, route.method)
        call = _call(scope, headers, found.ids, form.parse(raw))
        calls.allow(call, route.resource, route.right, publishable=route.publishable)
        return await route.handler(call)


def told(problem: http.Problem) -> http.Json:
    """What the runtime refuses before we see it (an unknown workload), in our shape."""
    kind = "invalid_request_error" if problem.status < 500 else "api_error"
    error = errors.Error(problem.status, kind, problem.detail or problem.title, code=problem.code or None)
    return http.Json({"error": error.body()}, problem.status, problem.headers)


def _told(error: errors.Error) -> calls.Answer:
    return calls.Answer(error.status, error.encoded())


def _unknown(scope: Any, found: routes.Found) -> errors.Error:
    said = f"Unrecognized request URL ({scope['method']}: {scope['path'][:200]})."
    if found.allowed:
        return errors.Error(405, "invalid_request_error", f"{said} This URL takes {', '.join(found.allowed)}.")
    return errors.Error(404, "invalid_request_error", said)


def _call(scope: Any, headers: dict[bytes, bytes], ids: dict[str, str], tree: form.Tree) -> calls.Call:
    return calls.Call(
        tenant=tenant(headers),
        method=scope["method"],
        path=scope["path"],
        tree=tree,
        ids=ids,
        request_id=current.request_id.get() or headers.get(b"x-request-id", b"").decode("latin-1"),
        key=_key(headers.get(b"idempotency-key", b"")) if scope["method"] == "POST" else "",
        kind=headers.get(b"x-key-kind", b"").decode("latin-1"),
        scopes=frozenset(headers.get(b"x-scopes", b"").decode("latin-1").split(",")),
    )


def tenant(headers: dict[bytes, bytes]) -> calls.Tenant:
    """Whose request the gateway says it is; raises 401 without."""
    account = headers.get(b"x-account-id", b"").decode("latin-1")
    livemode = headers.get(b"x-livemode", b"")
    if not account or livemode not in (b"true", b"false"):
        raise errors.unauthenticated(_NO_KEY)
    return calls.Tenant(account, livemode == b"true")


_NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
)


def _key(raw: bytes) -> str:
    try:
        key = raw.decode()
    except UnicodeDecodeError:
        raise errors.Error(400, "idempotency_error", "Idempotency-Key must be UTF-8 text.") from None
    if len(key) > MAX_KEY:
        raise errors.Error(400, "idempotency_error", f"Idempotency-Key may have {MAX_KEY} characters at most.")
    return key


async def body(scope: Any, receive: Any) -> bytes:
    """The whole body; raises 413 past `MAX_BODY`."""
    received = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.invalid("The request ended before its body was complete.")
        chunk: bytes = message.get("body", b"")
        received = received + chunk if received else chunk
        if len(received) > MAX_BODY:
            raise errors.Error(413, "invalid_request_error", f"The body may have {MAX_BODY} bytes at most.")
        if not message.get("more_body"):
            return received


def _form_only(headers: dict[bytes, bytes], raw: bytes, method: str) -> None:
    given = headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()
    if method != "GET" and raw and given not in (b"", b"application/x-www-form-urlencoded"):
        shown = given.decode("latin-1")[:100]
        said = f"Invalid content type: {shown}. Send application/x-www-form-urlencoded."
        raise errors.Error(400, "invalid_request_error", said)
