"""A service from its start to its end: build it, serve it, drain it.

::

    async def build(context: service.Context) -> service.App:
        pool = await context.enter(postgres.pool(context.load(Settings).database_dsn))
        return service.App(routes=routes(pool), ready={"database": lambda: postgres.check(pool)})

    def main() -> None:
        service.run(build)

HTTP is served on HTTP_LISTEN when there are routes, gRPC on GRPC_LISTEN (and GRPC_PROBE_LISTEN) when
there are servicers, and /livez, /readyz, /health and /metrics on METRICS_LISTEN always. On SIGTERM or
SIGINT: not ready; answers still given for DRAIN_DELAY_SECONDS, each ending its connection; then no
new connections, and what was begun is finished within DRAIN_SECONDS; background tasks are cancelled,
resources closed in reverse order; exit 0. A background task that dies ends the process: exit 1.
Unusable settings: exit 2, with everything that is wrong with them.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from prometheus_client import CollectorRegistry

from groundplan_runtime import breaker, callee, contract, logs, metrics, readiness, settings

if TYPE_CHECKING:
    from starlette.responses import Response

    from groundplan_runtime import grpc_server, http, identity, listeners

T = TypeVar("T")

_log = logging.getLogger("service")


class About(msgspec.Struct, frozen=True):
    """What every process is told of itself, and how it is run."""

    service_name: str = "service"
    service_namespace: str = "default"
    service_version: str = "0"
    service_instance: str = ""
    log_level: str = "INFO"
    http_listen: str = ""
    grpc_listen: str = ""
    grpc_probe_listen: str = ""
    metrics_listen: str = f"0.0.0.0:{contract.DEFAULT_METRICS_PORT}"
    drain_seconds: float = 10.0
    drain_delay_seconds: float = 0.2

    @property
    def instance(self) -> str:
        return self.service_instance or f"{self.service_name}-{os.getpid()}"


@dataclass(frozen=True)
class Grpc:
    """One gRPC service: ``Grpc(auth_pb2_grpc.add_AuthServicer_to_server, Auth(pool), "payments.auth.v1.Auth")``."""

    add: Callable[[Any, Any], None]
    servicer: Any
    name: str


@dataclass(frozen=True)
class App:
    """What a service consists of."""

    routes: Sequence[Any] | listeners.Application = ()
    """Starlette routes, or an ASGI app."""
    grpc: Sequence[Grpc] = ()
    ready: Mapping[str, readiness.Check] = field(default_factory=dict)
    """Its own hard dependencies: each returns when it answers and raises when not."""
    health: Callable[[], Awaitable[dict[str, Any]]] | None = None
    """The document of /health; answered with 503 when its "status" is not a good one."""
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    """Run until the end; one that raises ends the process."""
    errors: Callable[[http.Problem], Response] | None = None
    """How errors look; problem details (RFC 9457) otherwise."""
    open: bool = False
    """Answer anybody, without CALLERS."""


class Context:
    """What `build` is given."""

    def __init__(self, about: About, registry: CollectorRegistry, resources: AsyncExitStack) -> None:
        self.about = about
        self.metrics = registry
        self._resources = resources

    def load(self, kind: type[T]) -> T:
        """The service's settings from the environment (see `settings.load`)."""
        return settings.load(kind)

    async def enter(self, resource: AbstractAsyncContextManager[T]) -> T:
        """Open `resource`; it is closed at the end, in reverse order."""
        return await self._resources.enter_async_context(resource)


Build = Callable[[Context], Awaitable[App]]


def run(build: Build) -> None:
    """Run the service until it is told to stop; never returns."""
    try:
        loop = _require("uvloop", "uvicorn on the standard loop is half as fast")
        _require("httptools", "uvicorn without it is four times slower")
        about = settings.load(About)
        logs.configure(logs.Source(about.service_name, about.instance), about.log_level.upper())
        with asyncio.Runner(loop_factory=loop.new_event_loop) as runner:
            code = runner.run(_main(build, about))
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        code = 2
    except Exception:
        _log.critical("the service ended by an error", exc_info=True)
        code = 1
    logging.shutdown()
    sys.exit(code)


