"""A call is answered when its caller is known and the plan declares it; otherwise it is refused, and told why."""

import json
import pathlib
import time
from collections.abc import Iterator
from typing import Any

import grpc
import jwt
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from groundplan_runtime import identity, settings
from runtime.tests import processes, workloads

CALLERS = {
    workloads.GATEWAY: {"http": ["GET /things/{id}", "GET /whoami", "POST /orders"], "grpc": ["Who", "test.Echo/Say"]},
    "system:serviceaccount:ops:console": {"http": ["*"], "grpc": ["*"]},
}


@pytest.fixture(scope="module")
def issuer() -> workloads.Issuer:
    return workloads.Issuer()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, issuer: workloads.Issuer) -> Iterator[processes.Running]:
    directory = tmp_path_factory.mktemp("identity")
    reference = workloads.write(directory / "callers.json", (issuer,), CALLERS, anonymous={"http": ["GET /status/*"]})
    with processes.sample(directory / "log", SAMPLE_OPEN="0", CALLERS=reference) as started:
        yield started


def call(port: int, method: str, token: str | None, request: bytes = b"") -> Any:
    metadata = (("x-workload-token", token),) if token else ()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask: Any = channel.unary_unary(f"/test.Echo/{method}")
        return ask(request, metadata=metadata, timeout=10)


def refusal(port: int, method: str, token: str | None) -> tuple[str, str | None]:
    with pytest.raises(grpc.RpcError) as raised:
        call(port, method, token)
    return raised.value.code().name, raised.value.details()


def test_a_declared_http_call_is_answered_and_the_handler_knows_the_caller(
    running: processes.Running, issuer: workloads.Issuer
) -> None:
    for path in ("/whoami", "/things/7"):
        assert running.get(path, **{"x-workload-token": issuer.token()}).json["caller"] == workloads.GATEWAY


@pytest.mark.parametrize("path", ["/broken", "/things/7/parts", "/whoami/", "//whoami", "/things/", "/nowhere"])
def test_an_undeclared_http_call_is_refused_with_the_callers_name(
    running: processes.Running, issuer: workloads.Issuer, path: str
) -> None:
    answer = running.get(path, **{"x-workload-token": issuer.token()})
    assert answer.status == 403
    assert answer.json["detail"] == f"{workloads.GATEWAY} may not call GET {path} of sample"


def test_a_declared_path_is_not_declared_for_other_methods(
    running: processes.Running, issuer: workloads.Issuer
) -> None:
    headers = {"x-workload-token": issuer.token()}
    assert processes.ask(running.http, "DELETE", "/whoami", headers=headers).status == 403
    assert processes.ask(running.http, "HEAD", "/whoami", headers=headers).status == 200


def test_anybody_may_do_what_the_file_allows_to_anybody(running: processes.Running) -> None:
    assert running.get("/status/200").status == 200
    assert running.get("/whoami").status == 403


def test_a_declared_grpc_call_is_answered_and_others_are_refused(
    running: processes.Running, issuer: workloads.Issuer
) -> None:
    token = issuer.token()
    assert json.loads(call(running.grpc, "Who", token))["caller"] == workloads.GATEWAY
    assert call(running.grpc, "Say", token, b"hello") == b"hello"
    details = f"{workloads.GATEWAY} may not call Slow of sample (/test.Echo/Slow)"
    assert refusal(running.grpc, "Slow", token) == ("PERMISSION_DENIED", details)
    assert refusal(running.grpc, "Who", "nonsense")[0] == "UNAUTHENTICATED"


def test_health_is_answered_to_anybody_and_reflection_is_not(running: processes.Running) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    with grpc.insecure_channel(f"127.0.0.1:{running.grpc}") as channel:
        assert health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status == 1  # SERVING
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        with pytest.raises(grpc.RpcError) as raised:
            list(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask])))
    assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
def gate(tmp_path: pathlib.Path, issuer: workloads.Issuer) -> identity.Gate:
    workloads.write(tmp_path / "callers.json", (issuer,), CALLERS)
    return identity.Gate(tmp_path / "callers.json")


@pytest.mark.parametrize(
    "claims",
    [
        {"audience": "another-service"},
        {"iss": "https://somebody.else"},
        {"exp": 1},
        {"nbf": 99999999999},
        {"sub": None},
        {"iss": None},
    ],
)
def test_a_token_for_others_or_from_others_or_out_of_time_is_refused(
    gate: identity.Gate, issuer: workloads.Issuer, claims: dict[str, Any]
) -> None:
    with pytest.raises(identity.Unauthenticated, match="sample does not accept this workload token"):
        gate.http(issuer.token(**claims), "GET", "/whoami")


