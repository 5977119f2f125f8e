"""Checks against real servers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from groundplan.local import probes
from groundplan.local.plan import units
from tests.local import running

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _answering(reply: bytes) -> Handler:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    return answer


async def _asked(handler: Handler, timeout: float = 5.0) -> probes.Answer:
    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await probes.ask(
            units.Probe(check=units.HttpCheck(url=f"http://127.0.0.1:{port}/livez?x=1"), timeout=timeout)
        )


@pytest.mark.parametrize(
    ("reply", "passed", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, "200 OK"),
        (b"HTTP/1.1 399 Odd\r\n\r\n", True, "399 Odd"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", True, "302 Found"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "400 Bad Request"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False, "503 Service Unavailable"),
        (b"SSH-2.0-OpenSSH\r\n", False, "no HTTP answer"),
        (b"", False, "no HTTP answer"),
    ],
)
async def test_http_passes_from_200_to_399(reply: bytes, passed: bool, said: str) -> None:
    assert await _asked(_answering(reply)) == probes.Answer(passed, said)


async def test_a_server_that_does_not_answer_in_time_has_failed() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    assert await _asked(silent, timeout=0.1) == probes.Answer(False, "no answer in 0.1 s")


async def test_tcp_passes_when_a_connection_opens() -> None:
    async with await asyncio.start_server(_answering(b""), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        probe = units.Probe(check=units.TcpCheck(address=f"127.0.0.1:{port}"), timeout=5.0)
        assert await probes.ask(probe) == probes.Answer(True, "connected")
    assert await probes.ask(probe) == probes.Answer(False, "connection refused")


async def test_grpc_passes_on_serving_and_says_what_else_it_heard() -> None:
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await servicer.set("payments.Auth", health_pb2.HealthCheckResponse.SERVING)
    await servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    async def asked(service: str) -> probes.Answer:
        check = units.GrpcCheck(address=f"127.0.0.1:{port}", service=service)
        return await probes.ask(units.Probe(check=check, timeout=5.0))

    try:
        assert await asked("payments.Auth") == probes.Answer(True, "SERVING")
        assert await asked("") == probes.Answer(False, "NOT_SERVING")
        unknown = await asked("nobody")
        assert not unknown.passed and unknown.said.startswith("NOT_FOUND")
    finally:
        await server.stop(None)
    gone = await asked("")
    assert not gone.passed and "UNAVAILABLE" in gone.said


async def test_without_grpcio_a_grpc_check_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    answer = await probes.ask(units.Probe(check=units.GrpcCheck(address="127.0.0.1:1")))
    assert answer == probes.Answer(False, "cannot ask: grpcio is not installed (pip install grpcio)")


async def test_exec_passes_when_the_command_exits_with_zero_and_one_too_slow_is_killed() -> None:
    async def asked(code: str, timeout: float = 10.0) -> probes.Answer:
        return await probes.ask(units.Probe(check=units.ExecCheck(command=running.python(code)), timeout=timeout))

    assert await asked("pass") == probes.Answer(True, "exited with status 0")
    assert await asked("raise SystemExit(3)") == probes.Answer(False, "exited with status 3")
    assert await asked(running.FOREVER, timeout=0.2) == probes.Answer(False, "no answer in 0.2 s")


async def test_an_exec_check_without_its_program_says_so() -> None:
    check = units.ExecCheck(command=units.Command(argv=("no-such-program",)))
    assert await probes.ask(units.Probe(check=check)) == probes.Answer(False, "there is no program no-such-program")
