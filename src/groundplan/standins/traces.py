"""A collector of traces: ``python -m groundplan.standins.traces --http=HOST:PORT --data=DIR``.

Takes OTLP over HTTP, in JSON and in protobuf, plain and gzipped, and keeps each request as one line of
``spans.log``: ``json <body>`` or ``protobuf <base64>``. Whoever reads takes them apart, so that taking them in costs
next to nothing. Two files of `LONGEST` bytes at most: the newest one, and the one before it.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import pathlib
import threading
import zlib

from groundplan.standins import arguments, web

LONGEST = 32 * 2**20
"""Bytes of one file."""
FILE, FORMER = "spans.log", "spans.1.log"
JSON, PROTOBUF = "application/json", "application/x-protobuf"


class Roll:
    """Lines in a file that is put aside when it is full."""

    def __init__(self, folder: pathlib.Path, longest: int = LONGEST) -> None:
        self._file, self._former, self._longest = folder / FILE, folder / FORMER, longest
        self._lock = threading.Lock()
        self._end_the_last_line()

    def _end_the_last_line(self) -> None:
        """Whoever was killed while it wrote has left half a line, to which nothing may be added."""
        if self._file.exists() and self._file.stat().st_size:
            with self._file.open("rb+") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")

    def add(self, line: bytes) -> None:
        """Keeps `line`, which has no line end in it."""
        with self._lock:
            with self._file.open("ab") as out:
                out.write(line + b"\n")
                full = out.tell() >= self._longest
            if full:
                self._file.replace(self._former)


class Collector(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, roll: Roll) -> None:
        host, _, port = address.rpartition(":")
        self.roll = roll
        super().__init__((host, int(port)), Handler)


class Handler(web.Answering):
    server: Collector

    def do_GET(self) -> None:
        if self.path == "/livez":
            self.answer(200, "text/plain", b"ok\n")
        else:
            self.answer(404, "text/plain", b"spans come in by POST /v1/traces; groundplan trace shows them\n")

    def do_POST(self) -> None:
        sent = self.body()
        if sent is None:
            return
        if self.path != "/v1/traces":
            self.answer(404, "text/plain", b"traces alone are collected, at /v1/traces\n")
            return
        kind = self.headers.get_content_type()
        try:
            line = _line(kind, _plain(sent, self.headers.get("Content-Encoding", "")))
        except ValueError as error:
            self.answer(400, "text/plain", f"{error}\n".encode())
            return
        try:
            self.server.roll.add(line)
        except OSError as error:
            self.answer(503, "text/plain", f"cannot keep it: {error.strerror}\n".encode())
            return
        self.answer(200, kind, b"{}" if kind == JSON else b"")


def _plain(sent: bytes, encoding: str) -> bytes:
    """What was sent, uncompressed; raises ValueError."""
    if encoding in ("", "identity"):
        return sent
    if encoding != "gzip":
        raise ValueError(f"Content-Encoding {encoding} is not taken, gzip is")
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(sent, web.LONGEST_BODY)
    except zlib.error as error:
        raise ValueError(f"not gzip: {error}") from None
    if unpacking.unconsumed_tail:
        raise ValueError("too long once it is unpacked")
    return found


def _line(kind: str, body: bytes) -> bytes:
    if kind == PROTOBUF:
        return b"protobuf " + base64.b64encode(body)
    if kind != JSON:
        raise ValueError(f"Content-Type {kind} is not taken, {JSON} and {PROTOBUF} are")
    if b"\n" in body or b"\r" in body:  # spaces outside text, since JSON's text has no raw line ends
        body = json.dumps(json.loads(body)).encode()
    return b"json " + body


def main() -> None:
    given = arguments.parse(("http", "data"))
    folder = pathlib.Path(given.data)
    folder.mkdir(parents=True, exist_ok=True)
    web.serve(Collector(given.http, Roll(folder)))


if __name__ == "__main__":
    main()
