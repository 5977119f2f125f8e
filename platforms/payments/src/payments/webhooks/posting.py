"""One POST to a checked address: TLS for the name, no redirects, little patience, a bounded answer.

Connections are kept for a few seconds and used again for the same endpoint: they go to the address that was checked
when they were made.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httptools

from payments.webhooks import guard

CONNECT = 5.0
"""Seconds to connect, TLS included."""
TOTAL = 20.0
"""Seconds from the first byte sent to the end of the answer's head."""
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read, head included; what it says does not matter."""
KEPT = 15.0
"""Seconds that an idle connection may be used again."""
KEPT_PER_TARGET = 32
AGENT = "Groundplan-Payments/1.0 (webhooks)"


class Result(NamedTuple):
    """What came of an attempt: the status, or why there is none."""

    status: int | None
    error: str
    milliseconds: int

    @property
    def taken(self) -> bool:
        """Whether the endpoint took the event: any 2xx, as Stripe counts it."""
        return self.status is not None and 200 <= self.status < 300


class _Answer:
    """What httptools reads."""

    def __init__(self) -> None:
        self.headed = False
        self.complete = False
        self.status = 0
        self.persistent = False
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        self.headed = True
        self.status = self.parser.get_status_code()
        self.persistent = self.parser.should_keep_alive()

    def on_message_complete(self) -> None:
        self.complete = True


class _Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    since: float

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # it is gone already
            self.writer.close()


class Poster:
    """Sends; `tls` is the context that verifies servers."""

    def __init__(
        self, wall: guard.Guard, tls: ssl.SSLContext | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.guard = wall
        self._tls = tls or _verifying()
        self._clock = clock
        self._kept: dict[str, list[_Connection]] = {}

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Result:
        """One attempt; never raises for what the other side does."""
        began = self._clock()
        status, error = None, ""
        try:
            async with asyncio.timeout(CONNECT + TOTAL):
                status = await self._exchanged(url, headers, body)
        except guard.Refused as refused:
            error = f"refused: {refused}"
        except TimeoutError:
            error = "no answer in time"
        except ssl.SSLError as failed:
            error = f"TLS: {failed.reason or failed}"
        except (OSError, EOFError, httptools.HttpParserError) as failed:
            error = f"{type(failed).__name__}: {failed}"[:300]
        return Result(status, error, int((self._clock() - began) * 1000))

    async def _exchanged(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        target = guard.parse(url)
        request = _request(target, headers, body)
        kept = self._take(url)
        if kept is not None:
            # The other side may have closed it this moment: then nothing was taken, and a fresh one is tried.
            with contextlib.suppress(OSError, EOFError):
                return await self._asked(url, kept, request)
        return await self._asked(url, await self._connected(url), request)

    async def _connected(self, url: str) -> _Connection:
        checked = await self.guard.check(url)
        failed: OSError | None = None
        for address in checked.addresses[:2]:
            try:
                async with asyncio.timeout(CONNECT):
                    return await self._opened(checked.target, address)
            except ssl.SSLError:
                raise
            except OSError as error:
                failed = error
        raise failed or OSError("no address")

    async def _opened(self, target: guard.Target, address: str) -> _Connection:
        tls = {"ssl": self._tls, "server_hostname": target.host} if target.secure else {}
        # An address as host: nothing is resolved here, so nothing can be resolved otherwise.
        opened = await asyncio.open_connection(address, target.port, limit=LARGEST_ANSWER, **tls)  # type: ignore[arg-type]
        return _Connection(*opened, self._clock())

    async def _asked(self, url: str, connection: _Connection, request: bytes) -> int:
        whole = False
        try:
            connection.writer.write(request)
            await connection.writer.drain()
            status, whole = await _answered(connection.reader)
        finally:
            if whole:
                self._keep(url, connection)
            else:
                connection.close()
        return status

    def _take(self, url: str) -> _Connection | None:
        kept = self._kept.get(url, [])
        while kept:
            found = kept.pop()
            if self._clock() - found.since < KEPT and not found.reader.at_eof() and not found.writer.is_closing():
                return found
            found.close()
        self._kept.pop(url, None)
        return None

    def _keep(self, url: str, connection: _Connection) -> None:
        kept = self._kept.setdefault(url, [])
        if len(kept) < KEPT_PER_TARGET:
            kept.append(connection)
        else:
            connection.close()

    def tidy(self) -> None:
        """Closes what was idle for too long."""
        now = self._clock()
        for url, kept in list(self._kept.items()):
            for old in [one for one in kept if now - one.since >= KEPT]:
                old.close()
            self._kept[url] = [one for one in kept if now - one.since < KEPT]
            if not self._kept[url]:
                del self._kept[url]

    def close(self) -> None:
        for kept in self._kept.values():
            for one in kept:
                one.close()
        self._kept.clear()


async def _answered(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the connection is good for another request."""
    answer = _Answer()
    left = LARGEST_ANSWER
    while not answer.complete and left > 0:
        chunk = await reader.read(min(left, 16384))
        if not chunk:
            break
        left -= len(chunk)
        answer.parser.feed_data(chunk)
    if not answer.headed:
        raise EOFError("the connection ended before the answer" if left else "the answer's head is too long")
    return answer.status, answer.complete and answer.persistent


def _request(target: guard.Target, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"host: {target.authority}",
        f"user-agent: {AGENT}",
        "accept: */*",
        "content-type: application/json; charset=utf-8",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def _verifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
