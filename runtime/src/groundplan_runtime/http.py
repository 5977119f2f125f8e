"""Small helpers for HTTP handlers: JSON in with limits and clear errors, JSON out, problem details.

What goes wrong is raised as a `Problem`; the server renders it (as RFC 9457 problem details unless
the App says otherwise), so that every error of a service has one shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from groundplan_runtime import current

T = TypeVar("T")

LARGEST_BODY = 1 << 20
"""The default limit of a request's body, in bytes."""

_encode = msgspec.json.Encoder(decimal_format="string").encode
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


class Problem(Exception):
    """An error answer. `code` is for programs, `title` names the kind, `detail` tells this case."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code
        self.headers = dict(headers or {})
        self.members = members


class Json(Response):
    """A JSON answer, encoded by msgspec (Structs, dataclasses, datetimes, Decimals as they are)."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _encode(content)


def problem_details(problem: Problem) -> Response:
    """`problem` as ``application/problem+json`` (RFC 9457)."""
    document: dict[str, Any] = {"type": "about:blank", "title": problem.title, "status": problem.status}
    if problem.detail:
        document["detail"] = problem.detail
    if problem.code:
        document["code"] = problem.code
    document |= problem.members
    request_id = current.request_id.get()
    if request_id:
        document["request_id"] = request_id
    return Json(document, problem.status, problem.headers, media_type="application/problem+json")


async def read(request: Request, limit: int = LARGEST_BODY) -> bytes:
    """The whole body; raises a 413 `Problem` as soon as it passes `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit:
            raise _too_large(limit)
    return bytes(received)


async def body(request: Request, kind: type[T], limit: int = LARGEST_BODY) -> T:
    """The JSON body as a `kind`; raises a `Problem`: 415 not JSON, 413 too large, 400 malformed or not fitting."""
    content_type = request.headers.get("content-type", "application/json").split(";", 1)[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise Problem(415, "Unsupported Media Type", f"send application/json, not {content_type}")
    return decode(await read(request, limit), kind)


def decode(content: bytes, kind: type[T]) -> T:
    """`content` as a `kind`; raises a 400 `Problem` that says where it does not fit."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return cast(T, decoder.decode(content))  # the decoders of all types share a dict
    except msgspec.ValidationError as error:
        raise Problem(400, "Bad Request", str(error), code="invalid_body") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "Bad Request", f"the body is not JSON: {error}", code="invalid_json") from None


def _too_large(limit: int) -> Problem:
    return Problem(
        413, "Content Too Large", f"the body may have {limit} bytes at most", headers={"connection": "close"}
    )
