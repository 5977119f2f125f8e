"""Vault on integrated storage: a snapshot by its API, verified, and put back.

A snapshot is a gzipped tar file: ``meta.json``, the encrypted ``state.bin``, ``SHA256SUMS`` of both, and
``SHA256SUMS.sealed``, by which a server knows whether it has the keys for it. Only the active server is asked: others
answer with a redirection, or, in older versions, with half of one (https://github.com/hashicorp/vault/issues/15258).

Source: https://developer.hashicorp.com/vault/api-docs/system/storage/raft
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import http.client
import json
import pathlib
import shutil
import ssl
import tarfile
import time
import urllib.parse
import zlib
from collections.abc import Iterator
from typing import IO, Any

from groundplan_runtime.backup.problems import BackupError

FILE = "vault.snap"
PATIENCE = 300.0
"""Seconds without a byte: a server that puts back a snapshot answers when it has it."""
_SNAPSHOT = "sys/storage/raft/snapshot"
_SUMS, _SEALED = "SHA256SUMS", "SHA256SUMS.sealed"
_SUMMED = ("meta.json", "state.bin")
_SHORT = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Server:
    """Where a Vault is reached: ``http[s]://host:port``, and the file (PEM) of whoever vouches for its certificate."""

    address: str
    authority: str = ""

    @contextlib.contextmanager
    def asked(
        self, method: str, path: str, *, token: str = "", body: IO[bytes] | bytes | None = None, length: int = 0
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to one request, wherever it is of 2xx; raises BackupError."""
        headers = {"X-Vault-Request": "true"} | ({"X-Vault-Token": token} if token else {})
        headers |= {"Content-Length": str(length)} if body is not None else {}
        try:
            with contextlib.closing(self._link()) as link:
                link.request(method, f"/v1/{path}", body, headers)
                answer = link.getresponse()
                if answer.status // 100 != 2:
                    raise BackupError(f"{self.address} answered {answer.status} to {method} /v1/{path}", _said(answer))
                yield answer
        except (OSError, http.client.HTTPException) as error:
            what = f"{self.address} did not answer {method} /v1/{path} in full"
            raise BackupError(what, str(error) or type(error).__name__) from error

    def _link(self) -> http.client.HTTPConnection:
        with contextlib.suppress(ValueError):  # a port that is no number
            place = urllib.parse.urlsplit(self.address)
            host, port = place.hostname or "", place.port
            if place.scheme == "http" and host:
                return http.client.HTTPConnection(host, port, timeout=PATIENCE)
            if place.scheme == "https" and host:
                context = ssl.create_default_context(cafile=self.authority or None)
                return http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=context)
        raise BackupError(f"{self.address!r} is no address of a Vault", fix="write https://host:8200")

    def told(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What it answers, where that is short and JSON."""
        text = b"" if body is None else json.dumps(body).encode()
        with self.asked(method, path, body=text or None, length=len(text)) as answer:
            try:
                found = json.loads(answer.read(_SHORT))
            except ValueError:
                found = None
        if not isinstance(found, dict):
            raise BackupError(f"{self.address} does not answer as Vault does")
        return found

    def leads_since(self) -> str:
        """The moment from which on it leads; empty for one that does not."""
        return str(self.told("GET", "sys/leader").get("active_time", ""))

    def active(self) -> Server:
        """The one that leads."""
        leader = str(self.told("GET", "sys/leader").get("leader_address", ""))
        if not leader:
            why = "an election takes some seconds; without one, more than half of the replicas are sealed or away"
            raise BackupError(f"nobody leads the Vault at {self.address}", why, "unseal them, then start this again")
        if urllib.parse.urlsplit(leader).scheme != urllib.parse.urlsplit(self.address).scheme:
            raise BackupError(f"the leader would be asked at {leader}", f"no token goes there from {self.address}")
        return Server(leader, self.authority)


def save(server: Server, role: str, account: pathlib.Path, file: pathlib.Path) -> None:
    """Writes a snapshot to `file`, asked for in the `role` that the token in `account` may log in to.

    Raises BackupError, and leaves no file, where the server gives none, or half of one.
    """
    active = server.active()
    said = active.told("POST", "auth/kubernetes/login", {"role": role, "jwt": _text(account)})
    token = str((said.get("auth") or {}).get("client_token", ""))
    try:
        with active.asked("GET", _SNAPSHOT, token=token) as answer, file.open("wb") as target:
            shutil.copyfileobj(answer, target, 1024 * 1024)
        check(file)
    except BackupError:
        file.unlink(missing_ok=True)
        raise


def put(server: Server, token: pathlib.Path, file: pathlib.Path) -> None:
    """Replaces all that the Vault holds by the snapshot in `file`, once that was verified; `token` must be one that may
    update ``sys/storage/raft/snapshot-force``. The unseal key is then that of the Vault it was taken from."""
    check(file)
    said = _text(
        token,
        "putting back a snapshot replaces everything, its policies among it: no account of the cluster may do it",
        "bring one, as the runbook says (`groundplan runbook`)",
    )
    active, length = server.active(), file.stat().st_size
    led = active.leads_since()
    with (
        file.open("rb") as source,
        active.asked("POST", f"{_SNAPSHOT}-force", token=said, body=source, length=length) as answer,
    ):
        answer.read(_SHORT)
    _settle(active, led)


def _text(file: pathlib.Path, why: str = "", fix: str = "") -> str:
    """A token, where there is one."""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"there is no token in {file}", why or str(error), fix) from error


