"""A small service for the tests: ``python sample.py``. SAMPLE_* variables choose what it does wrong."""

import asyncio
import collections
import logging
import os
import pathlib
from typing import Any

import grpc
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from groundplan_runtime import clients, current, deadlines, http, service, traces

log = logging.getLogger("sample")


class Order(msgspec.Struct, forbid_unknown_fields=True):
    amount: int
    note: str = ""


async def whoami(request: Request) -> Response:
    position = traces.current()
    assert position is not None
    return http.Json(
        {
            "caller": current.caller.get(),
            "request_id": current.request_id.get(),
            "trace_id": position.trace_id,
            "remaining": deadlines.remaining(),
            "instance": os.environ.get("SERVICE_INSTANCE"),
        }
    )


async def slow(request: Request) -> Response:
    await asyncio.sleep(float(request.query_params["seconds"]))
    return http.Json({"instance": os.environ.get("SERVICE_INSTANCE")})


async def orders(request: Request) -> Response:
    order = await http.body(request, Order, limit=1000)
    log.info("ordered", extra={"note": order.note})
    return http.Json(order, 201)


async def broken(request: Request) -> Response:
    raise ValueError("the card 4242424242424242 was not expected")


async def down(request: Request) -> Response:
    raise clients.CalleeUnavailable("ledger", "not reached", retry_after=3)


async def status(request: Request) -> Response:
    """Answers with the statuses asked for, one after the other: /status/503,200."""
    codes = request.path_params["codes"]
    _asked[codes] += 1
    wanted = codes.split(",")
    return Response(status_code=int(wanted[min(_asked[codes], len(wanted)) - 1]))


_asked: collections.Counter[str] = collections.Counter()

ROUTES = [
    Route("/whoami", whoami),
    Route("/slow", slow),
    Route("/orders", orders, methods=["POST"]),
    Route("/things/{id}", whoami),
    Route("/broken", broken),
    Route("/down", down),
    Route("/status/{codes}", status),
]


class Echo:
    """The servicer; methods are spelled as on the wire."""

    def __init__(self) -> None:
        self.calls = 0

    async def Say(self, request: bytes, context: Any) -> bytes:
        return request

    async def Who(self, request: bytes, context: Any) -> bytes:
        return msgspec.json.encode(
            {
                "caller": current.caller.get(),
                "request_id": current.request_id.get(),
                "trace_id": getattr(traces.current(), "trace_id", ""),
                "remaining": deadlines.remaining(),
                "instance": os.environ.get("SERVICE_INSTANCE"),
            }
        )

    async def Slow(self, request: bytes, context: Any) -> bytes:
        await asyncio.sleep(float(request))
        return os.environ.get("SERVICE_INSTANCE", "").encode()

    async def Fail(self, request: bytes, context: Any) -> bytes:
        """Aborts with the code named, or raises something unexpected."""
        if request == b"unexpected":
            raise ValueError("the card 4242424242424242 was not expected")
        if request == b"flaky":
            self.calls += 1
            if self.calls % 2 == 0:
                return b"at last"
        await context.abort(grpc.StatusCode[request.decode() if request != b"flaky" else "UNAVAILABLE"], "as asked")
        raise AssertionError("abort raises")

    async def Count(self, request: bytes, context: Any) -> Any:
        for number in range(int(request)):
            yield str(number).encode()


def add_echo(servicer: Echo, server: Any) -> None:
    """As generated code does it."""
    unary: dict[str, Any] = {
        name: grpc.unary_unary_rpc_method_handler(getattr(servicer, name)) for name in ("Say", "Who", "Slow", "Fail")
    }
    methods = unary | {"Count": grpc.unary_stream_rpc_method_handler(servicer.Count)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", methods),))
    server.add_registered_method_handlers("test.Echo", methods)


async def dependency() -> None:
    if pathlib.Path(os.environ.get("SAMPLE_BROKEN", "/nonexistent")).exists():
        raise ConnectionError("refused")


async def background() -> None:
    if os.environ.get("SAMPLE_BACKGROUND") == "dies":
        await asyncio.sleep(0.2)
        raise RuntimeError("the queue is gone")
    try:
        await asyncio.Event().wait()
    finally:
        log.info("background ended")


class Resource:
    def __init__(self, name: str) -> None:
        self.name = name

    async def __aenter__(self) -> "Resource":
        return self

    async def __aexit__(self, *_: object) -> None:
        log.info("closed %s", self.name)


async def build(context: service.Context) -> service.App:
    await context.enter(Resource("first"))
    await context.enter(Resource("second"))
    kind = os.environ.get("SAMPLE", "all")
    return service.App(
        routes=ROUTES if kind in ("all", "http") else (),
        grpc=(service.Grpc(add_echo, Echo(), "test.Echo"),) if kind in ("all", "grpc") else (),
        ready={"database": dependency},
        background=(background,),
        open=os.environ.get("SAMPLE_OPEN") == "1",
    )


if __name__ == "__main__":
    service.run(build)
