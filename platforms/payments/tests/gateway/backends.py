"""What stands behind the gateway in its tests: an echo for each backend, and an auth-service that knows some keys."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pathlib
import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from groundplan_runtime import service
from payments.common import tokens
from payments.rpc import auth_pb2 as pb
from payments.rpc import auth_pb2_grpc


class Auth(auth_pb2_grpc.AuthServicer):
    """Knows the keys and sessions in the file KNOWN, read for each question; counts the questions in ASKED."""

    async def ValidateApiKey(self, request: pb.ValidateApiKeyRequest, context: Any) -> pb.ApiKeyPrincipal:
        found = _known().get(request.key)
        _count("key")
        return pb.ApiKeyPrincipal(**found) if found else pb.ApiKeyPrincipal(valid=False, reason="unknown")

    async def ValidateToken(self, request: pb.ValidateTokenRequest, context: Any) -> pb.Principal:
        _count("token")
        found = _known().get(request.token)
        return pb.Principal(**found) if found else pb.Principal(valid=False, reason="revoked")


def _known() -> dict[str, Any]:
    return dict(json.loads(_file("KNOWN").read_text()))


def _count(what: str) -> None:
    with _file("ASKED").open("a") as file:
        file.write(what + "\n")


def _file(variable: str) -> pathlib.Path:
    return pathlib.Path(os.environ[variable])


async def echo(request: Request) -> Response:
    """What came, as the backend saw it. The query says what else to do."""
    content = await request.body()
    asked = request.query_params
    with _file("SEEN").open("a") as file:
        file.write(f"{request.method} {request.url.path}\n")
    if "sleep" in asked:
        await asyncio.sleep(float(asked["sleep"]))
    if "die" in asked:
        os._exit(9)
    document = {
        "method": request.method,
        "target": request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode()] for name, value in request.headers.raw],
        "length": len(content),
        "body": content[:1000].decode(errors="replace"),
        "limits": [tokens.LIFETIME],
    }
    headers = {"idempotent-replayed": "true", "connection": "x-private", "x-private": "1"}
    return JSONResponse(document, int(asked.get("status", "200")), headers)


async def jwks(request: Request) -> Response:
    _count("jwks")
    return JSONResponse(json.loads(_file("JWKS").read_text()))


async def build(context: service.Context) -> service.App:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    routes = [Route("/.well-known/jwks.json", jwks), Route("/{rest:path}", echo, methods=methods)]
    grpc: tuple[service.Grpc, ...] = ()
    if context.about.service_name == "auth-service":
        servicer = Auth()  # type: ignore[abstract]
        grpc = (service.Grpc(auth_pb2_grpc.add_AuthServicer_to_server, servicer, "payments.auth.v1.Auth"),)
    return service.App(routes=routes, grpc=grpc)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        service.run(build)
    sys.exit(0)
