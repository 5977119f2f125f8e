"""The process that the supervisor is: its lock, its socket, its signals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from groundplan import streams
from groundplan.local import control, directory, errors, journal, pids, protocol, supervise, terminal
from groundplan.local import world as worlds
from groundplan.local.plan import units
from groundplan.local.state import store

FAREWELL = 2.0
"""Seconds for clients to read their last line."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """All that a supervisor is started with; it comes as JSON on standard input."""

    directory: str
    plan: units.LocalPlan
    detached: bool = False
    json: bool = False
    limit: float = worlds.LIMIT
    said: tuple[str, ...] = ()
    """What preparing the plan had to say: ports that moved."""


class Host:
    """One run of a supervisor."""

    def __init__(self, launch: Launch, place: directory.Directory, model: store.Store) -> None:
        self._launch, self._place, self._model = launch, place, model
        self._world = worlds.World(directory=place, store=model, limit=launch.limit)
        self.supervisor = supervise.Supervisor(self._world)
        self._end = asyncio.Event()
        self._over: asyncio.Future[protocol.Result] = asyncio.get_running_loop().create_future()
        self._wipe = self._interrupted = False

    def ask_to_end(self, *, wipe: bool) -> None:
        """Begins to stop everything."""
        self._wipe = self._wipe or wipe
        self._end.set()

    async def ended(self) -> protocol.Result:
        """Waits until everything has stopped; says how that went."""
        return await asyncio.shield(self._over)

    def _interrupt(self) -> None:
        if self._end.is_set():
            self._world.hurry.set()
        self._interrupted = True
        self._end.set()

    async def run(self) -> int:
        """Until it is asked to end; returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupt)
        for message in (*self._launch.said, *await asyncio.to_thread(pids.collect, self._place.pids)):
            self._world.notice("", "warning", message)
        server = control.Server(self, self._model)
        async with control.listening(self._place.socket, server):
            code = await self._guarded()
            # Those that watch have nothing more to hear; the journal and the terminal are told till here, too.
            self._model.close()
            await server.finish(FAREWELL)
        return code

    async def _guarded(self) -> int:
        rotation = self._world.job(self.supervisor.rotate(), "rotation")
        result = protocol.Result(ok=True)
        try:
            return await self._kept()
        except errors.LocalError as error:
            result = protocol.Result(ok=False, error=error.message())
            raise
        finally:
            rotation.cancel()
            await self.supervisor.stop()
            self._world.register.clear()
            if self._wipe:
                directory.wipe(self._place)
            self._over.set_result(result)

    async def _kept(self) -> int:
        await self.supervisor.apply(self._launch.plan)
        self.supervisor.show("starting")
        if self._launch.detached:
            _let_go(self._place.log(journal.NAME))
        ending = asyncio.create_task(self._end.wait())
        settling = asyncio.create_task(self.supervisor.settled())
        try:
            await asyncio.wait((ending, settling, self._world.broken), return_when=asyncio.FIRST_COMPLETED)
            if settling.done() and not self._started(settling.result()):
                return 1
            await asyncio.wait((ending, self._world.broken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            settling.cancel()
            ending.cancel()
        if self._world.broken.done():
            self._world.broken.result()
        return 130 if self._interrupted and not self._launch.detached else 0

    def _started(self, failed: tuple[str, ...]) -> bool:
        """Says how the start went; returns whether to go on."""
        if not failed:
            self.supervisor.show("up")
            return True
        end = "" if self._launch.detached else ": everything is stopped"
        self._world.notice("", "error", f"{', '.join(failed)} did not start{end}")
        return self._launch.detached


def _let_go(log: Path) -> None:
    """Tells who started us that we listen, and turns standard output and error to `log`."""
    sys.stdout.write('{"ok":true}\n')
    sys.stdout.flush()
    with log.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)


async def serve(launch: Launch) -> int:
    """Runs a platform to its end; raises LocalError."""
    place = directory.make(Path(launch.directory))
    with directory.locked(place):
        model = store.Store()
        views: list[Coroutine[Any, Any, None]] = [journal.keep(place.log(journal.NAME), model.subscribe())]
        if not launch.detached:
            view = terminal.Raw(sys.stdout) if launch.json else terminal.Terminal(sys.stdout)
            views.append(view.show(model.subscribe()))
        async with _viewed(views, model):
            code = await Host(launch, place, model).run()
    directory.remove_if_empty(place)
    return code


@contextlib.asynccontextmanager
async def _viewed(views: list[Coroutine[Any, Any, None]], model: store.Store) -> AsyncIterator[None]:
    jobs = [asyncio.create_task(view) for view in views]
    try:
        yield
    finally:
        model.close()
        await asyncio.wait(jobs, timeout=FAREWELL)


def main() -> int:
    """``python -m groundplan.local``: reads a Launch, returns the exit code."""
    launch = msgspec.json.decode(sys.stdin.buffer.read(), type=Launch)
    streams.guard()
    try:
        return asyncio.run(serve(launch))
    except errors.LocalError as error:
        stream, said = (sys.stdout, msgspec.json.encode(protocol.Result(ok=False, error=error.message())).decode())
        if not (launch.detached or launch.json):
            stream, said = sys.stderr, str(error)
        print(said, file=stream, flush=True)
        return 1
