"""A registry that does as it is told, on loopback: answers by path, and everything that was asked."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator

MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


@dataclasses.dataclass
class Asked:
    method: str
    path: str
    authorization: str
    accept: str


@dataclasses.dataclass
class Answer:
    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    dropped: bool = False


class Double:
    """`tells` says what to answer; without it, every tag of every image is `MANIFEST`."""

    def __init__(self, tells: Callable[[Asked], Answer] | None = None) -> None:
        self.asked: list[Asked] = []
        self.tells = tells or (lambda asked: manifest())
        self.host = ""


def manifest(body: bytes = MANIFEST, digest: str | None = None) -> Answer:
    said = f"sha256:{hashlib.sha256(body).hexdigest()}" if digest is None else digest
    return Answer(headers={"Docker-Content-Digest": said} if said else {}, body=body)


@contextlib.contextmanager
def serving(double: Double) -> Iterator[Double]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = Asked(
                self.command, self.path, self.headers.get("Authorization", ""), self.headers.get("Accept", "")
            )
            double.asked.append(asked)
            answer = double.tells(asked)
            if answer.dropped:
                self.connection.close()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer.body)

        do_HEAD = do_GET

        def log_message(self, *arguments: object) -> None:
            """Tests look at `asked`."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *arguments: None
    double.host = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
