"""Asking an ASGI app in the same process, behind the runtime's own front."""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.routing import Router

from groundplan_runtime import asgi, logs, metrics, service

_SOURCE = logs.Source("test", "test-0")


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks `app`, as the gateway would where `headers` say who is signed in."""

    def __init__(self, app: service.App, headers: Mapping[str, str] | None = None) -> None:
        self.app = app
        self.headers = dict(headers or {})
        routes: Any = app.routes if callable(app.routes) else Router(list(app.routes), redirect_slashes=False)
        access = logs.AccessLog(_SOURCE, lambda line: None)
        render = {"render": app.errors} if app.errors else {}
        self._front = asgi.Front(routes, gate=None, counted=metrics.Http(CollectorRegistry()), access=access, **render)

    def known(self, user_id: str, *roles: str, session_id: str = "ses_test") -> Client:
        """The same app, asked by a user who is signed in."""
        return Client(self.app, {"x-user-id": user_id, "x-session-id": session_id, "x-roles": ",".join(roles)})

    async def post(self, path: str, **document: Any) -> Answer:
        return await self.ask("POST", path, json.dumps(document).encode())

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """One request; `headers` are written with underscores."""
        sent = {"content-type": "application/json"} | self.headers
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        messages: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        await self._front(_scope(method, path, sent), receive, send)
        found = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
        return Answer(messages[0]["status"], found, b"".join(message.get("body", b"") for message in messages[1:]))


def _scope(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": urllib.parse.unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
