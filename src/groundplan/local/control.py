"""The control socket: how other `groundplan` commands reach the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from groundplan.local import errors, protocol, supervise
from groundplan.local.state import store


class Host(Protocol):
    """What the socket needs of the process that it is in."""

    supervisor: supervise.Supervisor

    def ask_to_end(self, *, wipe: bool) -> None:
        """Begins to stop everything."""

    async def ended(self) -> protocol.Result:
        """Waits until everything has stopped; says how that went."""


class Server:
    """Answers requests, each on a connection of its own."""

    def __init__(self, host: Host, model: store.Store) -> None:
        self._host, self._model = host, model
        self._answers: set[asyncio.Task[None]] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a request, events, a result."""
        task = asyncio.current_task()
        assert task is not None  # Always so in a coroutine that runs.
        self._answers.add(task)
        try:
            request = protocol.request_decoder.decode(await reader.readline())
            await self._told(request, writer)
        except (msgspec.DecodeError, ValueError) as error:
            await _send(
                writer,
                protocol.Result(ok=False, error=errors.Message(kind="LocalError", what=f"not understood: {error}")),
            )
        except ConnectionError:
            pass  # The client went away; what it asked for goes on.
        finally:
            self._answers.discard(task)
            writer.close()

    async def _told(self, request: protocol.Request, writer: asyncio.StreamWriter) -> None:
        if isinstance(request, protocol.Watch) and request.once:
            return await self._snapshot(writer)
        subscription = self._model.subscribe(notices=isinstance(request, protocol.Settle))
        stream = asyncio.create_task(_stream(subscription, writer))
        try:
            result = await self._result(request, stream)
        except errors.LocalError as error:
            result = protocol.Result(ok=False, error=error.message())
        finally:
            subscription.close()
            await asyncio.wait((stream,))
        return await _send(writer, result)

    async def _result(self, request: protocol.Request, stream: asyncio.Task[None]) -> protocol.Result:
        supervisor = self._host.supervisor
        match request:
            case protocol.Up():
                did = await supervisor.apply(request.plan, partial=request.partial)
                return await self._settled(did)
            case protocol.Restart():
                return await self._settled(await supervisor.restart(request.names), request.names)
            case protocol.Settle():
                return await self._settled(())
            case protocol.Down():
                self._host.ask_to_end(wipe=request.wipe)
                return await self._host.ended()
            case protocol.Watch():
                await stream
                return protocol.Result(ok=True)

    async def _settled(self, did: tuple[str, ...], names: Sequence[str] | None = None) -> protocol.Result:
        failed = await self._host.supervisor.settled(names)
        if not failed and names is None:
            self._host.supervisor.show("up")
        return protocol.Result(ok=not failed, did=did, failed=failed)

    async def _snapshot(self, writer: asyncio.StreamWriter) -> None:
        subscription = self._model.subscribe(notices=True)
        subscription.close()
        await _stream(subscription, writer)
        await _send(writer, protocol.Result(ok=True))

    async def finish(self, patience: float) -> None:
        """Lets answers that are under way end, those that watch for ever included; `patience` in seconds."""
        if answers := tuple(self._answers):
            await asyncio.wait(answers, timeout=patience)
        for answer in self._answers:
            answer.cancel()


async def _stream(subscription: store.Subscription, writer: asyncio.StreamWriter) -> None:
    # A client that has gone is met again when the result is sent.
    with contextlib.suppress(ConnectionError):
        async for batch in subscription:
            writer.writelines(protocol.encode(event) for event in batch)
            # A slow client is waited for here; its subscription coalesces meanwhile.
            await writer.drain()


async def _send(writer: asyncio.StreamWriter, result: protocol.Result) -> None:
    writer.write(protocol.encode(result))
    await writer.drain()


@contextlib.asynccontextmanager
async def listening(path: Path, server: Server) -> AsyncIterator[None]:
    """Listens at `path` (0600), whatever lay there before: the caller holds the directory's lock."""
    remove(path)
    former = os.umask(0o177)
    try:
        listener = await asyncio.start_unix_server(server.answer, path, limit=protocol.LONGEST)
    except OSError as error:
        raise errors.from_os(error, f"listen at {path}") from error
    finally:
        os.umask(former)
    try:
        yield
    finally:
        listener.close()
        remove(path)


def remove(path: Path) -> None:
    """Removes the socket, if it is there."""
    path.unlink(missing_ok=True)
