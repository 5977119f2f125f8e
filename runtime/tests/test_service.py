"""A service serves, tells how it is, refuses to start when it could not work, and ends in order."""

import json
import pathlib
import re
import signal
import subprocess
import sys
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from runtime.tests import processes

LOG = "log"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> object:
    with processes.sample(tmp_path_factory.mktemp("sample") / LOG) as started:
        yield started


def test_ids_and_deadline_come_in_by_headers(running: processes.Running) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {
        "x-request-id": "order-7",
        "traceparent": f"00-{trace}-b7ad6b7169203331-01",
        "x-request-timeout-ms": "1500",
    }
    answer = running.get("/whoami", **headers)
    assert (answer.json["request_id"], answer.json["trace_id"]) == ("order-7", trace)
    assert 0 < answer.json["remaining"] <= 1.5
    assert answer.headers["x-request-id"] == "order-7"


def test_a_request_without_ids_gets_new_ones(running: processes.Running) -> None:
    one, two = running.get("/whoami"), running.get("/whoami", **{"x-request-id": 'bad id"<>'})
    for answer in (one, two):
        assert re.fullmatch("req_[a-z]{24}", answer.json["request_id"])
        assert re.fullmatch("[0-9a-f]{32}", answer.json["trace_id"])
        assert answer.json["remaining"] is None
    assert one.json["trace_id"] != two.json["trace_id"]


def test_the_access_log_says_what_was_asked_with_the_ids(running: processes.Running) -> None:
    running.get("/things/4242424242424242", **{"x-request-id": "find-me"})
    processes.until(lambda: any(line.get("request_id") == "find-me" for line in running.lines()), "no line")
    line = next(line for line in running.lines() if line.get("request_id") == "find-me")
    expected = {"service": "sample", "instance": "sample-0", "level": "INFO", "method": "GET", "status": 200}
    assert expected.items() <= line.items()
    assert (line["path"], line["route"]) == ("/things/************4242", "/things/{id}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b'{"amount": 5}', 201, None),
        (b'{"amount": "5"}', 400, "Expected `int`, got `str` - at `$.amount`"),
        (b'{"amount": 5, "more": 1}', 400, "Object contains unknown field `more`"),
        (b"{", 400, "the body is not JSON: Input data was truncated"),
        (b"[" * 900, 400, None),
        (b" " * 1001, 413, "the body may have 1000 bytes at most"),
    ],
)
def test_a_body_is_decoded_or_clearly_refused(
    running: processes.Running, body: bytes, status: int, detail: str | None
) -> None:
    answer = processes.ask(running.http, "POST", "/orders", body, {"content-type": "application/json"})
    assert answer.status == status
    if detail:
        assert answer.json["detail"] == detail
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_chunked_body_over_the_limit_is_refused(running: processes.Running) -> None:
    chunks = (b"x" * 600 for _ in range(2))
    answer = processes.ask(running.http, "POST", "/orders", chunks, {"content-type": "application/json"})  # type: ignore[arg-type]
    assert answer.status == 413


def test_every_error_is_problem_details(running: processes.Running) -> None:
    missing, method = running.get("/nowhere"), processes.ask(running.http, "DELETE", "/whoami")
    broken, down = running.get("/broken"), running.get("/down")
    assert [answer.status for answer in (missing, method, broken, down)] == [404, 405, 500, 503]
    assert "GET" in method.headers["allow"]
    assert down.headers["retry-after"] == "3"
    assert broken.json == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "code": "internal",
        "request_id": broken.headers["x-request-id"],
    }


def test_an_unexpected_error_is_logged_with_its_traceback_masked(running: processes.Running) -> None:
    running.get("/broken", **{"x-request-id": "broken-1"})
    line = next(line for line in running.lines() if line.get("request_id") == "broken-1" and "exception" in line)
    assert line["level"] == "ERROR"
    assert line["exception"].endswith("ValueError: the card ************4242 was not expected")
    assert "4242424242424242" not in running.log.read_text()


def test_metrics_count_by_route_and_not_by_path(running: processes.Running) -> None:
    for path in ("/things/1", "/things/2", "/unknown/3"):
        running.get(path)
    text = running.ops_get("/metrics").body.decode()
    assert re.search(r'http_requests_total\{method="GET",route="/things/\{id\}",status="200"\} [2-9]', text)
    assert 'route="unmatched",status="404"' in text
    assert 'http_request_duration_seconds_bucket{le="0.1",method="GET",route="/things/{id}"}' in text
    assert "process_resident_memory_bytes" in text
    assert "/things/1" not in text


