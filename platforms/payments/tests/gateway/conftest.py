"""The gateway as a process, in front of echoes, on a real Redis."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from payments.common import keys, tokens
from platforms.payments.tests import engines, running

SCRIPT = str(pathlib.Path(__file__).parent / "backends.py")
RIGHTS = {"api-gateway": {"http": ["*"], "grpc": ["ValidateToken", "ValidateApiKey"]}}
NAMES = ("auth-service", "merchant-service", "payment-api-service")


@dataclasses.dataclass
class Door:
    """The gateway and what stands behind it."""

    platform: running.Platform
    valkey: engines.Valkey
    key: ed25519.Ed25519PrivateKey
    backends: dict[str, running.Running]
    gateway: running.Running

    def ask(self, method: str, path: str, *, key: str = "", token: str = "", **options: Any) -> running.Answer:
        headers = dict(options.pop("headers", {}))
        if key or token:
            headers["authorization"] = f"Bearer {key or token}"
        return running.ask(self.gateway.http, method, path, headers=headers, **options)

    def issue(self, kind: str = "secret", livemode: bool = False, **more: Any) -> str:
        """A key that auth-service knows."""
        key = keys.new(kind, livemode)
        known = {"valid": True, "key_id": "key_1", "account_id": f"acct_{key[-8:]}", "kind": kind, "livemode": livemode}
        self.remember(key, known | {"scopes": ["*"] if kind == "secret" else []} | more)
        return key

    def sign_in(self, user_id: str = "usr_1", key: ed25519.Ed25519PrivateKey | None = None, kid: str = "one") -> str:
        """An access token of a live session."""
        now = int(time.time())
        claims = {"iss": tokens.ISSUER, "aud": tokens.AUDIENCE, "sub": user_id, "sid": f"ses_{user_id}", "iat": now}
        token = jwt.encode(claims | {"exp": now + 900, "roles": ["user"]}, key or self.key, "EdDSA", {"kid": kid})
        self.remember(token, {"valid": True, "user_id": user_id, "session_id": f"ses_{user_id}", "roles": ["user"]})
        return token

    def remember(self, credential: str, principal: dict[str, Any]) -> None:
        path = self.platform.directory / "known"
        self.platform.file("known", json.dumps(json.loads(path.read_text()) | {credential: principal}))

    def forget(self) -> None:
        self.platform.file("known", "{}")

    def asked(self, what: str) -> int:
        return (self.platform.directory / "asked").read_text().split().count(what)

    def seen(self) -> list[str]:
        return (self.platform.directory / "seen").read_text().splitlines()

    def metric(self, name: str) -> float:
        lines = running.ask(self.gateway.ops, "GET", "/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def start_backend(self, name: str, ports: tuple[int, int] | None = None) -> running.Running:
        directory = self.platform.directory
        variables = {variable: str(directory / variable.lower()) for variable in ("KNOWN", "ASKED", "SEEN", "JWKS")}
        self.backends[name] = self.platform.start(name, SCRIPT, variables, RIGHTS, ports)
        return self.backends[name]

    def start_gateway(self, **more: str) -> running.Running:
        variables = {"RATE_LIMIT_URL": self.platform.file("rate", self.valkey.url("rate:"))} | more
        for name, backend in self.backends.items():
            variables |= self.platform.callee("api-gateway", backend)
            if name == "auth-service":
                variables |= self.platform.callee("api-gateway", backend, "grpc")
        variables["PAYMENT_SERVICE_URL"] = variables.pop("PAYMENT_API_SERVICE_URL")
        self.gateway = self.platform.start("api-gateway", "payments.gateway", variables, {})
        return self.gateway


def public(key: ed25519.Ed25519PrivateKey, kid: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    return found | {"kid": kid, "alg": "EdDSA", "use": "sig"}


@pytest.fixture(scope="module")
def started(valkey: engines.Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One gateway for the tests that leave it as they found it."""
    with running.Platform(tmp_path_factory.mktemp("door")) as platform:
        yield door(platform, valkey)


@pytest.fixture
def own(valkey: engines.Valkey, tmp_path: pathlib.Path) -> Iterator[Door]:
    """Backends without a gateway yet: for tests that start it their own way, or break things."""
    with running.Platform(tmp_path) as platform:
        yield door(platform, valkey, gateway=False)


def door(platform: running.Platform, valkey: engines.Valkey, gateway: bool = True) -> Door:
    """Backends that run and, unless `gateway` is off, the gateway before them."""
    key = ed25519.Ed25519PrivateKey.generate()
    for name, content in (("known", "{}"), ("asked", ""), ("seen", "")):
        platform.file(name, content)
    platform.file("jwks", json.dumps({"keys": [public(key, "one")]}))
    opened = Door(platform, valkey, key, {}, None)  # type: ignore[arg-type]
    for name in NAMES:
        opened.start_backend(name)
    if gateway:
        opened.start_gateway()
    return opened
