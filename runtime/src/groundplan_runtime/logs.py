"""One JSON line per record on standard output, with the request's ids, masked.

Libraries and services log through the standard `logging`; `access` writes the line of a finished
request without that machinery, because there is one for every request.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import msgspec

from groundplan_runtime import current, masking, traces

_encode = msgspec.json.Encoder(enc_hook=str).encode

# What every LogRecord has; the rest of its __dict__ is what the caller passed as `extra`.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


class Source(msgspec.Struct, frozen=True):
    """Which process speaks."""

    service: str
    instance: str


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def format(self, record: logging.LogRecord) -> str:
        said = self._said(record)
        if masking.suspicious(_encode(said).decode()):
            said = masking.value(said)
        return _encode(_head(record.created, record.levelname, self._source) | said).decode()

    def _said(self, record: logging.LogRecord) -> dict[str, Any]:
        """The part that people and libraries fill in, so the part that may hold something secret."""
        extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        said = {"logger": record.name, "message": _message(record), **extra}
        if record.exc_info and record.exc_info[0] is not None:
            said["exception"] = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if record.stack_info:
            said["stack"] = record.stack_info
        return said


def configure(source: Source, level: str = "INFO", write: Callable[[bytes], None] | None = None) -> None:
    """Send every record of this process to standard output as JSON."""
    handler = _Handler(write or _write)
    handler.setFormatter(JsonFormatter(source))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Uvicorn tells of its start and stop at INFO, which `service` does in our words.
    logging.getLogger("uvicorn").setLevel("WARNING")


class AccessLog:
    """Writes the line of a finished request."""

    def __init__(self, source: Source, write: Callable[[bytes], None] | None = None) -> None:
        self._source = source
        self._write = write or _write
        self._enabled = logging.getLogger("access").isEnabledFor(logging.INFO)

    def http(self, method: str, path: str, route: str, status: int, seconds: float) -> None:
        if self._enabled:
            self._line({"method": method, "path": path, "route": route, "status": status}, seconds)

    def grpc(self, method: str, code: str, seconds: float) -> None:
        if self._enabled:
            self._line({"rpc": method, "code": code}, seconds)

    def _line(self, said: dict[str, Any], seconds: float) -> None:
        caller = current.caller.get()
        said = {"logger": "access", "message": "request", **said, "caller": caller}
        if masking.suspicious(said.get("path", "")):
            said = masking.value(said)
        head = _head(time.time(), "INFO", self._source)
        self._write(_encode(head | said | {"duration_ms": round(seconds * 1000, 3)}) + b"\n")


class _Handler(logging.Handler):
    def __init__(self, write: Callable[[bytes], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record).encode() + b"\n")
        except Exception:  # logging's own contract: a record that cannot be written is reported, not raised
            self.handleError(record)


def _head(created: float, level: str, source: Source) -> dict[str, Any]:
    """The part that we fill in: trusted, so never masked (a trace id may look like a card number)."""
    head = {"time": _rfc3339(created), "level": level, "service": source.service, "instance": source.instance}
    position = traces.current()
    if position is not None:
        head["trace_id"] = position.trace_id
        head["span_id"] = position.span_id
    request_id = current.request_id.get()
    if request_id:
        head["request_id"] = masking.text(request_id) if masking.suspicious(request_id) else request_id
    return head


_second: tuple[int, str] = (0, "")


def _rfc3339(created: float) -> str:
    global _second
    whole = int(created)
    if _second[0] != whole:
        _second = (whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)))
    return f"{_second[1]}.{int((created - whole) * 1000):03d}Z"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError) as error:
        return f"{record.msg!r} with arguments that do not fit it: {error}"


def _write(line: bytes) -> None:
    """One write per line, so that lines of several processes in one file do not mix."""
    if sys.stdout is not None:
        sys.stdout.flush()
    while line:
        try:
            line = line[os.write(1, line) :]
        except BlockingIOError:
            time.sleep(0.001)  # a pipe that its reader made non-blocking: wait for room rather than lose the line
