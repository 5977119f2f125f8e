"""The gRPC server of a service: its servicers behind `rpc.Front`, health by readiness, reflection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from groundplan_runtime import listeners, readiness, rpc, settings

_WATCH_EVERY = 2.0  # seconds between two looks for those who watch the health stream


class HealthServicer(health.aio.HealthServicer):  # type: ignore[misc]
    """grpc.health.v1: SERVING exactly while the process is ready; asked anew for each Check."""

    def __init__(self, ready: readiness.Readiness, names: Sequence[str]) -> None:
        super().__init__()
        self._ready = ready
        self._names = ("", *names)

    async def Check(self, request: Any, context: Any) -> Any:
        await self.refresh()
        return await super().Check(request, context)

    async def refresh(self) -> None:
        serving = health_pb2.HealthCheckResponse.SERVING
        not_serving = health_pb2.HealthCheckResponse.NOT_SERVING
        status = serving if await self._ready.ready() else not_serving
        for name in self._names:
            if self._server_status.get(name) != status:
                await self.set(name, status)

    async def keep_fresh(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(_WATCH_EVERY)


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
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Refuse new connections, tell clients to go (GOAWAY), finish calls within `grace` seconds."""
        with contextlib.ExitStack() as duplicates:
            for port in set(self._ports):
                for sock in listeners.own_listeners(port):
                    duplicates.enter_context(sock)
                    await listeners.shut_door(sock)
        await self._server.stop(grace)

    def _add_reflection(self, front: rpc.Front) -> None:
        """Reflection tells the whole interface, so it passes the gate like any method."""
        from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

        names = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflection.aio.ReflectionServicer(names), front)