def _settle(active: Server, led: str) -> None:
    """The answer comes before the deed: until then, whoever starts the server anew has the old Vault. Afterwards it is
    sealed, for the keys are others, or, where they are the same, it leads anew."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(BackupError):
            if active.told("GET", "sys/seal-status").get("sealed") or active.leads_since() not in ("", led):
                return
        time.sleep(0.5)
    raise BackupError(f"{active.address} took the snapshot, and did not put it back within {PATIENCE:.0f} s")


def check(file: pathlib.Path) -> None:
    """Raises BackupError unless `file` is a whole snapshot, unaltered since the server made it."""
    try:
        with gzip.open(file) as unpacked:
            sums, listed = _read(unpacked)
    except (OSError, EOFError, zlib.error, tarfile.TarError, UnicodeDecodeError) as error:
        raise BackupError(f"{file.name} is no snapshot of a Vault, or not a whole one", str(error)) from error
    missing = [name for name in (*_SUMMED, _SEALED) if name not in sums]
    if missing:
        raise BackupError(f"{file.name} is no whole snapshot of a Vault", f"it is without {', '.join(missing)}")
    differing = [name for name in _SUMMED if listed.get(name) != sums[name]]
    if differing:
        raise BackupError(
            f"{', '.join(differing)} in {file.name} is not what the Vault wrote",
            "its SHA-256 differs from the one beside it",
            "take an older snapshot",
        )


def _read(unpacked: gzip.GzipFile) -> tuple[dict[str, str], dict[str, str]]:
    """The checksums of what is in it, and those that it lists itself."""
    sums: dict[str, str] = {}
    listed: dict[str, str] = {}
    with tarfile.open(fileobj=unpacked, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None:
                continue
            if member.name == _SUMS:
                lines = content.read(_SHORT).decode().splitlines()
                listed = {name: total for total, _, name in (line.partition("  ") for line in lines)}
            sums[member.name] = _digest(content)
    while unpacked.read(_SHORT):  # what comes after: the checksum of it all is at the very end
        pass
    return sums, listed


def _digest(content: IO[bytes]) -> str:
    total = hashlib.sha256()
    while chunk := content.read(_SHORT):
        total.update(chunk)
    return total.hexdigest()


def _said(answer: http.client.HTTPResponse) -> str:
    """Its own words."""
    if answer.status // 100 == 3:
        return "it points to another server, and no token is sent after it"
    with contextlib.suppress(ValueError, AttributeError, OSError):
        return "; ".join(str(each) for each in json.loads(answer.read(_SHORT)).get("errors", ()))
    return ""
