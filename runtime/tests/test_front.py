"""The one layer around HTTP handlers, asked directly: how errors look, and what the metrics of a process hold."""

from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from starlette.responses import Response
from starlette.routing import Route, Router

from groundplan_runtime import asgi, breaker, callee, http, logs, metrics, service

SOURCE = logs.Source("sample", "sample-0")


async def ask(front: asgi.Front, path: str) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "root_path": ""}
    await front(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_a_service_may_say_how_all_its_errors_look() -> None:
    async def broken(request: Any) -> Response:
        raise RuntimeError("details for the log only")

    def stripe_shaped(problem: http.Problem) -> Response:
        return http.Json(
            {"error": {"type": "api_error", "code": problem.code, "message": problem.title}}, problem.status
        )

    lines: list[bytes] = []
    front = asgi.Front(
        Router([Route("/broken", broken)]),
        gate=None,
        counted=metrics.Http(CollectorRegistry()),
        access=logs.AccessLog(SOURCE, lines.append),
        render=stripe_shaped,
    )
    internal = b'{"error":{"type":"api_error","code":"internal","message":"Internal Server Error"}}'
    assert await ask(front, "/broken") == (500, internal)
    assert await ask(front, "/nowhere") == (404, b'{"error":{"type":"api_error","code":"","message":"Not Found"}}')


def test_the_breakers_state_is_a_metric() -> None:
    registry = CollectorRegistry()
    registry.register(service.breaker_gauges())
    broken = callee.breaker_of("ledger.grpc")
    for _ in range(5):
        assert broken.allow()
        broken.failed()
    lines = [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    assert lines == [
        'circuit_breaker_state{callee="ledger.grpc",state="closed"} 0.0',
        'circuit_breaker_state{callee="ledger.grpc",state="half_open"} 0.0',
        'circuit_breaker_state{callee="ledger.grpc",state="open"} 1.0',
    ]
    assert set(breaker.STATES) == {"closed", "half_open", "open"}
