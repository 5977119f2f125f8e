"""What is sealed: kubeseal's format to the byte, and only what was not sealed before."""

from __future__ import annotations

import base64
import datetime
import json
import pathlib
import subprocess
import sys

import cryptography.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundplan.delivery import sealing
from groundplan.model import secrets
from groundplan.resources import sealed_secrets
from groundplan.shapes import workloads
from tests.kubernetes import keeping
from tests.live import certificates

NOW = datetime.datetime.now(datetime.UTC)
KEY = sealing.public_key(certificates.self_signed()[0], NOW)
ONE, TWO = workloads.Holder("one", "apps", ("app/a", "app/b")), workloads.Holder("two", "data", ("app/b",))
MADE = {
    "app/a": secrets.Random(),
    "app/b": secrets.Random(),
    "app/keys": secrets.Keys(2),
    "app/brought": secrets.Supplied(),
}


def sealed(*holders: workloads.Holder, before=None, brought=None, rotate=()) -> sealing.Done:
    return sealing.sealed(sealing.Wish(holders, MADE, brought or {}, rotate), before or {}, KEY)


def opened(found: sealed_secrets.Sealed) -> dict[str, dict[str, str]]:
    """Texts by key, by namespace/name."""
    return {
        f"{space}/{name}": {key: keeping.unsealed(text, f"{space}/{name}") for key, text in data.items()}
        for (space, name), data in found.items()
    }


def test_the_bytes_are_a_length_a_sealed_session_key_and_the_text_with_its_tag():
    data = base64.b64decode(sealing.seal("päss", KEY, "apps", "web-secrets"), validate=True)
    assert data[:2] == (256).to_bytes(2, "big")  # of an RSA key with 2048 bits
    assert len(data) == 2 + 256 + len("päss".encode()) + 16


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300))
def test_whatever_is_sealed_comes_back(text):
    assert keeping.unsealed(sealing.seal(text, KEY, "apps", "web-secrets"), "apps/web-secrets") == text


def test_64_kib_come_back():
    assert keeping.unsealed(sealing.seal("ü" * 32768, KEY, "a", "b"), "a/b") == "ü" * 32768


def test_nobody_opens_it_in_another_namespace_or_under_another_name():
    text = sealing.seal("x", KEY, "apps", "web-secrets")
    for label in ("apps/other-secrets", "data/web-secrets", "apps", ""):
        with pytest.raises(ValueError):
            keeping.unsealed(text, label)


def test_not_a_byte_of_it_can_be_changed():
    data = bytearray(base64.b64decode(sealing.seal("x" * 20, KEY, "a", "b")))
    data[-20] ^= 1
    with pytest.raises(cryptography.exceptions.InvalidTag):
        keeping.unsealed(base64.b64encode(data).decode(), "a/b")


def test_each_reader_gets_a_copy_of_its_own_with_the_same_text():
    texts = opened(sealed(ONE, TWO).sealed)
    assert (
        texts["apps/one-secrets"]["app_b"] == texts["data/two-secrets"]["app_b"] != texts["apps/one-secrets"]["app_a"]
    )


def test_what_is_sealed_stays_and_what_nobody_reads_goes():
    first = sealed(ONE, TWO).sealed
    assert sealed(ONE, TWO, before=first) == sealing.Done(first, ())
    assert sealed(TWO, before=first) == sealing.Done({("data", "two-secrets"): first["data", "two-secrets"]}, ())


def test_a_new_reader_of_a_sealed_secret_takes_a_decision():
    first = sealed(ONE).sealed
    with pytest.raises(sealing.SealingError, match="nobody can read them back: app/b") as told:
        sealed(ONE, TWO, before=first)
    assert "--rotate" in str(told.value) and "--supply" in str(told.value)
    texts = opened(sealed(ONE, TWO, before=first, brought={"app/b": "known"}).sealed)
    assert texts["apps/one-secrets"]["app_b"] == texts["data/two-secrets"]["app_b"] == "known"
    rotated = sealed(ONE, TWO, before=first, rotate=("app/b",))
    texts = opened(rotated.sealed)
    assert rotated.paths == ("app/b",) and texts["apps/one-secrets"]["app_b"] == texts["data/two-secrets"]["app_b"]
    assert texts["apps/one-secrets"]["app_b"] != opened(first)["apps/one-secrets"]["app_b"]
    assert rotated.sealed["apps", "one-secrets"]["app_a"] == first["apps", "one-secrets"]["app_a"]


def test_keys_that_encrypt_are_not_thrown_away():
    holder = workloads.Holder("cards", "apps", ("app/keys",))
    first = sealed(holder).sealed
    with pytest.raises(sealing.SealingError, match="could not be opened any more: app/keys"):
        sealed(holder, before=first, rotate=("app/keys",))
    assert sealed(holder, before=first, brought={"app/keys": "both"}).paths == ("app/keys",)


