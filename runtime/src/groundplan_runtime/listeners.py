"""Listening and draining: sockets that replicas share, an HTTP server that can stop without losing a request.

Several replicas on one machine share a port (SO_REUSEPORT). When one of them closes its listening
socket, Linux resets the connections that it had completed but that the process had not yet accepted
(https://lwn.net/Articles/853637/). So before closing we drop new SYNs on that socket alone with a
socket filter, while the event loop accepts the rest: a client whose SYN was dropped sends it again
after a second, when the group has one member less. Nobody is reset.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import ctypes
import errno
import fcntl
import logging
import os
import socket
import struct
import sys
import termios
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.lifespan.off import LifespanOff
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from groundplan_runtime import settings

_log = logging.getLogger(__name__)

Application = Callable[[Any, Any, Any], Awaitable[None]]

KEEP_ALIVE = 75
"""Seconds that an idle connection stays; longer than our own clients keep theirs, so that they close first."""

_ACCEPT_REST = 0.02  # seconds for handshakes that began before the SYN filter
_FIRST_REQUEST = 0.5  # seconds that a connection without any request yet is kept when we stop


def address(variable: str, raw: str) -> tuple[str, int]:
    """``127.0.0.1:8001`` or ``[::]:8001`` as host and port; raises `SettingsError`."""
    host, colon, port = raw.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise settings.SettingsError((f"  {variable} must be an address, not {raw!r}\n    fix: write 127.0.0.1:8001",))
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  (":8001" means every interface)


def listen(variable: str, raw: str) -> socket.socket:
    """A listening socket at `raw`, to which other replicas may listen too; raises `SettingsError`."""
    host, port = address(variable, raw)
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise settings.SettingsError(
            (f"  {variable}={raw} cannot be listened on: {error.strerror}\n    fix: {_remedy(error)}",)
        ) from None
    sock.setblocking(False)
    return sock


class HttpServer:
    """One uvicorn server on one socket, without uvicorn's own loop and signal handlers."""

    def __init__(self, app: Application, sock: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=HttpToolsProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._sock = sock
        self._server = uvicorn.Server(config)
        self._clock: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._server.config.load()
        self._server.lifespan = LifespanOff(self._server.config)
        await self._server.on_tick(0)
        await self._server.startup(sockets=[self._sock])
        self._clock = asyncio.create_task(self._tick())

    def close_after_answers(self) -> None:
        """From now on each answer ends its connection, so that clients move to another replica."""
        state = self._server.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        self._stop_clock()

    async def stop(self, until: float) -> None:
        """Stop listening, finish what was begun until `until` (`time.monotonic`), drop the rest."""
        self._stop_clock()
        await shut_doors([self._sock])
        for server in self._server.servers:
            server.close()
        connections: set[Any] = self._server.server_state.connections
        patience = time.monotonic() + _FIRST_REQUEST
        while connections and (now := time.monotonic()) < until:
            for connection in list(connections):
                if connection.cycle is not None or now >= patience:
                    _close_if_idle(connection)
            await asyncio.sleep(0.005)
        self._cut_off()

    def _cut_off(self) -> None:
        state = self._server.server_state
        if state.tasks:
            _log.warning("cut off requests that took too long", extra={"requests": len(state.tasks)})
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()  # else a pool that closes would wait for its connection

    async def _tick(self) -> None:
        """The Date header is once a second; uvicorn's own loop wakes ten times as often."""
        while True:
            await asyncio.sleep(1)
            await self._server.on_tick(0)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()


def _close_if_idle(connection: Any) -> None:
    """Close a connection that has no request: neither in work nor waiting in its receive buffer."""
    cycle = connection.cycle
    answering = cycle is not None and not cycle.response_complete
    # The scope is made with a request's first byte, the cycle when its head is complete.
    arriving = connection.scope is not (cycle.scope if cycle is not None else None)
    if answering or arriving or connection.transport.is_closing():
        return
    sock = connection.transport.get_extra_info("socket")
    if sock is None or _unread(sock.fileno()) > 0:
        return
    # Shut in the same breath as the look: what a client sends later meets a closed connection, which it can see.
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as twin:  # it may be gone already
        twin.shutdown(socket.SHUT_WR)
    connection.transport.close()


def _unread(fd: int) -> int:
    waiting = array.array("i", [0])
    try:
        fcntl.ioctl(fd, termios.FIONREAD, waiting)
    except OSError:
        return 0
    return waiting[0]


async def shut_doors(socks: list[socket.socket]) -> None:
    """Drop new SYNs on listening sockets, and give the loop the time to accept what is through already."""
    dropping = [_drop_syns(sock) for sock in socks]
    if any(dropping):
        await asyncio.sleep(_ACCEPT_REST)


def own_listeners(port: int) -> list[socket.socket]:
    """Duplicates of this process's listening sockets at `port` (gRPC's core opens its own)."""
    found = []
    for name in os.listdir("/proc/self/fd") if sys.platform == "linux" else ():  # noqa: PTH208
        with contextlib.suppress(OSError):  # not a socket, or closed meanwhile
            sock = socket.socket(fileno=os.dup(int(name)))
            if _listens_at(sock, port):
                found.append(sock)
            else:
                sock.close()
    return found


def _listens_at(sock: socket.socket, port: int) -> bool:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) and sock.getsockname()[1] == port


# Classic BPF over the TCP header (linux/filter.h): flags are byte 13; drop SYN without ACK, keep the rest.
_FILTER = (
    (0x30, 0, 0, 13),  # A = byte 13
    (0x54, 0, 0, 0x12),  # A &= SYN | ACK
    (0x15, 0, 1, 0x02),  # if A == SYN
    (0x06, 0, 0, 0),  # then drop
    (0x06, 0, 0, 0xFFFFFFFF),  # else keep
)
_SO_ATTACH_FILTER = 26


def _drop_syns(sock: socket.socket) -> bool:
    if sys.platform != "linux":
        return False
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _FILTER)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HL", len(_FILTER), ctypes.addressof(buffer))
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
    except OSError:  # a sandbox without socket filters: we close without this care
        return False
    return True


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "stop the program that listens there, or choose another port"
    if error.errno == errno.EACCES:
        return "choose a port above 1023"
    return "choose an address of this machine"
