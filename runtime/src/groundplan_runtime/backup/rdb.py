"""Redis: a snapshot by the replication protocol, as a replica asks for it, and what a server starts from.

Sources: https://redis.io/docs/latest/operate/oss_and_stack/management/replication/ (SYNC sends the data set as an RDB
file, with its length or, sent without a disk, between two marks), https://redis.io/docs/latest/operate/oss_and_stack/
management/persistence/ (since Redis 7 the append-only file is a folder: a base, which may be an RDB file, and what
came after it, listed in a manifest).
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shutil
import socket
import ssl
from typing import BinaryIO

from groundplan_runtime.backup.problems import BackupError

FILE = "dump.rdb"
PATIENCE = 300.0
"""Seconds without a byte; a server that writes a large data set says nothing meanwhile but sends empty lines."""
_MAGIC = re.compile(rb"(REDIS|VALKEY)\d{3,4}")
_MARK = 40
_CHUNK = 1024 * 1024
_FOLDER, _BASE = "appendonlydir", "appendonly.aof.1.base.rdb"
_LOG = "appendonly.aof.1.incr.aof"


@dataclasses.dataclass(frozen=True)
class Account:
    """Who asks; it needs the commands SYNC, INFO and REPLCONF, and no key."""

    user: str
    password: str


def save(host: str, port: int, account: Account, file: pathlib.Path, *, authority: str = "") -> str:
    """Writes a snapshot of the server's whole data set to `file`; returns what wrote it ("Redis 7.2.4").

    With an `authority` (a file of certificates in PEM) the server speaks TLS, and must have its word for being `host`.
    """
    try:
        with _link(host, port, authority) as link, link.makefile("rb") as stream:
            link.settimeout(PATIENCE)
            _said(link, stream, "AUTH", account.user, account.password)
            engine = _engine(_said(link, stream, "INFO", "server"))
            _send(link, "SYNC")
            with file.open("wb") as target:
                _received(stream, target)
    except OSError as error:
        raise BackupError(f"{host}:{port} gave no snapshot", str(error)) from error
    check(file)
    return engine


def _link(host: str, port: int, authority: str) -> socket.socket:
    link = socket.create_connection((host, port), timeout=30)
    if not authority:
        return link
    with link:  # the secured one takes over the connection; what is left of this one is closed
        return ssl.create_default_context(cafile=authority).wrap_socket(link, server_hostname=host)


def check(file: pathlib.Path) -> None:
    """Raises BackupError unless `file` begins and ends as an RDB file does."""
    with file.open("rb") as stream:
        head = stream.read(9)
        stream.seek(max(0, file.stat().st_size - 9))
        end = stream.read(1)
    if not _MAGIC.match(head) or end != b"\xff":  # the mark of the end, and 8 bytes of checksum after it
        raise BackupError(f"{file.name} is no RDB file, or not a whole one")


def put(file: pathlib.Path, data: pathlib.Path, *, append_only: bool) -> None:
    """Puts a snapshot where a stopped server finds it: as its RDB file, or as the base of its append-only file, since
    one with an append-only file starts from that alone."""
    check(file)
    shutil.rmtree(data / _FOLDER, ignore_errors=True)
    (data / FILE).unlink(missing_ok=True)
    if not append_only:
        shutil.copyfile(file, data / FILE)
        return
    folder = data / f".{_FOLDER}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    shutil.copyfile(file, folder / _BASE)
    (folder / _LOG).touch()
    (folder / "appendonly.aof.manifest").write_text(f"file {_BASE} seq 1 type b\nfile {_LOG} seq 1 type i\n")
    folder.rename(data / _FOLDER)


def _send(link: socket.socket, *words: str) -> None:
    parts = (b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words))
    link.sendall(b"*%d\r\n" % len(words) + b"".join(parts))


def _said(link: socket.socket, stream: BinaryIO, *words: str) -> bytes:
    """The answer to a command: a line, or a bulk string."""
    _send(link, *words)
    line = stream.readline()
    if line.startswith(b"+"):
        return line[1:].strip()
    if line.startswith(b"$"):
        return stream.read(int(line[1:]) + 2)
    raise BackupError(f"the server refused {words[0]}", line.decode(errors="replace").strip(" -\r\n"))


def _engine(info: bytes) -> str:
    said = dict(line.split(":", 1) for line in info.decode(errors="replace").splitlines() if ":" in line)
    name = said.get("server_name", "redis").capitalize()
    return f"{name} {said.get(f'{name.lower()}_version') or said.get('redis_version', '')}".strip()


def _received(stream: BinaryIO, target: BinaryIO) -> None:
    line = stream.readline()
    while line == b"\n":  # it says that it still writes
        line = stream.readline()
    if line.startswith(b"$EOF:"):
        return _until(line[5:].strip(), stream, target)
    if not line.startswith(b"$"):
        raise BackupError("the server refused SYNC", line.decode(errors="replace").strip(" -\r\n"))
    left = int(line[1:])
    while left:
        chunk = stream.read(min(left, _CHUNK))
        if not chunk:
            raise BackupError("the server closed the connection in the middle of its snapshot")
        target.write(chunk)
        left -= len(chunk)
    return None


def _until(mark: bytes, stream: BinaryIO, target: BinaryIO) -> None:
    """All before `mark`, which the server chose at random and repeats at the end."""
    if len(mark) != _MARK:
        raise BackupError("the server's snapshot begins without a mark")
    held = b""
    while not held.endswith(mark):
        chunk = stream.read1(_CHUNK)  # type: ignore[attr-defined]
        if not chunk:
            raise BackupError("the server closed the connection in the middle of its snapshot")
        held += chunk
        target.write(held[:-_MARK])
        held = held[-_MARK:]
