"""How the gateway's own errors look: Stripe's shape under /v1, problem details (RFC 9457) elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec


class Refused(Exception):
    """The gateway answers this request itself."""

    def __init__(
        self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None, kind: str = ""
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.kind = kind or ("invalid_request_error" if status < 500 else "api_error")


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer, ready to be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def reply(refused: Refused, path: str, request_id: str) -> Reply:
    """`refused` as the caller of `path` expects it."""
    stripe = path.startswith("/v1/") or path == "/v1"
    document = _stripe(refused) if stripe else _problem(refused, request_id)
    kind = b"application/json" if stripe else b"application/problem+json"
    headers = [(b"content-type", kind), *((key.encode(), value.encode()) for key, value in refused.headers.items())]
    return Reply(refused.status, headers, msgspec.json.encode(document))


def _stripe(refused: Refused) -> dict[str, Any]:
    error = {"message": refused.message, "type": refused.kind}
    return {"error": error | ({"code": refused.code} if refused.code else {})}


def _problem(refused: Refused, request_id: str) -> dict[str, Any]:
    found = {"type": "about:blank", "title": _TITLES[refused.status], "status": refused.status}
    found |= {"detail": refused.message, "request_id": request_id}
    return found | ({"code": refused.code} if refused.code else {})
