"""The acquirer's HTTP face (see the package's table)."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from groundplan_runtime import http
from payments.acquirer import bank, faults, pages, store, wire

MAX_PAGE = 1000
"""Most rows of one page of the book or of the events."""
Body = TypeVar("Body")
_Handler = Callable[[Request], Awaitable[Response]]


class Face:
    """Requests in, the bank's answers out, and what shall go wrong in between."""

    def __init__(self, acquirer: bank.Bank, book: store.Store, wrongs: faults.Faults) -> None:
        self._bank = acquirer
        self._book = book
        self._faults = wrongs

    def routes(self) -> list[Route]:
        return [
            Route("/authorizations", _answered(self.authorize), methods=["POST"]),
            Route("/authorizations", _answered(self.by_key), methods=["GET"]),
            Route("/authorizations/{id}", _answered(self.by_id), methods=["GET"]),
            Route("/authorizations/{id}/captures", _answered(self.capture), methods=["POST"]),
            Route("/authorizations/{id}/voids", _answered(self.void), methods=["POST"]),
            Route("/authorizations/{id}/refunds", _answered(self.refund), methods=["POST"]),
            Route("/reversals", _answered(self.reverse), methods=["POST"]),
            Route("/book", _answered(self.book), methods=["GET"]),
            Route("/events", _answered(self.events), methods=["GET"]),
            Route("/faults", _answered(self.faults), methods=["GET", "POST", "DELETE"]),
            Route("/authenticate/{id}", self.question, methods=["GET"]),
            Route("/authenticate/{id}", self.answer, methods=["POST"]),
        ]

    async def authorize(self, request: Request) -> Response:
        return await self._move("authorization", request, wire.Authorize, self._bank.authorize)

    async def capture(self, request: Request) -> Response:
        return await self._move("capture", request, wire.Capture, lambda body: self._bank.capture(_id(request), body))

    async def void(self, request: Request) -> Response:
        return await self._move("void", request, wire.Void, lambda body: self._bank.void(_id(request), body))

    async def refund(self, request: Request) -> Response:
        return await self._move("refund", request, wire.Refund, lambda body: self._bank.refund(_id(request), body))

    async def reverse(self, request: Request) -> Response:
        return await self._move("reversal", request, wire.Reversal, self._bank.reverse)

    async def by_key(self, request: Request) -> Response:
        return http.Json(self._bank.by_key(request.query_params.get("key", "")))

    async def by_id(self, request: Request) -> Response:
        return http.Json(self._bank.by_id(_id(request)))

    async def book(self, request: Request) -> Response:
        limit = _number(request, "limit", MAX_PAGE)
        rows = self._book.book(request.query_params.get("after", ""), limit)
        return http.Json({"authorizations": rows, "next": rows[-1].id if len(rows) == limit else None})

    async def events(self, request: Request) -> Response:
        after = _number(request, "after", 0, least=0, most=1 << 62)
        rows = self._book.events(after, _number(request, "limit", MAX_PAGE))
        return http.Json({"events": rows, "next": rows[-1].number if rows else after})

    async def faults(self, request: Request) -> Response:
        if request.method == "POST":
            self._faults.order(await http.body(request, faults.Order))
        if request.method == "DELETE":
            self._faults.clear()
        return http.Json(self._faults.counts())

    async def question(self, request: Request) -> Response:
        found = self._book.authentication(_id(request))
        if found is None:
            return HTMLResponse(pages.missing(), 404, headers=pages.HEADERS)
        if found.state != "open":
            return self._back(request)
        return HTMLResponse(pages.question(f"{found.amount} {found.currency}"), headers=pages.HEADERS)

    async def answer(self, request: Request) -> Response:
        given = urllib.parse.parse_qs((await http.read(request, 1024)).decode("latin-1")).get("answer", [""])[0]
        if self._book.authentication(_id(request)) is None:
            return HTMLResponse(pages.missing(), 404, headers=pages.HEADERS)
        if given not in ("approve", "fail"):
            return self._back(request) if given else HTMLResponse(pages.missing(), 400, headers=pages.HEADERS)
        self._bank.authenticate(_id(request), approved=given == "approve")
        return self._back(request)

    def _back(self, request: Request) -> Response:
        """To the merchant's page, which learns how it went; 303 so that a reload posts nothing again."""
        found = self._book.authentication(_id(request))
        state = "failed" if found is None or found.state == "failed" else "succeeded"
        target = request.query_params.get("return_url", "")
        parts = urllib.parse.urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return HTMLResponse(pages.done(state), headers=pages.HEADERS)
        told = urllib.parse.urlencode({"authentication": _id(request), "result": state})
        query = f"{parts.query}&{told}" if parts.query else told
        return RedirectResponse(parts._replace(query=query).geturl(), 303, headers=pages.HEADERS)

    async def _move(
        self, operation: str, request: Request, kind: type[Body], apply: Callable[[Body], Any]
    ) -> Response:  # fmt: skip
        """A request that moves money, with the fault that waits for it."""
        body = await http.body(request, kind)
        fault = self._faults.next(operation)
        if fault is None:
            return http.Json(apply(body))
        if fault.kind == "down":
            return _error(503, "down", "the acquirer is down")
        if fault.kind == "late_success":
            await asyncio.sleep(fault.seconds)
            return http.Json(apply(body))
        apply(body)
        await asyncio.sleep(fault.seconds)
        return _error(500 if fault.kind == "error_after_charge" else 504, fault.kind, "no answer, as ordered")


def _answered(handler: _Handler) -> _Handler:
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except wire.Refused as refused:
            return _error(refused.status, refused.code, str(refused))

    return answered


def _error(status: int, code: str, message: str) -> Response:
    return http.Json({"error": {"code": code, "message": message}}, status)


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _number(request: Request, name: str, default: int, *, least: int = 1, most: int = MAX_PAGE) -> int:
    raw = request.query_params.get(name, str(default))
    try:
        return max(least, min(msgspec.convert(raw, int, strict=False), most))
    except msgspec.ValidationError:
        raise wire.Refused(400, "invalid_parameter", f"{name} must be a whole number") from None
