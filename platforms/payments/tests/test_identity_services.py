"""Gateway, auth-service and merchant-service together, as processes: from an address to an API key that works."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from platforms.payments.tests import engines, running
from platforms.payments.tests.gateway import conftest as doors

PASSWORD = "correct horse battery staple"
TO_AUTH = {
    "api-gateway": {"http": ["*"], "grpc": ["ValidateToken", "ValidateApiKey"]},
    "merchant-service": {"grpc": ["CheckPermission", "IssueApiKey", "ListApiKeys", "RollApiKey", "RevokeApiKey"]},
}


class Town:
    """The platform, seen from outside."""

    def __init__(self, platform: running.Platform, mails: running.Mails, gateway: running.Running) -> None:
        self.platform = platform
        self.mails = mails
        self.gateway = gateway

    def ask(self, method: str, path: str, token: str = "", document: Any = None) -> running.Answer:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return running.ask(self.gateway.http, method, path, json_body=document, headers=headers)

    def person(self, email: str) -> None:
        wish = {"email": email, "password": PASSWORD, "name": "Ada"}
        assert self.ask("POST", "/auth/register", document=wish).status == 202
        running.until(lambda: self.mails.to(email), "no mail came")
        assert self.ask("POST", "/auth/verify", document={"token": self.mails.token(email)}).status == 200

    def login(self, email: str) -> Any:
        answer = self.ask("POST", "/auth/login", document={"email": email, "password": PASSWORD})
        assert answer.status == 200, answer.body
        return answer.json


@pytest.fixture
def town(postgres: engines.Postgres, valkey: engines.Valkey, tmp_path: pathlib.Path) -> Iterator[Town]:
    with running.Platform(tmp_path) as platform, running.mail_catcher() as mails:
        auth = platform.start("auth-service", "payments.auth", _auth(platform, postgres, valkey, mails), TO_AUTH)
        own = _common(platform, "merchant", postgres, mails) | platform.callee("merchant-service", auth, "grpc")
        own["REDIS_URL"] = platform.file("merchant-redis", valkey.url("merchant:"))
        merchants = platform.start("merchant-service", "payments.merchant", own, {"api-gateway": {"http": ["*"]}})
        echo = {variable: str(tmp_path / variable.lower()) for variable in ("KNOWN", "ASKED", "SEEN", "JWKS")}
        payments = platform.start("payment-api-service", doors.SCRIPT, echo, doors.RIGHTS)
        door = {"RATE_LIMIT_URL": platform.file("rate", valkey.url("rate:"))}
        for backend in (auth, merchants, payments):
            door |= platform.callee("api-gateway", backend)
        door |= platform.callee("api-gateway", auth, "grpc")
        door["PAYMENT_SERVICE_URL"] = door.pop("PAYMENT_API_SERVICE_URL")
        yield Town(platform, mails, platform.start("api-gateway", "payments.gateway", door, {}))


def _auth(
    platform: running.Platform, postgres: engines.Postgres, valkey: engines.Valkey, mails: running.Mails
) -> dict[str, str]:
    return _common(platform, "auth", postgres, mails) | {
        "REDIS_URL": platform.file("auth-redis", valkey.url("session:auth:")),
        "JWT_SIGNING_KEY": platform.file("signing", running.signing_keys("one")),
        "API_KEY_PEPPER": platform.file("pepper", "a pepper of the tests that is long enough"),
    }


def _common(platform: running.Platform, name: str, postgres: engines.Postgres, mails: running.Mails) -> dict[str, str]:
    database = postgres.database(f"payments.{name}.migrations", append_only=("audit",))
    return {
        "DATABASE_DSN": platform.file(f"{name}-dsn", database.dsn),
        "SMTP": platform.file(f"{name}-smtp", '{"username": "", "password": ""}'),
        "SMTP_ADDRESS": f"127.0.0.1:{mails.port}",
        "PUBLIC_URL": "https://pay.example.com",
    }


def test_from_an_address_to_an_api_key_that_works_and_back(town: Town) -> None:
    town.person("owner@example.com")
    owner = town.login("owner@example.com")["access_token"]
    shop = {"name": "Shop", "email": "shop@example.com", "country": "DE", "business_type": "company"}
    merchant = town.ask("POST", "/merchants", owner, shop | {"website": "https://shop.example.com"}).json["id"]
    path = f"/merchants/{merchant}"
    assert town.ask("POST", f"{path}/submit", owner, {}).json["state"] == "submitted"
    assert town.ask("POST", f"{path}/approve", owner, {"reason": "me"}).status == 403

    town.person("admin@example.com")
    dsn = f"file://{town.platform.directory}/auth-dsn"
    command = [sys.executable, "-m", "payments.auth.grant", "admin@example.com", "platform_admin"]
    subprocess.run(command, env=os.environ | {"DATABASE_DSN": dsn}, check=True, timeout=60)
    admin = town.login("admin@example.com")["access_token"]
    assert town.ask("POST", f"{path}/approve", admin, {"reason": "all is well"}).json["state"] == "verified"
    assert town.ask("POST", f"{path}/activate", owner, {}).json["state"] == "active"
    running.until(lambda: town.mails.to("shop@example.com"), "no mail about the approval")

    key = town.ask("POST", f"{path}/api-keys", owner, {"kind": "secret"}).json
    seen = dict(town.ask("GET", "/v1/balance", key["secret"]).json["headers"])
    assert (seen["x-account-id"], seen["x-livemode"], seen["x-key-id"]) == (merchant, "false", key["id"])
    assert town.ask("DELETE", f"{path}/api-keys/{key['id']}", owner).status == 200
    running.until(lambda: town.ask("GET", "/v1/balance", key["secret"]).status == 401, "the key still works")


def test_signing_out_everywhere_is_felt_at_the_gateway(town: Town) -> None:
    town.person("ada@example.com")
    first, second = town.login("ada@example.com"), town.login("ada@example.com")
    assert town.ask("GET", "/auth/me", first["access_token"]).json["email"] == "ada@example.com"
    assert town.ask("POST", "/auth/logout-all", second["access_token"], {}).json == {"revoked": 2}
    running.until(lambda: town.ask("GET", "/auth/me", first["access_token"]).status == 401, "the token still works")
    assert town.ask("POST", "/auth/refresh", document={"refresh_token": first["refresh_token"]}).status == 401


def test_health_is_whole_and_processes_end_well(town: Town) -> None:
    assert town.ask("GET", "/health").json["status"] == "ok"
    assert town.gateway.stop() == 0
