"""Calls to other services: ids and time travel, only the idempotent are tried again, a broken callee is left alone."""

import asyncio
import contextlib
import json
import pathlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest

from groundplan_runtime import breaker, callee, clients, current, deadlines, grpc_client, settings, traces
from runtime.tests import processes, workloads


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Running]:
    with processes.sample(tmp_path_factory.mktemp("callee") / "log") as started:
        yield started


@pytest.fixture
async def http(running: processes.Running) -> AsyncIterator[clients.Http]:
    async with clients.Http.for_callee("sample", environment={"SAMPLE_URL": f"http://127.0.0.1:{running.http}"}) as one:
        yield one


def channel(port: int, **options: Any) -> grpc_client.Channel:
    return clients.grpc_channel("sample", environment={"SAMPLE_GRPC_ADDRESS": f"127.0.0.1:{port}"}, **options)


async def test_ids_and_the_deadline_travel_by_http(http: clients.Http) -> None:
    current.request_id.set("order-7")
    position = traces.begin("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    with deadlines.within(2.0):
        seen = json.loads((await http.get("/whoami")).content)
    assert (seen["request_id"], seen["trace_id"]) == ("order-7", position.trace_id)
    assert 0 < seen["remaining"] <= 2.0


async def test_ids_and_the_deadline_travel_by_grpc(running: processes.Running) -> None:
    current.request_id.set("order-8")
    position = traces.begin(None)
    async with channel(running.grpc) as opened:
        with deadlines.within(2.0):
            seen = json.loads(await opened.unary_unary("/test.Echo/Who")(b""))
    assert (seen["request_id"], seen["trace_id"]) == ("order-8", position.trace_id)
    assert 0 < seen["remaining"] <= 2.0


async def test_a_rotated_token_is_sent_by_both(tmp_path: pathlib.Path) -> None:
    issuer = workloads.Issuer()
    callers = {name: {"http": ["*"], "grpc": ["*"]} for name in ("first", "second")}
    reference = workloads.write(tmp_path / "callers.json", (issuer,), callers)
    token = tmp_path / "token"
    token.write_text(issuer.token("first"))
    with processes.sample(tmp_path / "log", SAMPLE_OPEN="0", CALLERS=reference) as running:
        environment = {
            "SAMPLE_URL": f"http://127.0.0.1:{running.http}",
            "SAMPLE_GRPC_ADDRESS": f"127.0.0.1:{running.grpc}",
            "SAMPLE_TOKEN": f"file://{token}",
        }
        async with (
            clients.Http.for_callee("sample", environment=environment) as http,
            clients.grpc_channel("sample", environment=environment) as opened,
        ):
            for name in ("first", "second"):
                token.write_text(issuer.token(name))
                assert json.loads((await http.get("/whoami")).content)["caller"] == name
                assert json.loads(await opened.unary_unary("/test.Echo/Who")(b""))["caller"] == name


async def test_an_idempotent_http_call_is_tried_again_and_another_is_not(http: clients.Http) -> None:
    assert (await http.request("POST", "/status/503,502,200", idempotent=True)).status == 405
    assert (await http.request("GET", "/status/503,502,200", idempotent=True)).status == 200
    with pytest.raises(clients.CalleeUnavailable, match=r"sample: GET /status/503,200 was answered with 503") as raised:
        await http.request("GET", "/status/503,200")
    assert raised.value.response.status == 503
    assert (await http.request("GET", "/status/503,200")).status == 200


async def test_other_statuses_are_answers(http: clients.Http) -> None:
    for status in (301, 400, 404, 429, 500):
        assert (await http.get(f"/status/{status}")).status == status
    assert callee.breakers() == {"sample.http": "closed"}


async def test_an_idempotent_grpc_call_is_tried_again_and_another_is_not(running: processes.Running) -> None:
    async with channel(running.grpc, idempotent=("Fail",)) as again, channel(running.grpc) as once:
        assert await again.unary_unary("/test.Echo/Fail")(b"flaky") == b"at last"
        with pytest.raises(clients.CalleeUnavailable, match=r"sample: /test.Echo/Fail failed: as asked"):
            await once.unary_unary("/test.Echo/Fail")(b"flaky")
        assert await once.unary_unary("/test.Echo/Fail")(b"flaky") == b"at last"


async def test_a_grpc_status_of_the_callees_own_is_an_answer(running: processes.Running) -> None:
    async with channel(running.grpc) as opened:
        fail = opened.unary_unary("/test.Echo/Fail")
        for code in ("NOT_FOUND", "INVALID_ARGUMENT", "ABORTED", "RESOURCE_EXHAUSTED"):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await fail(code.encode())
            assert (raised.value.code().name, raised.value.details()) == (code, "as asked")
    assert callee.breakers() == {"sample.grpc": "closed"}


async def test_an_unexpected_error_tells_the_caller_nothing(running: processes.Running) -> None:
    async with channel(running.grpc) as opened:
        current.request_id.set("unexpected-1")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await opened.unary_unary("/test.Echo/Fail")(b"unexpected")
    expected = (grpc.StatusCode.INTERNAL, "internal error (request unexpected-1)")
    assert (raised.value.code(), raised.value.details()) == expected


async def test_streams_work_through_the_channel(running: processes.Running) -> None:
    async with channel(running.grpc) as opened:
        count = opened.unary_stream("/test.Echo/Count")
        assert [item async for item in count(b"3", timeout=5)] == [b"0", b"1", b"2"]


async def test_a_slow_callee_ends_at_the_deadline(http: clients.Http, running: processes.Running) -> None:
    with deadlines.within(0.1), pytest.raises(clients.DeadlineExceeded, match=r"GET /slow\?seconds=5 had no answer"):
        await http.get("/slow?seconds=5")
    async with channel(running.grpc, timeout=0.1) as opened:
        with pytest.raises(clients.DeadlineExceeded, match=r"/test.Echo/Slow had no answer"):
            await opened.unary_unary("/test.Echo/Slow")(b"5")
    with deadlines.within(0.0), pytest.raises(clients.DeadlineExceeded, match=r"the caller's deadline passed"):
        await http.get("/whoami")


async def test_a_callee_that_is_not_there_is_told_by_name_and_then_left_alone() -> None:
    port = processes.free_port()
    environment = {"GONE_URL": f"http://127.0.0.1:{port}", "GONE_GRPC_ADDRESS": f"127.0.0.1:{port}"}
    async with (
        clients.Http.for_callee("gone", environment=environment) as http,
        clients.grpc_channel("gone", environment=environment) as opened,
    ):
        for _ in range(5):
            with pytest.raises(clients.CalleeUnavailable, match=r"gone: POST /x failed"):
                await http.post("/x", {})
            with pytest.raises(clients.CalleeUnavailable, match=r"gone: /test.Echo/Say failed"):
                await opened.unary_unary("/test.Echo/Say")(b"")
        assert callee.breakers() == {"gone.http": "open", "gone.grpc": "open"}
        with pytest.raises(clients.BreakerOpen, match=r"gone: failed often just now"):
            await http.post("/x", {})
        with pytest.raises(clients.BreakerOpen):
            await opened.unary_unary("/test.Echo/Say")(b"")


async def test_a_callee_that_returns_is_found_again(tmp_path: pathlib.Path) -> None:
    ports = (processes.free_port(), processes.free_port())
    now = [0.0]
    async with channel(ports[1]) as opened:
        opened._to.breaker = breaker.Breaker(clock=lambda: now[0])
        say = opened.unary_unary("/test.Echo/Say")
        for _ in range(2):
            with processes.sample(tmp_path / "log", ports=ports):
                now[0] += 10
                await _eventually(lambda: say(b"hello"))
                assert opened._to.breaker.state == "closed"
            with pytest.raises(clients.CalleeUnavailable):
                # A call in the very moment of its death waits for it to return; no later one does.
                with contextlib.suppress(clients.DeadlineExceeded):
                    await say(b"hello")
                for _ in range(10):
                    await say(b"hello")


async def _eventually(call: Callable[[], Awaitable[Any]]) -> None:
    """gRPC reconnects with a pause of up to a second."""
    for _ in range(100):
        try:
            await call()
            return
        except clients.CalleeUnavailable:
            await asyncio.sleep(0.1)
    raise AssertionError("never reached again")


async def test_a_call_given_up_by_its_caller_says_nothing_about_the_callee(http: clients.Http) -> None:
    for _ in range(6):
        waiting = asyncio.ensure_future(http.get("/slow?seconds=5"))
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert callee.breakers() == {"sample.http": "closed"}


async def test_calls_spread_over_replicas_behind_one_address(tmp_path: pathlib.Path) -> None:
    ports = (processes.free_port(), processes.free_port())
    with (
        processes.sample(tmp_path / "0", ports=ports, SERVICE_INSTANCE="sample-0"),
        processes.sample(tmp_path / "1", ports=ports, SERVICE_INSTANCE="sample-1"),
    ):
        seen = set()
        for _ in range(5):  # the kernel spreads connections by chance: 4 miss a replica once in 8 times
            async with channel(ports[1]) as opened:
                await opened.channel_ready()
                who = opened.unary_unary("/test.Echo/Who")
                seen |= {json.loads(await who(b""))["instance"] for _ in range(8)}
    assert seen == {"sample-0", "sample-1"}


def test_a_missing_address_is_told_with_an_example() -> None:
    with pytest.raises(
        settings.SettingsError, match=r"MERCHANT_SERVICE_URL is not set\n    fix: .*http://127\.0\.0\.1:8001"
    ):
        clients.Http.for_callee("merchant-service", environment={})


async def test_a_connection_broken_off_is_unavailable() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)

        async def break_off() -> None:
            accepted, _ = await asyncio.get_running_loop().sock_accept(listener)
            accepted.close()

        async with clients.Http.for_callee(
            "rude", environment={"RUDE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}"}
        ) as http:
            breaking = asyncio.ensure_future(break_off())
            with pytest.raises(clients.CalleeUnavailable, match=r"rude: POST /x failed"):
                await http.post("/x", {})
            await breaking
