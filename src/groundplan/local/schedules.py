"""Keeps one schedule: runs its command every so often, never twice at once."""

from __future__ import annotations

import asyncio

from groundplan.local import errors, files, process, waiting
from groundplan.local import world as worlds
from groundplan.local.plan import units

GRACE = 5.0


class Keeper:
    """One schedule. A failed run is told and changes nothing: the next one comes."""

    def __init__(self, unit: units.Schedule, world: worlds.World) -> None:
        self.unit, self._world = unit, world
        self._child: process.Process | None = None
        self._job: asyncio.Task[None] | None = None
        self._failures = 0

    def start(self) -> None:
        self._world.store.publish(waiting.described(self.unit))
        self._job = self._world.job(self._run(), self.unit.name)

    def refresh(self, unit: units.Schedule) -> None:
        """Takes over words that concern no process."""
        self.unit = unit
        self._world.store.publish(waiting.described(unit))

    async def stop(self) -> None:
        """Ends it, and the run that is under way."""
        self._world.gates.close(self.unit.name)
        if self._job is not None:
            self._job.cancel()
            await asyncio.wait((self._job,))  # Without raising what it may have died of: that is told elsewhere.
        if self._child is not None:
            await self._child.stop(process.Ending("SIGTERM", GRACE), self._world.hurry)
        self._world.show(self.unit.name, self.unit.name, "stopped")

    async def _run(self) -> None:
        unit, world = self.unit, self._world
        await waiting.turn(unit, (unit.name,), world)
        world.gates.open(unit.name)
        self._idle("")
        clock = asyncio.get_running_loop()
        due = clock.time() + unit.every
        while True:
            await asyncio.sleep(max(0.0, due - clock.time()))
            # Runs that fell due while one was under way are left out.
            due = max(due + unit.every, clock.time())
            await self._once()

    async def _once(self) -> None:
        try:
            files.write(self.unit.files)
            name = self.unit.name
            self._child = self._world.spawn(name, self.unit.command, death="SIGTERM", stop="SIGTERM", grace=GRACE)
        except errors.LocalError as error:
            return self._failed(str(error), ())
        self._world.show(self.unit.name, self.unit.name, "running", pid=self._child.pid, restarts=self._failures)
        return await self._end(self._child)

    async def _end(self, child: process.Process) -> None:
        done, _ = await asyncio.wait((child.exited,), timeout=self.unit.timeout)
        if not done:
            await child.stop(process.Ending("SIGTERM", GRACE), self._world.hurry)
            return self._failed(f"did not end in {self.unit.timeout:g} s", child.last_lines())
        status = child.exited.result()
        return self._idle("") if status == 0 else self._failed(process.words(status), child.last_lines())

    def _idle(self, why: str) -> None:
        self._world.show(self.unit.name, self.unit.name, "idle", why, restarts=self._failures)

    def _failed(self, why: str, lines: tuple[str, ...]) -> None:
        self._failures += 1
        log = str(self._world.directory.log(self.unit.name))
        self._world.notice(self.unit.name, "error", f"{self.unit.name}: {why}", lines, log)
        self._idle(f"the last run {why}")
