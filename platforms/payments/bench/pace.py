"""What this machine does at its best in the same run: a measure for the other figures."""

from __future__ import annotations

import asyncio
import hashlib
import time

HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def baseline(seconds: float) -> None:
    """Prints hashes and bare round trips a second, with one core for each side."""
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        hashlib.sha256(b"x" * 4096).digest()
        count += 1
    print(f"\nthis machine: {count / seconds / 1000:.0f} k sha256 of 4 KiB a second on one core,", end=" ")
    print(f"{asyncio.run(_round_trips(seconds)):.0f} bare loopback round trips a second")


async def _round_trips(seconds: float) -> float:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(HELLO)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        writer.write(REQUEST)
        await reader.readexactly(len(HELLO))
        count += 1
    writer.close()
    await writer.wait_closed()
    server.close()
    await asyncio.sleep(0.05)  # the other side of the connection ends too
    return count / seconds
