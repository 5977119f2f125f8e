"""A request's way through: route, room, credential, rate, body, backend."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from groundplan_runtime import clients, current, deadlines
from payments.gateway import credentials, forwarding, limits, matching, routes, shapes

_log = logging.getLogger(__name__)

TIMEOUT = 30.0
"""Seconds that a request may take in all."""


class Policy(msgspec.Struct, frozen=True):
    """How many requests may come, and from where."""

    rates: Mapping[str, limits.Limit]
    in_flight: int
    proxy_hops: int


class Local(msgspec.Struct, frozen=True):
    """What the gateway answers by itself, by path."""

    health: Any
    openapi: bytes


class Gateway:
    """The ASGI app."""

    def __init__(
        self,
        table: matching.Table,
        backends: Mapping[str, clients.Http],
        who: credentials.Credentials,
        limited: limits.Limits,
        policy: Policy,
        local: Local,
    ) -> None:
        self._table = table
        self._backends = backends
        self._who = who
        self._limits = limited
        self._policy = policy
        self._local = local
        self._in_flight = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Ours, whatever id came from outside: ids from outside could be made to look like somebody else's.
        request_id = current.new_request_id()
        current.request_id.set(request_id)
        self._in_flight += 1
        try:
            reply = await self._reply(scope, receive)
        except shapes.Refused as refused:
            reply = shapes.reply(refused, scope["path"], request_id)
        finally:
            self._in_flight -= 1
        await _send(scope, send, reply, request_id)

    async def _reply(self, scope: Any, receive: Any) -> shapes.Reply:
        if self._in_flight > self._policy.in_flight:
            raise shapes.Refused(503, "Too many requests at once: try again in a moment.", "overloaded", _SOON)
        try:
            with deadlines.within(TIMEOUT):
                return await self._served(_Request(scope, receive, self._policy.proxy_hops))
        except deadlines.DeadlineExceeded as error:
            _log.warning("%s", error)
            raise shapes.Refused(504, "The request took too long; it may still be done.", "timeout") from None
        except clients.CalleeUnavailable as error:
            return _unavailable(error)
        except clients.CallFailed as error:
            _log.error("%s", error)
            raise shapes.Refused(503, _AWAY, "unavailable", _SOON) from None

    async def _served(self, request: _Request) -> shapes.Reply:
        route = self._route(request)
        request.scope["route_template"] = route.path
        who, limit, caller = await self._admit(route, request)
        verdict = await self._limits.take(limit, caller)
        told = limits.headers(limit, verdict)
        if not verdict.admitted:
            raise _too_many(verdict, told)
        answer = await self._forward(route, request, who)
        answer.headers.extend(told)
        return answer

    def _route(self, request: _Request) -> routes.Route:
        found = self._table.find(request.path)
        if found is None:
            raise shapes.Refused(404, f"Unrecognized request URL ({request.method}: {request.scope['path']}).")
        route = found.get(request.method) or (found.get("GET") if request.method == "HEAD" else None)
        if route is None:
            words = f"{request.method} is not allowed at {route_path(found)}."
            raise shapes.Refused(405, words, headers={"allow": ", ".join(sorted(found))})
        return route

    async def _admit(self, route: routes.Route, request: _Request) -> tuple[credentials.Headers, limits.Limit, str]:
        """Who asks, and the bucket that pays."""
        if route.access == "none":
            return (), self._policy.rates[route.rate], request.address
        try:
            if route.access == "jwt":
                user = await self._who.user(request.authorization)
                return user.headers, self._policy.rates[route.rate], user.user_id
            key = await self._who.key(request.authorization)
        except shapes.Refused:
            await self._guessed(request)
            raise
        if key.publishable and not route.publishable:
            raise shapes.Refused(403, _PUBLISHABLE, "secret_key_required")
        return key.headers, self._policy.rates["api_live" if key.livemode else "api_test"], key.account_id

    async def _guessed(self, request: _Request) -> None:
        """Counts a credential that was refused: guessing is limited by address."""
        limit = self._policy.rates["refused"]
        verdict = await self._limits.take(limit, request.address)
        if not verdict.admitted:
            raise _too_many(verdict, limits.headers(limit, verdict))

    async def _forward(self, route: routes.Route, request: _Request, who: credentials.Headers) -> shapes.Reply:
        if route.backend == "gateway":
            return await self._answer(route)
        content = await forwarding.body(request.headers, request.receive, TIMEOUT)
        answer = await self._backends[route.backend].request(
            request.method,
            request.target,
            headers=forwarding.sent(request.scope["headers"], (*who, *request.forwarded())),
            content=content or None,
            # A POST with an idempotency key has one effect however often it comes: the payment API sees to that.
            idempotent=request.method in ("GET", "HEAD") or (route.access == "api_key" and request.has_key),
        )
        return shapes.Reply(answer.status, forwarding.returned(answer.headers.items()), answer.content)

    async def _answer(self, route: routes.Route) -> shapes.Reply:
        content = msgspec.json.encode(await self._local.health()) if route.path == "/health" else self._local.openapi
        return shapes.Reply(200, forwarding.returned([("content-type", "application/json")]), content)


class _Request:
    """What of the ASGI scope is looked at more than once."""

    __slots__ = ("address", "authorization", "has_key", "headers", "method", "path", "receive", "scope", "target")

    def __init__(self, scope: Any, receive: Any, hops: int) -> None:
        self.scope = scope
        self.receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.method: str = scope["method"]
        self.path: str = scope["raw_path"].decode("latin-1")
        query: bytes = scope["query_string"]
        self.target = f"{self.path}?{query.decode('latin-1')}" if query else self.path
        self.authorization = self.headers.get(b"authorization", b"").decode("latin-1")
        self.has_key = b"idempotency-key" in self.headers
        peer = scope["client"][0] if scope.get("client") else ""
        self.address = forwarding.client_address(peer, self.headers.get(b"x-forwarded-for", b""), hops)
        if hops == 0:
            self.headers.pop(b"x-forwarded-proto", None)

    def forwarded(self) -> tuple[tuple[str, str], ...]:
        """From where and to what name the request came."""
        scheme = self.headers.get(b"x-forwarded-proto", self.scope["scheme"].encode())
        host = self.headers.get(b"host", b"")
        return (
            ("x-forwarded-for", self.address),
            ("x-forwarded-proto", scheme.decode("latin-1")),
            ("x-forwarded-host", host.decode("latin-1")),
        )


def route_path(found: Mapping[str, routes.Route]) -> str:
    """The path that these routes share."""
    return next(iter(found.values())).path


async def _send(scope: Any, send: Any, reply: shapes.Reply, request_id: str) -> None:
    content = b"" if scope["method"] == "HEAD" else reply.body
    length = str(len(reply.body)).encode()
    ours = [(b"request-id", request_id.encode()), *forwarding.SECURITY]
    if reply.status != 204:
        ours.append((b"content-length", length))
    await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, *ours]})
    await send({"type": "http.response.body", "body": content})


def _unavailable(error: clients.CalleeUnavailable) -> shapes.Reply:
    _log.warning("%s", error)
    if error.response is not None:  # it says so itself, in its own words
        return shapes.Reply(
            error.response.status, forwarding.returned(error.response.headers.items()), error.response.content
        )
    raise shapes.Refused(503, _AWAY, "unavailable", {"retry-after": str(max(1, round(error.retry_after)))}) from None


def _too_many(verdict: limits.Verdict, told: list[tuple[bytes, bytes]]) -> shapes.Refused:
    headers = {name.decode(): value.decode() for name, value in told}
    headers["retry-after"] = str(max(1, round(verdict.retry_after + 0.5)))
    return shapes.Refused(429, "Request rate limit exceeded: slow down.", "rate_limit", headers)


_SOON = {"retry-after": "1"}
_AWAY = "A needed service does not answer: try again in a moment."
_PUBLISHABLE = "This API call cannot be made with a publishable API key. Please use a secret API key."
