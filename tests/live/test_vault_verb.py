"""The verb ``vault bootstrap``: what it takes, what it refuses, and what it never shows."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from click import testing

from groundplan import cli
from groundplan.live import errors
from tests.kubernetes import worlds
from tests.live import certificates, vaults

ISSUER = "https://oidc.example.com/cluster"
JWKS = {"keys": [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}]}
PASSWORD = "correct horse battery staple"
RECEIVERS = [f"alerts/{name}" for name in ("slack-url", "smtp-password", "watchdog-url", "webhook-url")]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "groundplan", "vault", "bootstrap", str(worlds.PAYMENTS.parent), *arguments]


def asked(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("--environment", "production", *arguments),
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        env={key: value for key, value in os.environ.items() if not key.startswith("VAULT_")} | environment,
    )  # fmt: skip


def invoked(*arguments: str) -> testing.Result:
    """The same in this process, without the start of another."""
    words = command("--environment", "production", *arguments)[3:]
    return testing.CliRunner(env={"VAULT_ADDR": None, "VAULT_TOKEN": None}).invoke(cli.groundplan, words)


@pytest.fixture
def brought(tmp_path: pathlib.Path) -> list[str]:
    """The options that bring everything that people bring."""
    for name, text in (("smtp", PASSWORD), ("issuer", f"{ISSUER}\n"), ("jwks", json.dumps(JWKS))):
        (tmp_path / name).write_text(text)
    files = {"--token-issuer": "issuer", "--token-keys": "jwks"}
    supplied = [*RECEIVERS, "app/smtp", *(f"backup/{name}-account" for name in ("postgres", "redis", "vault"))]
    return [
        *(f"--supply={path}=@{tmp_path}/smtp" for path in supplied),
        *(f"{option}={tmp_path}/{name}" for option, name in files.items()),
    ]


@contextlib.contextmanager
def three(vault: vaults.Replicas, faults: dict[int, str] | None = None) -> Iterator[list[str]]:
    """The options that name the three servers of production; faults befall the first."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(vaults.served(vault.at(n), None if n else faults)) for n in range(3)]
        yield [f"--address={address}" for address in found]


def test_it_sets_up_a_vault_and_shows_neither_keys_nor_secrets(tmp_path, brought):
    replicas, file = vaults.Replicas(), tmp_path / "keys.json"
    vault = replicas.vault
    with three(replicas) as addresses:
        done = asked(*addresses, "--keys-to", str(file), *brought, "--json")
    assert not any(each.sealed for each in replicas.own)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["initialized"] and len(said["changed"]) > 30 and len(said["joined"]) == 3
    assert vault.kept["app/smtp"] == [PASSWORD] and vault.kept["platform/token-issuer"] == [ISSUER]
    never = [*vault.shares, "hvs.root", *(text for versions in vault.kept.values() for text in versions)]
    shown = done.stdout + done.stderr
    assert [text for text in never if text and text in shown] == []


def test_what_is_missing_is_listed_whole_before_anything_is_done(tmp_path):
    replicas = vaults.Replicas()
    with three(replicas) as addresses:
        done = asked(*addresses, "--keys-to", str(tmp_path / "keys.json"))
    assert done.returncode == 1 and not replicas.vault.shares and not list(tmp_path.iterdir())
    assert f"not supplied: {', '.join(RECEIVERS)}, app/smtp, backup/" in done.stderr
    assert ", platform/token-issuer, platform/token-keys\n" in done.stderr
    assert "--supply app/smtp=@FILE --supply backup/" in done.stderr and "--context NAME" in done.stderr


def test_keys_are_printed_where_that_was_asked_for(tmp_path, brought):
    replicas = vaults.Replicas()
    with three(replicas) as addresses:
        done = asked(*addresses, "--keys-to", "-", "--shares", "1", "--threshold", "1", *brought)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["unseal_keys_b64"] == replicas.vault.shares
        replicas.vault.tokens.add("mine")
        again = asked(*addresses[:1], "--keys-to", "-", *brought, VAULT_TOKEN="mine")
    assert again.returncode == 0 and again.stdout == "" and "everything was there already" in again.stderr
    assert "1 of 3 replicas were looked at" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--address", "http://vault.example.com:8200"], "https"),
        (["--address", "ftp://127.0.0.1"], "--address"),
        (["--address", "http://127.0.0.1:port"], "--address"),
        (["--address", "http://127.0.0.1:9", "--address", "http://127.0.0.1:9/"], "twice"),
        (["--threshold", "9"], "--threshold"),
        (["--threshold", "1"], "--threshold"),
        (["--supply", "app/smtp=hunter2"], "PATH=@FILE"),
        (["--supply", "app/other=@/dev/null"], "app/smtp"),
        (["--supply", "app/smtp=@/nowhere"], "cannot be read"),
        (["--token-keys", __file__, "--context", "here"], "--context"),
        (["--token-file", "/nowhere"], "--token-file"),
    ],
)
def test_unusable_arguments_are_told_apart(tmp_path, arguments, word):
    done = invoked("--keys-to", str(tmp_path / "keys.json"), *arguments)
    assert done.exit_code == 2 and word in done.output and "hunter2" not in done.output
    assert not list(tmp_path.iterdir())


def test_an_environment_without_a_vault_is_a_finding(tmp_path):
    plan = tmp_path / "plan.py"
    plan.write_text('from groundplan import Platform\nplan = Platform("bare")\nplan.environment("live")\n')
    words = ["vault", "bootstrap", str(plan), "--environment", "live", "--keys-to", "-"]
    done = subprocess.run([sys.executable, "-m", "groundplan", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "GP303 environment live keeps no secrets in a Vault" in done.stderr


@pytest.mark.parametrize("wrong", ["{", '{"keys": []}', '{"keys": [{"kty": "RSA", "d": "private"}]}', "[]"])
def test_keys_of_tokens_that_are_none_are_refused(tmp_path, brought, wrong):
    (tmp_path / "jwks").write_text(wrong)
    done = invoked("--address", "http://127.0.0.1:9", "--keys-to", str(tmp_path / "keys.json"), *brought)
    assert isinstance(done.exception, errors.Waiting) and "no keys of tokens" in done.exception.what


def test_it_is_killed_and_begun_anew(tmp_path, brought):
    """The process itself, by SIGKILL: what it wrote before stands, and the next one ends the work."""
    replicas, file = vaults.Replicas(), tmp_path / "keys.json"
    slow = dict.fromkeys(range(12, 400), "slow")
    with three(replicas, slow) as addresses:
        arguments = ["--environment", "production", *addresses, "--keys-to", str(file), *brought]
        process = subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "engine" in line:
                process.send_signal(signal.SIGKILL)
                break
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL and json.loads(file.read_text())["root_token"]
    with three(replicas) as addresses:
        done = asked(*addresses, "--keys-to", str(file), *brought)
    assert done.returncode == 0, done.stderr
    assert replicas.vault.tokens == set() and "root_token" not in json.loads(file.read_text())


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    import http.server
    import ssl
    import threading

    for name, content in zip(("cert", "key"), certificates.self_signed(), strict=True):
        (tmp_path / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        done = asked("--address", f"https://127.0.0.1:{server.server_port}", "--keys-to", str(tmp_path / "keys.json"))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.returncode == 1 and "is not trusted" in done.stderr and "--ca FILE" in done.stderr