def _require(module: str, why: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        remedy = 'pip install "groundplan-runtime[http]"'
        raise settings.SettingsError((f"  {module} is not installed: {why}\n    fix: {remedy}",)) from None


async def _main(build: Build, about: About) -> int:
    stop = _stop_on_signals()
    registry = CollectorRegistry()
    metrics.process(registry, name=about.service_name, version=about.service_version)
    registry.register(breaker_gauges())
    async with AsyncExitStack() as resources:
        if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
            from groundplan_runtime import otlp

            await resources.enter_async_context(
                otlp.exporting(about.service_name, about.service_version, about.instance)
            )
        starting = asyncio.ensure_future(build(Context(about, registry, resources)))
        if not await _unless(stop, starting):
            return 0
        return await _Process(about, starting.result(), registry).live(stop)


async def _unless(stop: asyncio.Event, starting: asyncio.Future[App]) -> bool:
    """Whether the service was built before it was told to stop (it may wait long for its database)."""
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait((starting,))
        return False
    return True


class _Process:
    """A built service: its servers and background tasks."""

    def __init__(self, about: About, app: App, registry: CollectorRegistry) -> None:
        self._about = about
        self._app = app
        self._registry = registry
        self._source = logs.Source(about.service_name, about.instance)
        self._ready = readiness.Readiness(app.ready)
        self._http: list[listeners.HttpServer] = []
        self._ops: listeners.HttpServer | None = None
        self._grpc: grpc_server.GrpcServer | None = None
        self._background: list[asyncio.Task[None]] = []

    async def live(self, stop: asyncio.Event) -> int:
        await self._start()
        _settle_garbage()
        self._ready.started = True
        _log.info("started", extra={"version": self._about.service_version})
        failed = await self._until(stop)
        try:
            await self._drain()
        finally:
            await self._stop_background()
        if self._ops is not None:
            await self._ops.stop(time.monotonic())
        _log.info("stopped", extra={"failed": failed})
        return 1 if failed else 0

    async def _start(self) -> None:
        from groundplan_runtime import listeners, ops

        about = self._about
        described = {"service": about.service_name, "version": about.service_version, "instance": about.instance}
        app = ops.Ops(described, self._ready, self._app.health, self._registry)
        self._ops = listeners.HttpServer(app, listeners.listen("METRICS_LISTEN", about.metrics_listen))
        await self._ops.start()
        gate = self._gate()
        if self._app.routes:
            await self._start_http(gate)
        if self._app.grpc:
            await self._start_grpc(gate)
        self._background = [asyncio.ensure_future(task()) for task in self._app.background]

    def _gate(self) -> identity.Gate | None:
        if self._app.open or not (self._app.routes or self._app.grpc):
            return None
        from groundplan_runtime import identity

        path = settings.reference(os.environ, contract.CALLERS)
        if path is None:
            remedy = f"set {contract.CALLERS} to a file:// reference (see groundplan_runtime.identity)"
            raise settings.SettingsError((f"  {contract.CALLERS} is not set, so nobody could call\n    fix: {remedy}",))
        return identity.Gate(path)

    async def _start_http(self, gate: identity.Gate | None) -> None:
        from groundplan_runtime import asgi, http, listeners

        front = asgi.Front(
            _application(self._app.routes),
            gate=gate,
            counted=metrics.Http(self._registry),
            access=logs.AccessLog(self._source),
            render=self._app.errors or http.problem_details,
        )
        raw = callee.required(os.environ, contract.listen_variable("http"), "127.0.0.1:8001")
        self._http.append(listeners.HttpServer(front, listeners.listen("HTTP_LISTEN", raw)))
        await self._http[0].start()

    async def _start_grpc(self, gate: identity.Gate | None) -> None:
        import grpc.aio

        from groundplan_runtime import grpc_server, rpc

        server = grpc.aio.server(options=rpc.OPTIONS)
        front = rpc.Front(server, gate, metrics.Grpc(self._registry), logs.AccessLog(self._source))
        for one in self._app.grpc:
            one.add(one.servicer, front)
        self._grpc = grpc_server.GrpcServer(server, self._ready, [one.name for one in self._app.grpc])
        listen = callee.required(os.environ, contract.listen_variable("grpc"), "127.0.0.1:50051")
        self._grpc.bind("GRPC_LISTEN", listen)
        if self._about.grpc_probe_listen not in ("", listen):
            self._grpc.bind("GRPC_PROBE_LISTEN", self._about.grpc_probe_listen)
        await self._grpc.start(front)

    async def _until(self, stop: asyncio.Event) -> bool:
        """Wait for the signal; whether a background task died before it came."""
        stopping = asyncio.ensure_future(stop.wait())
        running: set[asyncio.Future[Any]] = {stopping, *self._background}
        while stopping in running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                error = None if task.cancelled() else task.exception()
                if error is not None:
                    _log.critical("a background task died, so the service ends", exc_info=error)
                    stopping.cancel()
                    return True
        return False

    async def _drain(self) -> None:
        about = self._about
        until = time.monotonic() + about.drain_delay_seconds + about.drain_seconds
        self._ready.draining = True
        for server in self._http:
            server.close_after_answers()
        if self._grpc is not None:
            await self._grpc.not_serving()
        if self._http or self._grpc:
            await asyncio.sleep(about.drain_delay_seconds)
        stopping = [server.stop(until) for server in self._http]
        if self._grpc is not None:
            stopping.append(self._grpc.stop(about.drain_seconds))
        await asyncio.gather(*stopping)

    async def _stop_background(self) -> None:
        for task in self._background:
            task.cancel()
        if self._background:
            await asyncio.wait(self._background, timeout=self._about.drain_seconds)


def _application(routes: Any) -> listeners.Application:
    if callable(routes):
        return routes  # type: ignore[no-any-return]
    from starlette.routing import Router

    # A redirect would tell callers that a path they may not call exists.
    return Router(list(routes), redirect_slashes=False)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _settle_garbage() -> None:
    """What lives now lives for ever: the collector need not walk it (that walk made the slowest answers)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def breaker_gauges() -> metrics.Gauges:
    """The state of each breaker, read when scraped."""

    def read() -> dict[tuple[str, ...], float]:
        states = callee.breakers()
        return {(name, state): float(state == now) for name, now in states.items() for state in breaker.STATES}

    return metrics.Gauges("circuit_breaker_state", "1 for the state that the breaker is in.", ("callee", "state"), read)
