"""The gRPC server of a service: its servicers behind `rpc.Front`, health by readiness, reflection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from groundplan_runtime import listeners, readiness, rpc, settings

_WATCH_EVERY = 2.0  # seconds between two looks for those who watch the health stream


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """grpc.health.v1: SERVING exactly while the process is ready; asked anew for each Check.

    Our own clients watch it (gRFC A17), so that they send nothing more to a replica that drains:
    what arrives while grpc.aio stops is sometimes dropped. The library's servicer does not end its
    Watch streams, for which a server that stops would wait.
    """

    def __init__(self, ready: readiness.Readiness, names: Sequence[str]) -> None:
        self._ready = ready
        self._names = frozenset(("", *names))
        self._serving = False
        self._changed = asyncio.Event()
        self._closed = False

    async def Check(self, request: Any, context: Any) -> Any:
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {request.service}")
        await self.refresh()
        return self._answer(request.service)

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        told = None
        while True:
            changed, answer = self._changed, self._answer(request.service)
            if answer != told:
                yield answer
                told = answer
            if self._closed:
                return
            await changed.wait()

    async def refresh(self) -> None:
        serving = await self._ready.ready()
        if serving != self._serving:
            self._serving = serving
            self._notify()

    async def keep_fresh(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(_WATCH_EVERY)

    def close(self) -> None:
        """End the streams of those who watch."""
        self._closed = True
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _answer(self, name: str) -> Any:
        kinds = health_pb2.HealthCheckResponse
        if name not in self._names:
            return kinds(status=kinds.SERVICE_UNKNOWN)
        return kinds(status=kinds.SERVING if self._serving else kinds.NOT_SERVING)


class GrpcServer:
    """One grpc.aio server, bound to the traffic address and to this replica's own."""

    def __init__(self, server: grpc.aio.Server, ready: readiness.Readiness, names: Sequence[str]) -> None:
        self._server = server
        self._health = HealthServicer(ready, names)
        self._names = names
        self._ports: list[int] = []
        self._watching: asyncio.Task[None] | None = None

    def bind(self, variable: str, raw: str) -> None:
        host, port = listeners.address(variable, raw)
        try:
            self._ports.append(self._server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))
        except RuntimeError:
            # gRPC's core does not say why; ask the kernel in our own words.
            listeners.listen(variable, raw).close()
            raise settings.SettingsError((f"  {variable}={raw} cannot be listened on",)) from None

    async def start(self, front: rpc.Front) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._add_reflection(front)
        await self._server.start()
        self._watching = asyncio.create_task(self._health.keep_fresh())

    async def not_serving(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self._health.refresh()

    async def stop(self, grace: float) -> None:
        """Refuse new connections, tell clients to go (GOAWAY), finish calls within `grace` seconds."""
        with contextlib.ExitStack() as duplicates:
            found = [sock for port in set(self._ports) for sock in listeners.own_listeners(port)]
            await listeners.shut_doors([duplicates.enter_context(sock) for sock in found])
        self._health.close()
        await self._server.stop(grace)

    def _add_reflection(self, front: rpc.Front) -> None:
        """Reflection tells the whole interface, so it passes the gate like any method."""
        from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

        names = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflection.aio.ReflectionServicer(names), front)
