"""A replica that is told to go loses no request, whatever state the connections are in."""

import asyncio
import contextlib
import pathlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from groundplan_runtime import clients
from runtime.tests import processes

REQUEST = b"GET /slow?seconds=0.002 HTTP/1.1\r\nhost: sample\r\n\r\n"


@pytest.fixture
def replicas(tmp_path: pathlib.Path) -> Iterator[list[processes.Running]]:
    """Two processes on one port."""
    ports = (processes.free_port(), processes.free_port())
    with (
        processes.sample(tmp_path / "0", ports=ports, SERVICE_INSTANCE="sample-0") as zero,
        processes.sample(tmp_path / "1", ports=ports, SERVICE_INSTANCE="sample-1") as one,
    ):
        yield [zero, one]


class Connection:
    """An HTTP/1.1 client connection that reconnects when told to, as every client does, and never tries again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> str:
        """The instance that answered; raises when there was no answer."""
        reader, writer = await self._opened()
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
        body = await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 200 "), head
        if b"connection: close" in head.lower():
            self.close()
        return body.decode().split('"')[3]

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        # A pool does not hand out a connection on which it has seen the end.
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def load(workers: list[Callable[[], Any]], during: Callable[[], Any], pause: float) -> list[Any]:
    """What every call of every worker gave, while `during` runs in the middle; no call may fail."""
    running, results = True, []

    async def work(call: Callable[[], Any]) -> None:
        while running:
            results.append(await call())
            await asyncio.sleep(pause)

    tasks = [asyncio.ensure_future(work(call)) for call in workers]
    await asyncio.sleep(0.3)
    await asyncio.get_running_loop().run_in_executor(None, during)
    await asyncio.sleep(0.3)
    running = False
    await asyncio.gather(*tasks)
    return results


def ended_well(running: processes.Running) -> Callable[[], None]:
    def end() -> None:
        assert running.stop(signal.SIGTERM) == 0

    return end


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["busy", "pausing"])
async def test_kept_connections_lose_no_request(replicas: list[processes.Running], pause: float) -> None:
    connections = [Connection(replicas[0].http) for _ in range(24)]
    seen = await load([one.ask for one in connections], ended_well(replicas[0]), pause)
    for one in connections:
        one.close()
    assert {"sample-0", "sample-1"} == set(seen)
    assert set(seen[-24:]) == {"sample-1"}


async def test_new_connections_lose_no_request(replicas: list[processes.Running]) -> None:
    async def ask() -> str:
        connection = Connection(replicas[0].http)
        try:
            return await connection.ask()
        finally:
            connection.close()

    seen = await load([ask] * 16, ended_well(replicas[0]), 0.0)
    assert {"sample-0", "sample-1"} == set(seen)


async def test_grpc_calls_are_not_lost(replicas: list[processes.Running]) -> None:
    address = f"127.0.0.1:{replicas[0].grpc}"
    async with clients.grpc_channel("sample", environment={"SAMPLE_GRPC_ADDRESS": address}, connections=8) as channel:
        slow = channel.unary_unary("/test.Echo/Slow")
        seen = await load([lambda: slow(b"0.002")] * 16, ended_well(replicas[0]), 0.0)
    assert set(seen[-16:]) == {b"sample-1"}
    assert set(seen) == {b"sample-0", b"sample-1"}


async def test_what_was_begun_is_finished_within_the_time_to_drain(tmp_path: pathlib.Path) -> None:
    with processes.sample(tmp_path / "log") as running:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.grpc}") as channel:
            by_grpc = asyncio.ensure_future(_unary(channel, b"1.5"))
            by_http = asyncio.ensure_future(asyncio.to_thread(running.get, "/slow?seconds=1.5"))
            await asyncio.sleep(0.5)
            ending = asyncio.ensure_future(asyncio.to_thread(running.stop))
            assert (await by_http).status == 200
            assert await by_grpc == b"sample-0"
            assert await ending == 0


async def test_a_request_of_which_half_has_arrived_is_answered(tmp_path: pathlib.Path) -> None:
    with processes.sample(tmp_path / "log") as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.http)
        writer.write(REQUEST[:20])
        await asyncio.sleep(0.1)
        ending = asyncio.ensure_future(asyncio.to_thread(running.stop))
        await asyncio.sleep(1.0)
        writer.write(REQUEST[20:])
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer
        assert await ending == 0
        writer.close()


async def test_a_connection_just_opened_may_still_ask(tmp_path: pathlib.Path) -> None:
    with processes.sample(tmp_path / "log", DRAIN_DELAY_SECONDS="0") as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.http)
        running.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        writer.write(REQUEST)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        assert await asyncio.to_thread(running.process.wait, processes.LIMIT) == 0
        writer.close()


async def test_what_takes_longer_is_cut_off(tmp_path: pathlib.Path) -> None:
    with processes.sample(tmp_path / "log", DRAIN_SECONDS="0.3") as running:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.grpc}") as channel:
            by_grpc = asyncio.ensure_future(_unary(channel, b"60"))
            by_http = asyncio.ensure_future(asyncio.to_thread(running.get, "/slow?seconds=60"))
            await asyncio.sleep(0.5)
            assert await asyncio.to_thread(running.stop) == 0
            with pytest.raises(OSError, match=r"closed|reset"):
                await by_http
            with pytest.raises(grpc.aio.AioRpcError):
                await by_grpc
        assert running.said("cut off requests that took too long")


async def test_while_draining_probes_say_so_and_requests_are_answered(tmp_path: pathlib.Path) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with processes.sample(tmp_path / "log", DRAIN_DELAY_SECONDS="2") as running:
        running.process.send_signal(signal.SIGTERM)
        processes.until(lambda: running.ops_get("/readyz").json["status"] == "draining", "not draining")
        assert running.ops_get("/readyz").status == 503
        assert running.ops_get("/livez").status == 200
        answer = running.get("/whoami")
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.grpc}") as channel:
            status = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="test.Echo"))
            assert status.status == 2  # NOT_SERVING
            assert await _unary(channel, b"0") == b"sample-0"
        with contextlib.suppress(ProcessLookupError):
            assert running.process.wait(processes.LIMIT) == 0


async def _unary(channel: Any, request: bytes) -> Any:
    return await channel.unary_unary("/test.Echo/Slow")(request)
