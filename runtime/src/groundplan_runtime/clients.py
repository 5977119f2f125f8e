"""The door to other services.

::

    merchants = await context.enter(clients.Http.for_callee("merchant-service"))
    channel = await context.enter(clients.grpc_channel("auth-service", idempotent=("ValidateToken",)))
    auth = auth_pb2_grpc.AuthStub(channel)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from groundplan_runtime import callee
from groundplan_runtime.callee import BreakerOpen, CalleeUnavailable, CallFailed, DeadlineExceeded
from groundplan_runtime.http_client import Http

if TYPE_CHECKING:
    from groundplan_runtime import grpc_client

__all__ = ["BreakerOpen", "CallFailed", "CalleeUnavailable", "DeadlineExceeded", "Http", "grpc_channel"]


def grpc_channel(
    name: str,
    *,
    port: str = "grpc",
    idempotent: Sequence[str] = (),
    timeout: float = callee.TIMEOUT,
    connections: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> grpc_client.Channel:
    """The channel to the service called `name` in the plan (see `grpc_client.channel`)."""
    from groundplan_runtime import grpc_client  # 35 ms that a service without gRPC need not wait for

    return grpc_client.channel(
        name,
        port=port,
        idempotent=idempotent,
        timeout=timeout,
        connections=connections or grpc_client.CONNECTIONS,
        environment=environment,
    )
