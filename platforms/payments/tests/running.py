"""Services as processes, as a platform runs them: with callers' files, workload tokens, settings; and a mail catcher.

::

    with running.Platform(tmp_path) as platform:
        auth = platform.start("auth-service", "payments.auth", {...}, callers={"api-gateway": {"http": ["*"]}})
        platform.call(auth, "GET", "/auth/me", caller="api-gateway")
"""

from __future__ import annotations

import contextlib
import dataclasses
import email
import email.policy
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from http import client
from typing import Any

import jwt
from aiosmtpd import controller
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from groundplan_runtime import contract
from platforms.payments.tests import engines

ISSUER = "https://issuer.test"
LIMIT = 30.0
"""Seconds that anything may take on a busy machine."""


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclasses.dataclass(frozen=True)
class Running:
    """One process of a service."""

    name: str
    process: subprocess.Popen[bytes]
    http: int
    grpc: int
    ops: int
    log: pathlib.Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(LIMIT)


class Platform:
    """Starts services that know each other; ends them all."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self._key = ed25519.Ed25519PrivateKey.generate()
        self._started: list[Running] = []

    def __enter__(self) -> Platform:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._started:
            running.process.kill()
        for running in self._started:
            running.process.wait(LIMIT)

    def file(self, name: str, content: str) -> str:
        """A reference to a file with `content`."""
        path = self.directory / name
        path.write_text(content)
        return f"file://{path}"

    def token(self, caller: str, callee: str) -> str:
        """The workload token of `caller` for `callee`."""
        claims = {"sub": contract.workload("test", caller), "aud": callee, "iss": ISSUER, "exp": time.time() + 3600}
        return jwt.encode(claims, self._key, "EdDSA", {"kid": "test"})

    def callee(self, caller: str, running: Running, port: str = "http") -> dict[str, str]:
        """The variables by which `caller` finds and may call `running`."""
        token = self.file(f"{caller}-to-{running.name}", self.token(caller, running.name))
        found = {contract.token_variable(running.name): token}
        if port == "http":
            return found | {contract.url_variable(running.name): f"http://127.0.0.1:{running.http}"}
        return found | {contract.address_variable(running.name): f"127.0.0.1:{running.grpc}"}

    def start(
        self,
        name: str,
        module: str,
        variables: Mapping[str, str],
        callers: Mapping[str, Any],
        ports: tuple[int, int] | None = None,
        wait: bool = True,
    ) -> Running:
        """A process of `module` (or of a script), ready; `callers` are their rights by name."""
        http, grpc = ports or (engines.free_port(), engines.free_port())
        ops = engines.free_port()
        log = self.directory / f"{name}-{ops}.log"
        given = self._common(name, callers, http, grpc, ops) | dict(variables)
        with log.open("wb") as output:
            process = subprocess.Popen(_command(module), env=given, stdout=output, stderr=output)
        running = Running(name, process, http, grpc, ops, log)
        self._started.append(running)
        if wait:
            until(lambda: _ready(running), lambda: f"{name} is not ready:\n{log.read_text()}")
        return running

    def call(self, running: Running, method: str, path: str, caller: str = "", **options: Any) -> Answer:
        """An HTTP request; `caller` names the workload that sends it, if any."""
        headers = dict(options.pop("headers", {}))
        if caller:
            headers[contract.WORKLOAD_TOKEN_HEADER] = self.token(caller, running.name)
        return ask(running.http, method, path, headers=headers, **options)

    def _common(self, name: str, callers: Mapping[str, Any], http: int, grpc: int, ops: int) -> dict[str, str]:
        named = {contract.workload("test", caller): rights for caller, rights in callers.items()}
        public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key()))
        jwks = {"keys": [public | {"kid": "test", "alg": "EdDSA", "use": "sig"}]}
        document = {"audience": name, "issuer": ISSUER, "jwks": jwks, "callers": named}
        return {
            "PATH": os.environ["PATH"],
            "SERVICE_NAME": name,
            "SERVICE_VERSION": "1.0.0",
            "HTTP_LISTEN": f"127.0.0.1:{http}",
            "GRPC_LISTEN": f"127.0.0.1:{grpc}",
            "METRICS_LISTEN": f"127.0.0.1:{ops}",
            "CALLERS": self.file(f"{name}-{ops}-callers.json", json.dumps(document)),
        }


def _command(module: str) -> list[str]:
    return [sys.executable, module] if module.endswith(".py") else [sys.executable, "-m", module]


def ask(
    port: int,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    json_body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One HTTP request on a connection of its own; header names in the answer are lower case."""
    sent = dict(headers or {})
    if json_body is not None:
        body, sent["content-type"] = json.dumps(json_body).encode(), "application/json"
    connection = client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def until(true: Callable[[], object], why: Callable[[], str] | str) -> None:
    """Waits until `true()`; fails with `why` after `LIMIT`."""
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end, why if isinstance(why, str) else why()
        time.sleep(0.02)


def signing_keys(*kids: str) -> str:
    """What JWT_SIGNING_KEY refers to, newest first."""
    keys = [{"version": len(kids) - n, "kid": kid, "private_pem": _pem()} for n, kid in enumerate(kids)]
    return json.dumps({"keys": keys})


def _pem() -> str:
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(encoding, kind, serialization.NoEncryption()).decode()


def _ready(running: Running) -> bool:
    assert running.process.poll() is None, f"{running.name} ended:\n{running.log.read_text()}"
    with contextlib.suppress(OSError):
        return ask(running.ops, "GET", "/readyz").status == 200
    return False


@dataclasses.dataclass
class Mails:
    """What a mail catcher caught."""

    port: int
    caught: list[EmailMessage] = dataclasses.field(default_factory=list)

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.caught if mail["To"] == address]

    def token(self, address: str) -> str:
        """The token in the last mail to `address`."""
        return str(re.findall(r"token=(\w+)", self.to(address)[-1].get_content())[-1])


@contextlib.contextmanager
def mail_catcher() -> Iterator[Mails]:
    """An SMTP server that keeps what it is sent."""
    mails = Mails(engines.free_port())

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            message = email.message_from_bytes(envelope.content, EmailMessage, policy=email.policy.default)
            mails.caught.append(message)
            return "250 OK"

    server = controller.Controller(Handler(), hostname="127.0.0.1", port=mails.port)
    server.start()
    try:
        yield mails
    finally:
        server.stop()
