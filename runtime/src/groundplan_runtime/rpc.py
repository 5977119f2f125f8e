"""What every gRPC call passes: identity, ids, deadline, errors, metrics and its log line, in one layer.

The layer is put around each method when a servicer is added, instead of an interceptor: grpc.aio asks
interceptors anew for each call, and streams could not be watched to their end.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NoReturn

import grpc
import grpc.aio

from groundplan_runtime import callee, contract, current, deadlines, identity, logs, metrics, traces

_log = logging.getLogger(__name__)

OPTIONS = (
    ("grpc.so_reuseport", 1),  # replicas on one machine share a port
    # Clients ping every 30 s; the default would tell them to calm down and cut them off.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Now and then a connection is renewed, so that calls spread over replicas that came later.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
)


class Front:
    """Stands in for the server in ``add_XServicer_to_server``: adds the methods with the layer around them."""

    def __init__(
        self, server: grpc.aio.Server, gate: identity.Gate | None, counted: metrics.Grpc, access: logs.AccessLog
    ) -> None:
        self._server = server
        self._gate = gate
        self._counted = counted
        self._access = access

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Generated code gives the same methods again, by name, to `add_registered_method_handlers`."""

    def add_registered_method_handlers(self, service: str, methods: Mapping[str, Any]) -> None:
        wrapped = {name: self._wrapped(f"/{service}/{name}", handler) for name, handler in methods.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, wrapped),))
        self._server.add_registered_method_handlers(service, wrapped)

    def _wrapped(self, path: str, handler: Any) -> Any:
        make, inner = _KINDS[handler.request_streaming, handler.response_streaming](handler)
        around = self._stream(path, inner) if handler.response_streaming else self._unary(path, inner)
        return make(around, handler.request_deserializer, handler.response_serializer)

    def _unary(self, path: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        async def unary(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            call = _Call(self, path, context)
            try:
                with call.begin():
                    return await inner(request, context)
            except asyncio.CancelledError:
                call.code = "CANCELLED"
                raise
            except Exception as error:
                await call.fail(error)
            finally:
                call.end()

        return unary

    def _stream(self, path: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        async def stream(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            call = _Call(self, path, context)
            try:
                with call.begin():
                    async for reply in inner(request, context):
                        yield reply
            except asyncio.CancelledError:
                call.code = "CANCELLED"
                raise
            except Exception as error:
                await call.fail(error)
            finally:
                call.end()

        return stream

    def admit(self, path: str, token: str | None) -> None:
        if self._gate is not None:
            current.caller.set(self._gate.grpc(token, path))

    def ended(self, path: str, code: str, seconds: float) -> None:
        self._counted.handled(path, code, seconds)
        self._access.grpc(path, code, seconds)


_KINDS: Mapping[tuple[bool, bool], Callable[[Any], tuple[Any, Any]]] = {
    (False, False): lambda handler: (grpc.unary_unary_rpc_method_handler, handler.unary_unary),
    (False, True): lambda handler: (grpc.unary_stream_rpc_method_handler, handler.unary_stream),
    (True, False): lambda handler: (grpc.stream_unary_rpc_method_handler, handler.stream_unary),
    (True, True): lambda handler: (grpc.stream_stream_rpc_method_handler, handler.stream_stream),
}


class _Call:
    """One call from its begin to its end."""

    def __init__(self, front: Front, path: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self._front = front
        self._path = path
        self._context = context
        self._started = time.perf_counter()
        self.code = ""

    def begin(self) -> Any:
        """Take the caller's ids and deadline, and let it in or raise `identity.Refused`; a context manager."""
        metadata = dict(self._context.invocation_metadata() or ())
        current.request_id.set(current.accepted_request_id(_text(metadata.get(contract.REQUEST_ID_HEADER))))
        deadlines.start(self._context.time_remaining())
        traceparent, state = _text(metadata.get("traceparent")), _text(metadata.get("tracestate")) or ""
        if traces.recording():
            span: Any = traces.server_span(self._path[1:], traceparent, state)
        else:
            traces.begin(traceparent, state)
            span = traces.span("")
        self._front.admit(self._path, _text(metadata.get(contract.WORKLOAD_TOKEN_HEADER)))
        return span

    async def fail(self, error: Exception) -> NoReturn:
        if isinstance(error, grpc.aio.AbortError):
            raise error
        code, details = status(error)
        await self._context.abort(code, details)

    def end(self) -> None:
        self._front.ended(self._path, self.code or _code(self._context.code()), time.perf_counter() - self._started)


def status(error: Exception) -> tuple[grpc.StatusCode, str]:
    """What the caller is told about `error`; the unexpected is logged here and told as INTERNAL without detail."""
    if isinstance(error, identity.Unauthenticated):
        return grpc.StatusCode.UNAUTHENTICATED, str(error)
    if isinstance(error, identity.Forbidden):
        return grpc.StatusCode.PERMISSION_DENIED, str(error)
    if isinstance(error, deadlines.DeadlineExceeded):
        return grpc.StatusCode.DEADLINE_EXCEEDED, "the time allowed for this call is over"
    if isinstance(error, callee.CalleeUnavailable):
        _log.warning("%s", error)
        return grpc.StatusCode.UNAVAILABLE, "a needed service does not answer"
    _log.error("unexpected error", exc_info=error)
    return grpc.StatusCode.INTERNAL, f"internal error (request {current.request_id.get()})"


_CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def _code(code: Any) -> str:
    """grpc.aio gives a number, a member, or nothing yet."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _CODES.get(code or 0, "UNKNOWN")


def _text(value: str | bytes | None) -> str | None:
    return value.decode("latin-1") if isinstance(value, bytes) else value
