"""What a gRPC service answers when it refuses: a status, words, and machine-readable details for each cause.

Details travel as JSON in the trailing metadata key ``failures-bin``: a list of objects with ``code`` (Stripe's word
where there is one: "incorrect_number"), ``field`` (the request's field) and ``message``. So a caller can map all
of them at once without parsing sentences.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
import msgspec

KEY = "failures-bin"


class Failure(msgspec.Struct, frozen=True):
    """One cause of a refusal."""

    code: str
    field: str
    message: str


class Refused(Exception):
    """A request that is answered with `status` and `failures`; the first failure's message leads."""

    def __init__(self, status: grpc.StatusCode, *failures: Failure) -> None:
        super().__init__("; ".join(failure.message for failure in failures))
        self.status = status
        self.failures = failures


def refuse(status: grpc.StatusCode, code: str, field: str, message: str) -> NoReturn:
    """Raises `Refused` with one failure."""
    raise Refused(status, Failure(code, field, message))


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(tuple[Failure, ...])


async def abort(context: Any, refused: Refused) -> NoReturn:
    """Ends the call as `refused` says."""
    await context.abort(refused.status, str(refused), ((KEY, _ENCODER.encode(refused.failures)),))
    raise refused  # not reached: abort() raises; the type checker cannot know


Servicer = TypeVar("Servicer")
Request = TypeVar("Request")
Reply = TypeVar("Reply")


def answered(
    handler: Callable[[Servicer, Request], Awaitable[Reply]],
) -> Callable[[Servicer, Request, Any], Awaitable[Reply]]:
    """A gRPC method from a `handler` that knows nothing of gRPC but raises `Refused`."""

    @functools.wraps(handler)
    async def method(self: Servicer, request: Request, context: Any) -> Reply:
        try:
            return await handler(self, request)
        except Refused as refused:
            await abort(context, refused)

    return method


def of(error: grpc.aio.AioRpcError) -> tuple[Failure, ...]:
    """The failures that came with `error`; empty where it brought none."""
    for key, value in error.trailing_metadata() or ():
        if key == KEY and isinstance(value, bytes):
            return _DECODER.decode(value)
    return ()
