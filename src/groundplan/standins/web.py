"""The HTTP side of a stand-in: what it caught, as JSON, and as a page for people."""

from __future__ import annotations

import html
import http.server
import json
import signal
import threading
import urllib.parse
from collections.abc import Callable

from groundplan.standins import shelf

LONGEST_BODY = 10 * 2**20


class Server(http.server.ThreadingHTTPServer):
    """Answers GET /livez, / and /<collection>; what else it takes is its handler's business."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, kept: shelf.Shelf, collection: str, title: str, handler: type[Handler]) -> None:
        host, _, port = address.rpartition(":")
        self.kept, self.collection, self.title = kept, collection, title
        super().__init__((host, int(port)), handler)


class Answering(http.server.BaseHTTPRequestHandler):
    """Whole answers, and bodies of a bounded length."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes | None:
        """What was sent; None where it was too long, and then it is answered."""
        said = self.headers.get("Content-Length") or "0"
        if said.isdecimal() and int(said) <= LONGEST_BODY:
            return self.rfile.read(int(said))
        self.close_connection = True
        self.answer(413, "text/plain", b"too long\n")
        return None

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: what was caught can be read."""


class Handler(Answering):
    """GET alone; a stand-in that takes more adds methods."""

    server: Server

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/livez":
            self.answer(200, "text/plain", b"ok\n")
        elif url.path == "/":
            self.answer(200, "text/html; charset=utf-8", _page(self.server).encode())
        elif url.path == f"/{self.server.collection}":
            self._list(dict(urllib.parse.parse_qsl(url.query)))
        elif url.path.startswith(f"/{self.server.collection}/"):
            self._one(url.path.rsplit("/", 1)[1])
        else:
            self.answer(404, "text/plain", f"there is /{self.server.collection}\n".encode())

    def _list(self, query: dict[str, str]) -> None:
        try:
            limit, after = int(query.get("limit", 100)), int(query.get("after", 0))
        except ValueError:
            self.answer(400, "text/plain", b"limit and after are whole numbers\n")
            return
        self.answer_json(self.server.kept.newest(limit, after))

    def _one(self, number: str) -> None:
        found = self.server.kept.one(int(number)) if number.isdigit() else None
        if found is None:
            self.answer(404, "text/plain", b"no such number\n")
        else:
            self.answer_json(found)

    def answer_json(self, thing: object) -> None:
        self.answer(200, "application/json", json.dumps(thing, indent=1).encode())


def _page(server: Server) -> str:
    rows = "".join(
        f'<tr><td><a href="/{server.collection}/{each["number"]}">{each["number"]}</a></td>'
        f"<td>{html.escape(str(each.get('at', '')))}</td><td>{html.escape(str(each.get('summary', '')))}</td></tr>"
        for each in server.kept.newest(200)
    )
    style = "body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem}td{padding:.2rem 1rem .2rem 0}"
    title = html.escape(server.title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1><table>{rows or '<tr><td>Nothing yet.</td></tr>'}</table></html>"
    )


def serve(server: http.server.ThreadingHTTPServer, stop: Callable[[], None] = lambda: None) -> None:
    """Serves until SIGTERM or SIGINT."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    done.wait()
    server.shutdown()
    stop()
