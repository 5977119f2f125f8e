"""Keeps one task: runs it once to its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from groundplan.local import errors, files, process, waiting
from groundplan.local import world as worlds
from groundplan.local.plan import units

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL for a task that is stopped."""


class Keeper:
    """One task, from its turn to its end."""

    def __init__(self, unit: units.Task, world: worlds.World) -> None:
        self.unit, self._world = unit, world
        self._child: process.Process | None = None
        self._job: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._world.store.publish(waiting.described(self.unit))
        self._world.gates.close(self.unit.name)
        self._job = self._world.job(self._run(), self.unit.name)

    def refresh(self, unit: units.Task) -> None:
        """Takes over words that concern no process."""
        self.unit = unit
        self._world.store.publish(waiting.described(unit))

    async def stop(self) -> None:
        """Ends it where it is."""
        self._world.gates.close(self.unit.name)
        if self._job is not None:
            self._job.cancel()
            await asyncio.wait((self._job,))  # Without raising what it may have died of: that is told elsewhere.
        if self._child is not None:
            await self._child.stop(process.Ending("SIGTERM", GRACE), self._world.hurry)
            self._child = None
        former = self._world.store.instance(self.unit.name)
        if former is None or former.phase not in ("done", "failed"):
            self._world.show(self.unit.name, self.unit.name, "stopped")

    async def _run(self) -> None:
        await waiting.turn(self.unit, (self.unit.name,), self._world)
        try:
            why = await self._once()
        except errors.LocalError as error:
            why = str(error)
        if why is None:
            self._world.gates.open(self.unit.name)
        else:
            self._fail(why)

    async def _once(self) -> str | None:
        """Runs the command; returns why it failed."""
        unit, world = self.unit, self._world
        if unit.creates is not None and Path(unit.creates).exists():  # noqa: ASYNC240
            world.show(unit.name, unit.name, "done", "was there already")
            return None
        files.write(unit.files)
        self._child = world.spawn(unit.name, unit.command, death="SIGTERM", stop="SIGTERM", grace=GRACE)
        world.show(unit.name, unit.name, "running", unit.title, pid=self._child.pid)
        return await self._ended(self._child)

    async def _ended(self, child: process.Process) -> str | None:
        done, _ = await asyncio.wait((child.exited,), timeout=self.unit.timeout)
        if not done:
            await child.stop(process.Ending("SIGTERM", GRACE), self._world.hurry)
            return f"did not end in {self.unit.timeout:g} s"
        if child.exited.result() != 0:
            return process.words(child.exited.result())
        self._world.show(self.unit.name, self.unit.name, "done")
        return None

    def _fail(self, why: str) -> None:
        unit, world = self.unit, self._world
        world.show(unit.name, unit.name, "failed", why)
        lines = self._child.last_lines() if self._child else ()
        log = str(world.directory.log(unit.name))
        world.notice(unit.name, "error", f"{unit.name} failed ({unit.title}): {why}", lines, log)
        world.fail(unit.name)
