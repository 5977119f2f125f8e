"""The double behind a socket: HTTP on loopback, with connections that drop where a test says so."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator

from groundplan.live import client, kubeconfig
from tests.live import cluster

Extra = tuple[int, dict, dict[str, str]]


class Server(http.server.ThreadingHTTPServer):
    """One cluster's API server."""

    daemon_threads = True

    def __init__(self, behind: cluster.Cluster) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cluster = behind
        self.lock = threading.Lock()
        self.count = 0
        self.drops: Callable[[int], str] = lambda number: ""
        """For the request of a number: "before" or "after" it is carried out the connection drops."""
        self.answers: list[Extra] = []
        """Given instead of the cluster's own, one a request."""
        self.seen: list[dict[str, str]] = []
        """The headers of each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        with self.server.lock:
            self.server.count += 1
            self.server.seen.append(dict(self.headers))
            drop = self.server.drops(self.server.count)
            if drop == "before":
                return self._hang_up()
            code, tree, headers = self._answer(parts.path, query, body)
        if drop == "after":
            return self._hang_up()
        data = json.dumps(tree).encode()
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        return None

    def _answer(self, path: str, query: dict[str, str], body: dict | None) -> Extra:
        if self.server.answers:
            return self.server.answers.pop(0)
        return (*self.server.cluster.handle(self.command, path, query, body), {})

    def _hang_up(self) -> None:
        self.close_connection = True

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def serving(behind: cluster.Cluster | None = None) -> Iterator[Server]:
    server = Server(behind or cluster.Cluster())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Clock:
    """Time passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return 1_800_000_000 + self.time

    def steady(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def connected(server: Server, clock: Clock | None = None, **user: object) -> client.Client:
    access = kubeconfig.Access("test", server.url, kubeconfig.User(**user))
    return client.Client(access, clock or Clock())