def test_ops_tell_life_readiness_and_health(tmp_path: pathlib.Path) -> None:
    broken = tmp_path / "broken"
    with processes.sample(tmp_path / LOG, SAMPLE_BROKEN=str(broken)) as running:
        assert running.ops_get("/readyz").json == {"status": "ready", "checks": {"database": "ok"}}
        broken.touch()
        processes.until(lambda: running.ops_get("/readyz").status == 503, "still ready")
        checks = {"database": "ConnectionError: refused"}
        assert running.ops_get("/readyz").json == {"status": "not ready", "checks": checks}
        assert running.ops_get("/livez").status == 200
        assert running.ops_get("/health").status == 503
        with grpc.insecure_channel(f"127.0.0.1:{running.grpc}") as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            for name in ("", "test.Echo"):
                assert check(health_pb2.HealthCheckRequest(service=name)).status == 2  # NOT_SERVING
        broken.unlink()
        processes.until(lambda: running.ops_get("/readyz").status == 200, "not ready again")
        assert running.ops_get("/health").json["status"] == "ok"
        assert running.ops_get("/elsewhere").status == 404


def test_reflection_names_the_services(running: processes.Running) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    with grpc.insecure_channel(f"127.0.0.1:{running.grpc}") as channel:
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask]))
    names = {service.name for service in answer.list_services_response.service}
    assert names == {"test.Echo", "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_with_exit_code_0(tmp_path: pathlib.Path, number: int) -> None:
    with processes.sample(tmp_path / LOG) as running:
        assert running.stop(number) == 0
        said = [line["message"] for line in running.lines()]
    assert said == ["started", "background ended", "stopped", "closed second", "closed first"]


def test_a_dying_background_task_ends_it_with_exit_code_1_and_its_traceback(tmp_path: pathlib.Path) -> None:
    with processes.sample(tmp_path / LOG, wait=False, SAMPLE_BACKGROUND="dies") as running:
        assert running.process.wait(processes.LIMIT) == 1
        line = next(line for line in running.lines() if line["level"] == "CRITICAL")
    assert line["exception"].endswith("RuntimeError: the queue is gone")
    assert running.said("closed first")


def test_a_worker_has_only_the_ops_port(tmp_path: pathlib.Path) -> None:
    with processes.sample(tmp_path / LOG, SAMPLE="worker", SAMPLE_OPEN="0") as running:
        assert running.ops_get("/livez").status == 200
        with pytest.raises(ConnectionRefusedError):
            running.get("/whoami")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SAMPLE_OPEN": "0"}, "CALLERS is not set, so nobody could call"),
        ({"HTTP_LISTEN": "8001"}, "HTTP_LISTEN must be an address, not '8001'"),
        ({"HTTP_LISTEN": ""}, "HTTP_LISTEN is not set"),
        ({"GRPC_LISTEN": "127.0.0.1:99999"}, "GRPC_LISTEN must be an address"),
        ({"HTTP_LISTEN": "203.0.113.1:80"}, "HTTP_LISTEN=203.0.113.1:80 cannot be listened on"),
        ({"GRPC_LISTEN": "203.0.113.1:80"}, "GRPC_LISTEN=203.0.113.1:80 cannot be listened on"),
        ({"DRAIN_SECONDS": "long"}, "DRAIN_SECONDS must be a number, not 'long'"),
    ],
)
def test_unusable_settings_are_told_and_end_it_with_exit_code_2(
    tmp_path: pathlib.Path, wrong: dict[str, Any], said: str
) -> None:
    with processes.sample(tmp_path / LOG, wait=False, **wrong) as running:
        assert running.process.wait(processes.LIMIT) == 2
    assert said in running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def test_a_port_taken_by_another_program_is_told(tmp_path: pathlib.Path) -> None:
    import socket

    listen: dict[str, Any]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        for variable in ("HTTP_LISTEN", "GRPC_LISTEN", "METRICS_LISTEN"):
            listen = {variable: taken}
            with processes.sample(tmp_path / variable, wait=False, **listen) as running:
                assert running.process.wait(processes.LIMIT) == 2
            assert f"{variable}={taken} cannot be listened on: Address already in use" in running.log.read_text()


@pytest.mark.parametrize("module", ["uvloop", "httptools"])
def test_it_refuses_to_start_slowly(module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; from groundplan_runtime import service; service.run(None)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=processes.LIMIT)
    assert run.returncode == 2
    assert f"{module} is not installed" in run.stderr
    assert 'pip install "groundplan-runtime[http]"' in run.stderr


def test_a_process_without_grpc_does_not_import_it() -> None:
    code = (
        "import sys, json; from groundplan_runtime import service, http, clients, postgres, redis;"
        "late = ('grpc', 'redis', 'jwt', 'pyqwest', 'opentelemetry');"
        "print(json.dumps([name for name in late if name in sys.modules]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=processes.LIMIT
    )
    assert json.loads(run.stdout) == []
