"""What every HTTP request passes: identity, ids, deadline, errors, metrics and its log line, in one layer.

One layer instead of a middleware for each, because on a service that answers in 60 µs every further
layer is felt.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from groundplan_runtime import callee, contract, current, deadlines, http, identity, listeners, logs, metrics, traces

_log = logging.getLogger(__name__)

_TOKEN = contract.WORKLOAD_TOKEN_HEADER.encode()
_REQUEST_ID = contract.REQUEST_ID_HEADER.encode()
_TIMEOUT = deadlines.HEADER.encode()

Render = Callable[[http.Problem], Response]


class Front:
    """The outermost layer of a service's HTTP port."""

    def __init__(
        self,
        app: listeners.Application,
        *,
        gate: identity.Gate | None,
        counted: metrics.Http,
        access: logs.AccessLog,
        render: Render = http.problem_details,
    ) -> None:
        self._app = app
        self._gate = gate
        self._counted = counted
        self._access = access
        self._render = render

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = time.perf_counter()
        headers = dict(scope["headers"])
        current.request_id.set(current.accepted_request_id(_text(headers.get(_REQUEST_ID))))
        deadlines.start(deadlines.parse(headers.get(_TIMEOUT)))
        answer = _Answer(send)
        traceparent, state = _text(headers.get(b"traceparent")), _text(headers.get(b"tracestate")) or ""
        try:
            if traces.recording():
                with traces.server_span(scope["method"], traceparent, state) as span:
                    await self._serve(scope, receive, answer, headers)
                    self._describe(span, scope, answer.status)
            else:
                traces.begin(traceparent, state)
                await self._serve(scope, receive, answer, headers)
        finally:
            self._finish(scope, answer.status, time.perf_counter() - started)

    async def _serve(self, scope: Any, receive: Any, answer: _Answer, headers: dict[bytes, bytes]) -> None:
        scope["app"] = self  # Starlette's routers then raise 404 and 405 instead of answering in plain text
        try:
            if self._gate is not None:
                current.caller.set(self._gate.http(_text(headers.get(_TOKEN)), scope["method"], scope["path"]))
            await self._app(scope, receive, answer.send)
        except Exception as error:
            if answer.status:
                raise  # the answer has begun: all that is left is to break the connection off
            await self._render(problem(error))(scope, receive, answer.send)

    def _describe(self, span: traces.Span, scope: Any, status: int) -> None:
        span.name = f"{scope['method']} {_route(scope)}"
        span.set(**{"http.request.method": scope["method"], "http.route": _route(scope)})
        span.set(**{"http.response.status_code": status})
        if status >= 500:
            span.error = str(status)

    def _finish(self, scope: Any, status: int, seconds: float) -> None:
        route, method = _route(scope), scope["method"]
        self._counted.answered(method if method in _METHODS else "other", route, status, seconds)
        self._access.http(method, scope["path"], route, status, seconds)


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class _Answer:
    """Sends, and remembers the status."""

    __slots__ = ("_send", "status")

    def __init__(self, send: Any) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                (_REQUEST_ID, current.request_id.get().encode()),
            ]
        await self._send(message)


def problem(error: Exception) -> http.Problem:
    """What the caller is told about `error`; the unexpected is logged here and told as 500 without detail."""
    if isinstance(error, http.Problem):
        return error
    if isinstance(error, HTTPException):
        return http.Problem(error.status_code, error.detail, headers=error.headers)
    if isinstance(error, identity.Unauthenticated):
        return http.Problem(401, "Unauthorized", str(error), code="unauthenticated")
    if isinstance(error, identity.Forbidden):
        return http.Problem(403, "Forbidden", str(error), code="forbidden")
    return _from_below(error)


def _from_below(error: Exception) -> http.Problem:
    if isinstance(error, deadlines.DeadlineExceeded):
        return http.Problem(504, "Gateway Timeout", "the time allowed for this request is over", code="deadline")
    if isinstance(error, callee.CalleeUnavailable):
        _log.warning("%s", error)
        retry = {"retry-after": str(max(1, round(error.retry_after)))}
        return http.Problem(
            503, "Service Unavailable", "a needed service does not answer", code="unavailable", headers=retry
        )
    _log.error("unexpected error", exc_info=error)
    return http.Problem(500, "Internal Server Error", code="internal")


def _route(scope: Any) -> str:
    """The matched route's template; an ASGI app of its own may say it in ``scope["route_template"]``."""
    route = scope.get("route")
    if route is not None:
        return str(getattr(route, "path_format", "") or getattr(route, "path", "mounted"))
    return str(scope.get("route_template", "unmatched"))


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
