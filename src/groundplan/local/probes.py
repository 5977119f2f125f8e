"""Checks, as the kubelet makes them, and the rhythm in which one process is asked."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from groundplan.local import errors, process
from groundplan.local.plan import units

FIRST_STEP, LONGEST_STEP = 0.04, 0.25
"""Seconds between questions until the first yes: a period of 10 s would make every start last that long."""


class Answer(msgspec.Struct, frozen=True):
    """What a check said, in words too."""

    passed: bool
    said: str


async def ask(probe: units.Probe) -> Answer:
    """One answer, within the probe's timeout."""
    try:
        async with asyncio.timeout(probe.timeout):
            return await _ask(probe.check)
    except TimeoutError:
        return Answer(False, f"no answer in {probe.timeout:g} s")
    except ConnectionRefusedError:
        return Answer(False, "connection refused")
    except (OSError, EOFError, ValueError) as error:
        return Answer(False, str(error) or type(error).__name__)
    except errors.LocalError as error:
        return Answer(False, error.what)


async def _ask(check: units.Check) -> Answer:
    match check:
        case units.HttpCheck():
            return await _http(check.url)
        case units.TcpCheck():
            return await _tcp(check.address)
        case units.GrpcCheck():
            return await _grpc(check)
        case units.ExecCheck():
            return await _exec(check.command)


async def _http(url: str) -> Answer:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        head = (f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "User-Agent: groundplan-probe", "Connection: close")
        writer.write("\r\n".join((*head, "", "")).encode("ascii"))
        # "HTTP/1.1 200 OK"
        line = (await reader.readline()).decode("latin-1").split(maxsplit=2)
    finally:
        writer.close()
    if len(line) < 2 or not line[1].isdigit():
        return Answer(False, "no HTTP answer")
    return Answer(200 <= int(line[1]) < 400, " ".join(line[1:]).strip())


async def _tcp(address: str) -> Answer:
    host, _, port = address.rpartition(":")
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.close()
    return Answer(True, "connected")


async def _exec(command: units.Command) -> Answer:
    child = process.start(command, Path(os.devnull), "SIGKILL")
    try:
        status = await asyncio.shield(child.exited)
    finally:
        child.kill()
    return Answer(status == 0, process.words(status))


async def _grpc(check: units.GrpcCheck) -> Answer:
    try:
        from grpc import RpcError, aio
    except ImportError:
        return Answer(False, "cannot ask: grpcio is not installed (pip install grpcio)")
    name = check.service.encode()
    # grpc.health.v1: HealthCheckRequest {string service = 1}, HealthCheckResponse {ServingStatus status = 1}.
    request = b"\x0a" + bytes([len(name)]) + name if name else b""
    async with aio.insecure_channel(check.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            return _serving(await call(request))
        except RpcError as error:
            return Answer(False, f"{error.code().name}: {error.details()}")


def _serving(response: bytes) -> Answer:
    status = response[1] if response[:1] == b"\x08" and len(response) > 1 else 0
    names = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
    return Answer(status == 1, names[status] if status < len(names) else f"status {status}")


@dataclass
class Streak:
    """Answers in a row: a yes counts at once, a no after `failures` of them."""

    failures: int
    passed: bool = False
    refused: int = 0

    def saw(self, answer: Answer) -> bool:
        """Takes an answer; returns the verdict."""
        self.refused = 0 if answer.passed else self.refused + 1
        if answer.passed:
            self.passed = True
        elif self.refused >= self.failures:
            self.passed = False
        return self.passed


Heard = Callable[[Answer], None]


async def until_yes(probe: units.Probe, heard: Heard) -> None:
    """Asks in growing steps until the first yes."""
    step = FIRST_STEP
    while True:
        answer = await ask(probe)
        heard(answer)
        if answer.passed:
            return
        await asyncio.sleep(min(step, probe.period))
        step = min(step * 1.5, LONGEST_STEP)


async def startup(probe: units.Probe, heard: Heard) -> str | None:
    """Returns None at the first yes, or why it failed when the kubelet would have given up: failures × period."""
    last = Answer(False, "not asked")

    def remember(answer: Answer) -> None:
        nonlocal last
        last = answer
        heard(answer)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(probe.failures * probe.period):
            await until_yes(probe, remember)
            return None
    return f"its startup probe failed for {probe.failures * probe.period:g} s: {last.said}"


async def liveness(probe: units.Probe, heard: Heard) -> str:
    """Returns why, once it has failed often enough in a row."""
    streak = Streak(probe.failures, passed=True)
    while True:
        await asyncio.sleep(probe.period)
        answer = await ask(probe)
        heard(answer)
        if not streak.saw(answer):
            return f"its liveness probe failed {probe.failures} times: {answer.said}"


async def readiness(probe: units.Probe, heard: Heard, became: Callable[[bool, str], None]) -> None:
    """Tells each change of readiness, for ever."""
    await until_yes(probe, heard)
    became(True, "")
    streak = Streak(probe.failures, passed=True)
    while True:
        # While it is not ready it is asked oftener, so that its return is seen at once.
        await asyncio.sleep(probe.period if streak.passed else min(probe.period, 4 * LONGEST_STEP))
        answer = await ask(probe)
        heard(answer)
        before = streak.passed
        if streak.saw(answer) != before:
            became(streak.passed, answer.said)