def test_what_people_bring_is_listed_whole():
    holder = workloads.Holder("web", "apps", ("app/brought", "platform/token-issuer", "app/a"))
    with pytest.raises(sealing.SealingError, match="not supplied: app/brought, platform/token-issuer"):
        sealed(holder)


@pytest.mark.parametrize("content", [b"", b"no certificate", certificates.self_signed()[1]])
def test_what_is_no_certificate_is_refused(content):
    with pytest.raises(sealing.SealingError, match="no certificate"):
        sealing.public_key(content, NOW)


def test_a_certificate_that_ended_is_refused():
    with pytest.raises(sealing.SealingError, match="ended on"):
        sealing.public_key(certificates.self_signed()[0], NOW + datetime.timedelta(days=60))


PLAN = """\
from groundplan import Platform, Service, Worker, python
from groundplan.resources import SealedSecrets
from groundplan.secrets import random, supplied
plan = Platform("small")
apps = plan.namespace("apps")
worker = apps.add(Worker("worker", python("x.y")))
worker.needs(plan.secret("app/made", random()), plan.secret("app/brought", supplied()))
plan.environment("live", registry="registry.example.com", secrets=SealedSecrets("sealed/live.pem"))
plan.environment("bare", registry="registry.example.com")
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A platform whose certificate was fetched."""
    (tmp_path / "sealed").mkdir()
    (tmp_path / "plan.py").write_text(PLAN.replace('plan.environment("bare"', "# "))
    (tmp_path / "sealed" / "live.pem").write_bytes(certificates.self_signed()[0])
    (tmp_path / "brought").write_text("a password\n")
    return tmp_path


def run(folder: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "groundplan", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_platform_is_sealed_and_built_with_what_is_sealed(folder):
    before = run(folder, "build")
    assert before.returncode == 2 and "GP322 not sealed for worker: app/brought, app/made" in before.stderr
    done = run(folder, "seal", "--environment", "live", "--supply", "app/brought=@brought")
    assert done.returncode == 0, done.stderr
    file = folder / "sealed" / "live.yaml"
    first = file.read_text()
    found = opened(sealed_secrets.read(first))["apps/worker-secrets"]
    assert found["app_brought"] == "a password\n" and found["app_made"] not in first + done.stdout + done.stderr
    assert run(folder, "build").returncode == 0
    emitted = "".join(path.read_text() for path in (folder / "deploy").rglob("*.yaml"))
    assert "kind: SealedSecret" in emitted and "a password" not in emitted and found["app_made"] not in emitted
    again = run(folder, "seal", "--environment", "live", "--json")
    assert json.loads(again.stdout)["sealed"] == [] and file.read_text() == first
    rotated = run(folder, "seal", "--environment", "live", "--rotate", "app/made", "--json")
    assert json.loads(rotated.stdout)["sealed"] == ["app/made"] and file.read_text() != first


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--environment", "live"], "not supplied: app/brought"),
        (["--environment", "elsewhere"], "elsewhere"),
        (["--environment", "live", "--rotate", "app/other"], "nobody reads app/other"),
        (["--environment", "live", "--supply", "app/brought=secret"], "PATH=@FILE"),
    ],
)
def test_bad_input_seals_nothing(folder, words, said):
    done = run(folder, "seal", *words)
    assert done.returncode == 2 and said in done.stderr and not (folder / "sealed" / "live.yaml").exists()


@pytest.mark.parametrize(
    "content", ["kind: Secret", "{", "[1]", "kind: SealedSecret", "kind: SealedSecret\nmetadata: 1"]
)
def test_a_file_that_holds_something_else_is_a_finding(folder, content):
    (folder / "sealed" / "live.yaml").write_text(content)
    done = run(folder, "build")
    assert done.returncode == 2 and "GP321" in done.stderr and "plan.py:8" in done.stderr


def test_a_certificate_that_is_not_there_is_a_finding(folder):
    (folder / "sealed" / "live.pem").unlink()
    done = run(folder, "build")
    assert done.returncode == 2 and "GP321" in done.stderr and "kubeseal --fetch-cert" in done.stderr


def test_an_environment_that_seals_nothing_says_so(folder):
    (folder / "plan.py").write_text(PLAN)
    done = run(folder, "seal", "--environment", "bare")
    assert done.returncode == 2 and "GP303 environment bare seals no secrets" in done.stderr


@pytest.mark.parametrize("text", ["[" * 100_000, "kind: SealedSecret\nmetadata: " + "{a: " * 50_000, "- " * 50_000])
def test_a_sealed_file_that_is_nested_without_end_is_refused(text):
    with pytest.raises(ValueError, match="nested deeper"):
        sealed_secrets.read(text)
