"""The sample service as a process: started, asked, stopped."""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

HERE = pathlib.Path(__file__).parent
LIMIT = 20.0  # seconds that anything may take on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


@dataclasses.dataclass
class Running:
    """A process of the sample service."""

    process: subprocess.Popen[bytes]
    http: int
    grpc: int
    ops: int
    log: pathlib.Path

    def get(self, path: str, **headers: str) -> Answer:
        return ask(self.http, "GET", path, headers=headers)

    def ops_get(self, path: str) -> Answer:
        return ask(self.ops, "GET", path)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def said(self, message: str) -> bool:
        return any(line["message"] == message for line in self.lines())

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(LIMIT)


def variables(http_port: int, grpc_port: int, ops_port: int, more: dict[str, str]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "SERVICE_NAME": "sample",
        "SERVICE_INSTANCE": "sample-0",
        "HTTP_LISTEN": f"127.0.0.1:{http_port}",
        "GRPC_LISTEN": f"127.0.0.1:{grpc_port}",
        "METRICS_LISTEN": f"127.0.0.1:{ops_port}",
        "SAMPLE_OPEN": "1",
        **more,
    }


@contextlib.contextmanager
def sample(
    log: pathlib.Path, *, wait: bool = True, ports: tuple[int, int] | None = None, **more: Any
) -> Iterator[Running]:
    """The sample service, ready (unless `wait` is off); killed at the end if it still runs."""
    traffic = ports or (free_port(), free_port())
    ops_port = free_port()
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "sample.py")],
            env=variables(*traffic, ops_port, more),
            stdout=out,
            stderr=out,
        )
    running = Running(process, *traffic, ops_port, log)
    try:
        if wait:
            until(lambda: _ready(running), f"the sample is not ready:\n{log.read_text()}")
        yield running
    finally:
        process.kill()
        process.wait(LIMIT)


def until(true: Any, why: str) -> None:
    """Wait until `true()`; fails with `why` after `LIMIT`."""
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end, why
        time.sleep(0.02)


def _ready(running: Running) -> bool:
    assert running.process.poll() is None, f"the sample ended:\n{running.log.read_text()}"
    with contextlib.suppress(OSError):
        return running.ops_get("/readyz").status == 200
    return False
