"""auth-service as a process: identity, mails, keys that rotate, the command that grants roles."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import grpc
import jwt
import pytest

from groundplan_runtime import contract
from payments.rpc import auth_pb2 as pb
from payments.rpc import auth_pb2_grpc
from platforms.payments.tests import engines, running
from platforms.payments.tests.auth.conftest import PASSWORD

GATEWAY = "api-gateway"
RIGHTS = {GATEWAY: {"http": ["*"], "grpc": ["ValidateToken", "ValidateApiKey"]}}


@pytest.fixture
def mails() -> Iterator[running.Mails]:
    with running.mail_catcher() as caught:
        yield caught


@pytest.fixture
def platform(tmp_path: pathlib.Path) -> Iterator[running.Platform]:
    with running.Platform(tmp_path) as started:
        yield started


@pytest.fixture
def auth(
    platform: running.Platform, auth_database: engines.Database, redis_url: str, mails: running.Mails
) -> running.Running:
    variables = {
        "DATABASE_DSN": platform.file("dsn", auth_database.dsn),
        "REDIS_URL": platform.file("redis", redis_url),
        "JWT_SIGNING_KEY": platform.file("signing", running.signing_keys("two", "one")),
        "API_KEY_PEPPER": platform.file("pepper", "a pepper of the tests that is long enough"),
        "SMTP": platform.file("smtp", '{"username": "", "password": ""}'),
        "SMTP_ADDRESS": f"127.0.0.1:{mails.port}",
        "PUBLIC_URL": "https://pay.example.com",
    }
    return platform.start("auth-service", "payments.auth", variables, RIGHTS)


def _registered(platform: running.Platform, auth: running.Running, mails: running.Mails, email: str) -> str:
    wish = {"email": email, "password": PASSWORD, "name": "Ada"}
    assert platform.call(auth, "POST", "/auth/register", GATEWAY, json_body=wish).status == 202
    running.until(lambda: mails.to(email), "no mail came")
    confirmed = platform.call(auth, "POST", "/auth/verify", GATEWAY, json_body={"token": mails.token(email)})
    assert confirmed.status == 200
    return str(confirmed.json["id"])


def _access_token(platform: running.Platform, auth: running.Running, email: str) -> str:
    answer = platform.call(auth, "POST", "/auth/login", GATEWAY, json_body={"email": email, "password": PASSWORD})
    return str(answer.json["access_token"])


def _validated(platform: running.Platform, auth: running.Running, token: str) -> pb.Principal:
    metadata = ((contract.WORKLOAD_TOKEN_HEADER, platform.token(GATEWAY, "auth-service")),)
    with grpc.insecure_channel(f"127.0.0.1:{auth.grpc}") as channel:
        stub = auth_pb2_grpc.AuthStub(channel)
        return stub.ValidateToken(pb.ValidateTokenRequest(token=token), metadata=metadata, timeout=10)


def test_from_registration_by_mail_to_a_valid_token_over_the_wire(
    platform: running.Platform, auth: running.Running, mails: running.Mails
) -> None:
    user_id = _registered(platform, auth, mails, "wire@example.com")
    token = _access_token(platform, auth, "wire@example.com")
    principal = _validated(platform, auth, token)
    assert (principal.valid, principal.user_id) == (True, user_id)
    mail = mails.to("wire@example.com")[0]
    assert mail["From"] == "no-reply@pay.example.com"
    assert "https://pay.example.com/auth/verify?token=" in mail.get_content()


def test_strangers_and_undeclared_methods_are_refused(platform: running.Platform, auth: running.Running) -> None:
    assert platform.call(auth, "GET", "/.well-known/jwks.json").status == 401
    assert platform.call(auth, "GET", "/.well-known/jwks.json", "merchant-service").status == 403
    metadata = ((contract.WORKLOAD_TOKEN_HEADER, platform.token(GATEWAY, "auth-service")),)
    with grpc.insecure_channel(f"127.0.0.1:{auth.grpc}") as channel, pytest.raises(grpc.RpcError) as refused:
        auth_pb2_grpc.AuthStub(channel).IssueApiKey(pb.IssueApiKeyRequest(), metadata=metadata, timeout=10)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_signing_keys_rotate_without_a_restart(
    platform: running.Platform, auth: running.Running, mails: running.Mails
) -> None:
    _registered(platform, auth, mails, "rotate-keys@example.com")
    before = _access_token(platform, auth, "rotate-keys@example.com")
    old = json.loads((platform.directory / "signing").read_text())["keys"]
    new = json.loads(running.signing_keys("three"))["keys"]
    platform.file("signing", json.dumps({"keys": new + old}))
    after = _access_token(platform, auth, "rotate-keys@example.com")
    assert (jwt.get_unverified_header(before)["kid"], jwt.get_unverified_header(after)["kid"]) == ("two", "three")
    published = platform.call(auth, "GET", "/.well-known/jwks.json", GATEWAY).json["keys"]
    assert [key["kid"] for key in published] == ["three", "two", "one"]
    assert not any("d" in key for key in published)
    assert _validated(platform, auth, before).valid and _validated(platform, auth, after).valid


def test_roles_are_granted_by_a_command(
    platform: running.Platform, auth: running.Running, mails: running.Mails
) -> None:
    _registered(platform, auth, mails, "admin@example.com")

    def grant(*arguments: str) -> subprocess.CompletedProcess[str]:
        variables = os.environ | {"DATABASE_DSN": f"file://{platform.directory}/dsn"}
        command = [sys.executable, "-m", "payments.auth.grant", *arguments]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)

    assert grant("Admin@example.com", "platform_admin").returncode == 0
    claims = jwt.decode(_access_token(platform, auth, "admin@example.com"), options={"verify_signature": False})
    assert claims["roles"] == ["user", "platform_admin"]
    assert grant("nobody@example.com", "platform_admin").returncode == 1
    assert grant("admin@example.com", "platform_admin", "--take-back").returncode == 0
    assert grant("admin@example.com", "emperor").returncode == 2


def test_no_secret_is_in_the_logs(platform: running.Platform, auth: running.Running, mails: running.Mails) -> None:
    _registered(platform, auth, mails, "logs@example.com")
    token = _access_token(platform, auth, "logs@example.com")
    platform.call(auth, "GET", f"/auth/verify?token={token}", GATEWAY)
    assert auth.stop() == 0
    log = auth.log.read_text()
    for secret in (PASSWORD, token, mails.token("logs@example.com")):
        assert secret not in log
