"""Snapshots of a Vault: half a one, an altered one, or an answer that is none is refused, and no token goes astray."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import json
import pathlib
import tarfile
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundplan_runtime.backup import __main__ as program
from groundplan_runtime.backup import vault
from groundplan_runtime.backup.problems import BackupError

STATE = hashlib.sha256(b"encrypted").digest() * 400


def snapshot(**more: bytes) -> bytes:
    """In the form in which a server writes one."""
    parts = {"meta.json": b'{"Version":1,"Index":37,"Term":3}', "state.bin": STATE}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in parts.items())
    parts |= {"SHA256SUMS": sums.encode(), "SHA256SUMS.sealed": b"sealed", **more}
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


WHOLE = snapshot()


def judged(content: bytes, folder: pathlib.Path) -> str:
    """What is wrong with it; nothing where it is whole."""
    file = folder / "vault.snap"
    file.write_bytes(content)
    try:
        vault.check(file)
    except BackupError as error:
        return str(error)
    return ""


def state_of(content: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return archive.extractfile("state.bin").read()


def test_a_whole_one_is_taken(tmp_path: pathlib.Path) -> None:
    assert judged(WHOLE, tmp_path) == ""


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(WHOLE) * 8 - 1))
def test_one_bit_is_noticed_wherever_it_says_anything(tmp_path_factory: pytest.TempPathFactory, at: int) -> None:
    altered = bytearray(WHOLE)
    altered[at // 8] ^= 1 << at % 8
    if not judged(bytes(altered), tmp_path_factory.mktemp("one")):
        assert state_of(bytes(altered)) == STATE, "a bit of gzip's own head, such as its time"


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, len(WHOLE) - 1))
def test_one_that_is_cut_short_is_refused(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    assert "vault.snap" in judged(WHOLE[:length], tmp_path_factory.mktemp("cut"))


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=2000))
def test_anything_else_is_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    assert "vault.snap" in judged(content, tmp_path_factory.mktemp("else"))


@pytest.mark.parametrize("name", ["meta.json", "state.bin"])
def test_one_whose_checksums_are_of_something_else_is_refused(tmp_path: pathlib.Path, name: str) -> None:
    assert f"{name} in vault.snap is not what the Vault wrote" in judged(snapshot(**{name: b"else"}), tmp_path)


@contextlib.contextmanager
def answering(answers: dict[str, tuple[int, bytes]], cut: int = 0) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server that gives these answers by path, `cut` bytes short, and who was asked with which token."""
    heard: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix("/v1/")
            heard.append((path, self.headers.get("X-Vault-Token", "")))
            status, content = answers.get(path, (404, b"{}"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) - (cut if path.endswith("snapshot") else 0)])

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        answers.setdefault("sys/leader", (200, json.dumps({"leader_address": address}).encode()))
        answers.setdefault("auth/kubernetes/login", (200, b'{"auth": {"client_token": "hvs.once"}}'))
        yield address, heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def saved(address: str, folder: pathlib.Path) -> int:
    (folder / "jwt").write_text("its own\n")
    words = [f"--address={address}", f"--work={folder}/work", "--role=r", f"--account-token={folder}/jwt"]
    return program.main(["vault", *words])


def test_a_snapshot_is_asked_of_whoever_leads_by_a_token_for_it(tmp_path: pathlib.Path) -> None:
    with answering({"sys/storage/raft/snapshot": (200, WHOLE)}) as (address, heard):
        assert saved(address, tmp_path) == 0
    assert heard[-1] == ("sys/storage/raft/snapshot", "hvs.once") and heard[0] == ("sys/leader", "")
    assert (tmp_path / "work" / "vault.snap").read_bytes() == WHOLE


@pytest.mark.parametrize(
    ("answers", "cut", "words"),
    [
        ({"sys/storage/raft/snapshot": (200, WHOLE)}, 100, "not a whole one"),
        ({"sys/storage/raft/snapshot": (200, WHOLE[:-100])}, 0, "not a whole one"),
        ({"sys/storage/raft/snapshot": (200, b"")}, 0, "no snapshot"),
        ({"sys/storage/raft/snapshot": (307, b"")}, 0, "points to another server"),
        ({"sys/storage/raft/snapshot": (403, b'{"errors": ["permission denied"]}')}, 0, "permission denied"),
        ({"sys/leader": (200, b'{"ha_enabled": true, "leader_address": ""}')}, 0, "nobody leads"),
        ({"sys/leader": (200, b'{"leader_address": "https://127.0.0.1:9"}')}, 0, "no token goes there"),
        ({"sys/leader": (200, b"<html>")}, 0, "does not answer as Vault does"),
        ({"auth/kubernetes/login": (400, b'{"errors": ["invalid role name"]}')}, 0, "invalid role name"),
    ],
)
def test_what_is_no_snapshot_is_said_and_nothing_is_left(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], answers: dict, cut: int, words: str
) -> None:
    with answering(dict(answers), cut) as (address, heard):
        assert saved(address, tmp_path) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "work" / "vault.snap").exists()
    assert {token for path, token in heard if not path.endswith("snapshot")} <= {""}


@pytest.mark.parametrize(
    "address", ["http://", "ftp://127.0.0.1", "http://127.0.0.1:port", "127.0.0.1", "http://127.0.0.1:9"]
)
def test_an_address_that_leads_nowhere_is_said(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert saved(address, tmp_path) == 1
    assert address in capsys.readouterr().err


def test_without_its_token_or_its_authority_it_says_so(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering({}) as (address, _):
        words = [f"--address={address}", f"--work={tmp_path}/work", "--role=r", "--account-token=/nowhere"]
        assert program.main(["vault", *words]) == 1
        assert "no token in /nowhere" in capsys.readouterr().err
    words = ["--address=https://127.0.0.1:9", "--authority=/nowhere", f"--work={tmp_path}/work"]
    assert program.main(["vault", *words, "--role=r", f"--account-token={tmp_path}/x"]) == 1
    assert "https://127.0.0.1:9" in capsys.readouterr().err