def test_a_forged_token_is_refused(gate: identity.Gate, issuer: workloads.Issuer) -> None:
    forged = (
        workloads.Issuer().token(),  # the same key id, another key
        workloads.Issuer("two").token(),
        jwt.encode({"sub": workloads.GATEWAY, "aud": "sample", "iss": workloads.ISSUER}, "", algorithm="none"),
        jwt.encode({"sub": workloads.GATEWAY, "aud": "sample", "iss": workloads.ISSUER}, issuer.jwk["x"] * 2, "HS256"),
        "a.b.c",
        issuer.token()[:-4] + "AAAA",
    )
    for token in forged:
        with pytest.raises(identity.Unauthenticated):
            gate.http(token, "GET", "/whoami")


def test_a_token_of_a_workload_that_the_plan_does_not_declare_is_refused(
    gate: identity.Gate, issuer: workloads.Issuer
) -> None:
    stranger = "system:serviceaccount:default:stranger"
    with pytest.raises(identity.Forbidden, match=f"{stranger} is not a declared caller of sample"):
        gate.grpc(issuer.token(stranger), "/test.Echo/Who")


def test_no_token_is_refused_where_nothing_is_open_to_anybody(gate: identity.Gate) -> None:
    with pytest.raises(identity.Unauthenticated, match="send x-workload-token"):
        gate.http(None, "GET", "/whoami")


def test_a_remembered_token_is_refused_once_it_expired(gate: identity.Gate, issuer: workloads.Issuer) -> None:
    token = issuer.token(exp=int(time.time() - identity.LEEWAY) + 2)
    assert gate.http(token, "GET", "/whoami") == workloads.GATEWAY

    def refused() -> bool:
        try:
            gate.http(token, "GET", "/whoami")
        except identity.Unauthenticated:
            return True
        return False

    processes.until(refused, "an expired token is still accepted")


def test_rsa_tokens_and_tokens_without_expiry_are_accepted(tmp_path: pathlib.Path) -> None:
    rsa = workloads.Issuer("rsa", "RS256")
    workloads.write(tmp_path / "callers.json", (rsa,), CALLERS)
    token = rsa.token(exp=None)
    gate = identity.Gate(tmp_path / "callers.json")
    assert gate.http(token, "GET", "/whoami") == gate.http(token, "GET", "/whoami") == workloads.GATEWAY


def test_rotated_keys_and_changed_rules_hold_without_a_restart(tmp_path: pathlib.Path) -> None:
    now = [0.0]
    old, new = workloads.Issuer("old"), workloads.Issuer("new")
    path = tmp_path / "callers.json"
    workloads.write(path, (old,), CALLERS)
    gate = identity.Gate(path, clock=lambda: now[0])
    workloads.write(path, (old, new), CALLERS)
    now[0] += 1
    for issuer in (old, new):
        assert gate.http(issuer.token(), "GET", "/whoami") == workloads.GATEWAY
    remembered = old.token()
    gate.http(remembered, "GET", "/whoami")
    workloads.write(path, (new,), {workloads.GATEWAY: {"http": ["GET /whoami"]}})
    now[0] += 1
    with pytest.raises(identity.Unauthenticated):
        gate.http(remembered, "GET", "/whoami")
    with pytest.raises(identity.Forbidden):
        gate.http(new.token(), "GET", "/things/7")
    path.write_text("{half a fi")
    now[0] += 1
    assert gate.http(new.token(), "GET", "/whoami") == workloads.GATEWAY
    path.unlink()
    now[0] += 1
    assert gate.http(new.token(), "GET", "/whoami") == workloads.GATEWAY


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"callers": {"a": {"http": ["/x"]}}}, "the HTTP rule '/x' is not like"),
        ({"callers": {"a": {"htp": ["*"]}}}, "unknown field `htp`"),
        ({"jwks": {"keys": []}}, "jwks.keys is empty"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}}, "is for HS256, not EdDSA or RS256"),
        ({"jwks": {"keys": [{"kty": "OKP"}]}}, r"jwks.keys\[0\]"),
        ({"audience": 5}, "Expected `str`"),
    ],
)
def test_an_unusable_file_is_told_with_its_path(
    tmp_path: pathlib.Path, issuer: workloads.Issuer, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "callers.json"
    workloads.write(path, (issuer,), **({"callers": CALLERS} | change))
    with pytest.raises(settings.SettingsError, match=said) as raised:
        identity.Gate(path)
    assert str(path) in str(raised.value)


def test_remembered_tokens_are_bounded(gate: identity.Gate, issuer: workloads.Issuer, monkeypatch: Any) -> None:
    monkeypatch.setattr(identity, "_REMEMBERED_TOKENS", 3)
    for number in range(10):
        gate.http(issuer.token(jti=str(number)), "GET", "/whoami")
    assert len(gate._policy._known) == 3
