"""Engines that are started as the cluster starts them speak TLS alone, and whoever talks to them verifies whom."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import asyncpg
import pytest
from redis import exceptions

from groundplan_runtime import postgres, redis
from tests import authorities, debian
from tests.kubernetes import worlds

PATIENCE = 60.0
PASSWORD = "a-password"
POSTGRES = ("postgresql-15", "postgresql-client-15", "libpq5", "libicu72", "libldap-2.5-0", "libxml2", "libllvm14")
REDIS = (
    "redis-server", "redis-tools", "libhiredis0.14", "libjemalloc2", "liblua5.1-0", "liblzf1", "lua-bitop",
    "lua-cjson", "libatomic1",
)  # fmt: skip


def emitted(kind: str, name: str) -> dict:
    """An object of payments' staging, where engines speak TLS."""
    (one,) = (one for one in worlds.payments_lowered() if one.environment == "staging")
    (found,) = (made.tree for made in one.objects if (made.key.kind, made.key.name) == (kind, name))
    return found


def certificate(name: str) -> dict:
    """What an emitted Certificate asks for."""
    return emitted("Certificate", name)["spec"]


def told(name: str, key: str) -> str:
    """A file of a workload as its store fills it in, every secret being PASSWORD."""
    return re.sub(r"\{\{ with secret .*?\{\{ end \}\}", PASSWORD, emitted("ConfigMap", f"{name}-files")["data"][key])


def programs(pattern: str, package: tuple[str, ...], name: str) -> tuple[pathlib.Path, dict[str, str]]:
    """The folder with the programs of an engine, and the variables that they want: this machine's own, or Debian's."""
    pattern = pattern.lstrip("/")
    if installed := sorted(pathlib.Path("/").glob(pattern)):
        return installed[-1].parent, {}
    root = debian.unpacked(name, package)
    libraries = sorted({str(path.parent) for path in root.rglob("*.so*")})
    return next(root.glob(pattern)).parent, {"LD_LIBRARY_PATH": ":".join(libraries)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: Sequence[str], environment: dict[str, str], port: int, log: pathlib.Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=out, stderr=out)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


AS_NOBODY = ("unshare", "--user", "--map-user=1000") if os.geteuid() == 0 else ()
"""PostgreSQL refuses root."""


@contextlib.contextmanager
def postgres_server(folder: pathlib.Path, certificate: pathlib.Path) -> Iterator[int]:
    """The server with the arguments and the pg_hba.conf that the cluster gives it, and auth-service's role in it."""
    binaries, variables = programs("/usr/lib/postgresql/*/bin/postgres", POSTGRES, "postgres")
    (folder / "password").write_text(PASSWORD)
    initdb = [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "scram-sha-256"]
    subprocess.run(
        [*AS_NOBODY, *initdb, f"--pwfile={folder}/password"], env={**os.environ, **variables}, check=True,
        capture_output=True,
    )  # fmt: skip
    (folder / "pg_hba.conf").write_text(told("postgres", "files_pg_hba.conf"))
    words = emitted("StatefulSet", "postgres")["spec"]["template"]["spec"]["containers"][0]["args"]
    words = [each.replace("=/certificate/", f"={certificate}/").replace("=/files/", f"={folder}/") for each in words]
    port = free_port()
    command = [*AS_NOBODY, str(binaries / words[0]), "-D", str(folder / "data"), "-p", str(port), "-k", "", *words[1:]]
    with running(command, variables, port, folder / "log"):
        yield port


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Iterator[tuple[int, authorities.Authority, authorities.Authority]]:
    """A server, who vouches for it, and somebody else."""
    folder = tmp_path_factory.mktemp("postgres")
    authority, stranger = authorities.Authority(folder / "authority"), authorities.Authority(folder / "stranger")
    with postgres_server(folder, authority.issue(certificate("postgres-tls"), folder / "certificate")) as port:
        yield port, authority, stranger


def dsn(port: int, authority: authorities.Authority, host: str = "localhost") -> str:
    """What auth-service is handed, but for the place, the administrator's name and the file of the authority."""
    given = told("auth-service", "secrets_database-dsn")
    assert "@postgres.databases:5432/" in given
    there = given.replace("@postgres.databases:5432/micro_auth", f"@{host}:{port}/postgres")
    return there.replace("://auth_service:", "://postgres:").replace("/authority/ca.crt", str(authority.file))


