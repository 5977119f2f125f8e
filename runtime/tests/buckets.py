"""An object store that speaks S3: moto's server, in a virtual environment of its own, kept where caches are kept.

It is large, and nothing but these tests wants it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import subprocess
import time
import urllib.request
import venv
from collections.abc import Iterator

from platforms.payments.tests import engines

MOTO = ("moto[s3]==5.2.5", "flask>=3,<4", "flask-cors>=6,<7")
PATIENCE = 60.0


def _program() -> pathlib.Path:
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "groundplan-tests"
    home = cache / "moto-5.2.5"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "moto.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (home / "complete").exists():
            venv.create(home, with_pip=True, clear=True)
            command = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *MOTO]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, done.stderr
            (home / "complete").touch()
    return home / "bin" / "moto_server"


@contextlib.contextmanager
def store(bucket: str, folder: pathlib.Path) -> Iterator[str]:
    """The endpoint of a store with an empty bucket, while the block runs."""
    port = engines.free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with (folder / "moto.log").open("wb") as log:
        server = subprocess.Popen([str(_program()), "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
        try:
            _made(f"{endpoint}/{bucket}", server, folder / "moto.log")
            yield endpoint
        finally:
            server.kill()
            server.wait(PATIENCE)


def _made(url: str, server: subprocess.Popen[bytes], log: pathlib.Path) -> None:
    deadline = time.monotonic() + PATIENCE
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
    while True:
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=signed), timeout=5).close()
            return
        time.sleep(0.05)


def account(folder: pathlib.Path) -> pathlib.Path:
    """A file with the keys of an account."""
    path = folder / "account.json"
    path.write_text(json.dumps({"access_key_id": "AKIATEST", "secret_access_key": "not-for-anybodys-eyes"}))
    return path