async def test_a_service_speaks_tls_to_postgres_and_knows_whom_it_speaks_to(places):
    port, authority, _ = places
    async with postgres.pool(dsn(port, authority)) as pool:
        version = await pool.fetchval("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
    assert version == "TLSv1.3"


async def test_a_postgres_of_another_authority_or_of_another_name_is_not_spoken_to(places):
    port, authority, stranger = places
    for given in (dsn(port, stranger), dsn(port, authority, "127.0.0.1")):
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncpg.connect(given)


async def test_a_postgres_whose_certificate_has_ended_is_not_spoken_to(tmp_path):
    authority = authorities.Authority(tmp_path / "authority")
    issued = authority.issue(certificate("postgres-tls"), tmp_path / "certificate", days=-1)
    refused = pytest.raises(ssl.SSLCertVerificationError, match="expired")
    with postgres_server(tmp_path, issued) as port, refused:
        await asyncpg.connect(dsn(port, authority))


def test_postgres_lets_nobody_from_elsewhere_in_without_tls(places):
    port, _, _ = places
    until = time.monotonic() + PATIENCE
    while b"starting up" in (answer := asked_in_the_clear(port)) and time.monotonic() < until:
        time.sleep(0.1)
    assert b"no encryption" in answer, answer


def asked_in_the_clear(port: int) -> bytes:
    """What a server says to somebody in another pod: the server's own is 127.0.0.1."""
    with socket.socket() as link:
        link.bind(("127.0.0.2", 0))
        link.connect(("127.0.0.1", port))
        said = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
        link.sendall(struct.pack("!i", len(said) + 4) + said)
        return link.recv(4096)


def test_a_migration_speaks_tls_too(places, tmp_path):
    port, authority, stranger = places
    (tmp_path / "grants.json").write_text('{"roles": []}')
    for whose, ends_well in ((authority, True), (stranger, False)):
        (tmp_path / "dsn").write_text(dsn(port, whose))
        done = subprocess.run(
            [sys.executable, "-m", "groundplan_runtime.migrate", "up", "payments.merchant.migrations"],
            env={**os.environ, "DATABASE_DSN": f"file://{tmp_path}/dsn",
                 "DATABASE_GRANTS": f"file://{tmp_path}/grants.json"},
            capture_output=True, text=True, check=False, timeout=PATIENCE * 2,
        )  # fmt: skip
        assert (done.returncode == 0) is ends_well, done.stderr


@pytest.fixture(scope="module")
def stores(tmp_path_factory) -> Iterator[tuple[int, authorities.Authority, authorities.Authority]]:
    """A Redis with the arguments that the cluster gives it, who vouches for it, and somebody else."""
    folder = tmp_path_factory.mktemp("redis")
    authority, stranger = authorities.Authority(folder / "authority"), authorities.Authority(folder / "stranger")
    issued = authority.issue(certificate("redis-tls"), folder / "certificate")
    binaries, variables = programs("/usr/bin/redis-server", REDIS, "redis-server")
    (folder / "users.acl").write_text(told("redis", "files_users.acl"))
    port = free_port()
    words = emitted("StatefulSet", "redis")["spec"]["template"]["spec"]["containers"][0]["command"]
    here = {"6379": str(port), "/data": str(folder), "/files/users.acl": str(folder / "users.acl")}
    words = [here.get(each, each).replace("/certificate/", f"{issued}/") for each in words]
    with running([str(binaries / words[0]), *words[1:]], variables, port, folder / "log"):
        yield port, authority, stranger


def url(port: int, authority: authorities.Authority, host: str = "localhost") -> str:
    given = told("auth-service", "secrets_redis-url")
    assert "@redis.databases:6379/" in given
    return given.replace("redis.databases:6379", f"{host}:{port}").replace("/authority/ca.crt", str(authority.file))


async def test_a_service_speaks_tls_to_redis_and_knows_whom_it_speaks_to(stores):
    port, authority, _ = stores
    async with redis.store(url(port, authority)) as store:
        await store.client.set(store.key("x"), "1")
        assert await store.client.get(store.key("x")) == b"1"


async def test_a_redis_of_another_authority_or_of_another_name_or_without_tls_is_not_spoken_to(stores):
    port, authority, stranger = stores
    plain = url(port, authority).replace("rediss://", "redis://").split("&")[0]
    for given in (url(port, stranger), url(port, authority, "127.0.0.1"), plain):
        with pytest.raises((exceptions.ConnectionError, exceptions.TimeoutError)):
            async with redis.store(given) as store:
                await store.check()


def test_a_snapshot_of_redis_is_fetched_over_tls(stores, tmp_path):
    port, authority, stranger = stores
    (tmp_path / "password").write_text(PASSWORD)
    for whose, ends_well in ((authority, True), (stranger, False)):
        done = subprocess.run(
            [sys.executable, "-m", "groundplan_runtime.backup", "rdb", f"--work={tmp_path}/work",
             "--host=localhost", f"--port={port}", "--user=redis-backup", f"--password={tmp_path}/password",
             f"--authority={whose.file}"],
            capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert (done.returncode == 0) is ends_well, done.stderr


def test_vault_and_whoever_fetches_secrets_speak_tls():
    configuration = emitted("ConfigMap", "vault-files")["data"]["files_vault.hcl"]
    assert 'tls_cert_file = "/certificate/tls.crt"' in configuration
    assert "tls_disable" not in configuration
    agent = emitted("ConfigMap", "auth-service-files")["data"]["agent.hcl"]
    assert 'address = "https://vault.vault:8200"\n  ca_cert = "/authority/ca.crt"\n' in agent
    container = emitted("StatefulSet", "vault")["spec"]["template"]["spec"]["containers"][0]
    assert {container[f"{each}Probe"]["httpGet"]["scheme"] for each in ("startup", "readiness", "liveness")} == {
        "HTTPS"
    }


def test_whoever_talks_to_an_engine_is_given_the_authority_and_no_key():
    (one,) = (one for one in worlds.payments_lowered() if one.environment == "staging")
    seen = 0
    for made in one.objects:
        template = made.tree.get("spec", {}).get("template") or {}
        for volume in template.get("spec", {}).get("volumes", ()):
            if volume["name"] == "authority":
                seen += 1
                assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
            if volume["name"] == "certificate":
                assert volume["secret"]["secretName"] == f"{made.key.name}-tls"
    assert seen > 15


def test_engines_speak_in_the_clear_where_nobody_issues_certificates():
    (one,) = (one for one in worlds.payments_lowered() if one.environment == "development")
    said = str([made.tree for made in one.objects])
    assert "rediss://" not in said
    assert "verify-full" not in said
    assert "/authority" not in said
    assert not [made for made in one.objects if made.key.kind in ("Certificate", "ClusterIssuer")]
