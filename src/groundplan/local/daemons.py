"""Keeps one daemon: its instances, one for each replica, and their replacement one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from groundplan.local import slots, waiting
from groundplan.local import world as worlds
from groundplan.local.plan import units
from groundplan.local.state import events


class Keeper:
    """One daemon. Its gate is open while all its instances are ready."""

    def __init__(self, unit: units.Daemon, world: worlds.World) -> None:
        self.unit, self._world = unit, world
        self._slots: dict[str, slots.Slot] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._removals: dict[str, asyncio.Task[None]] = {}
        self._job: asyncio.Task[None] | None = None
        self._rolling = False

    def start(self) -> None:
        self.replace(self.unit, ())

    def refresh(self, unit: units.Daemon) -> None:
        """Takes over what concerns no running process: words, grace, drain."""
        self.unit = unit
        for slot in self._slots.values():
            slot.daemon = unit
        self._world.store.publish(waiting.described(unit))

    def replace(self, unit: units.Daemon, names: Iterable[str]) -> None:
        """Brings the daemon to `unit`: instances that are gone stop, new ones start, `names` restart one by one."""
        self.refresh(unit)
        if self._job is not None:
            self._job.cancel()
        self._world.gates.close(unit.name)
        self._rolling = True
        self._job = self._world.job(self._roll(frozenset(names), self._job), unit.name)

    async def stop(self) -> None:
        """Ends all instances, at once."""
        await self._halt(self._job)
        self._job = None
        self._world.gates.close(self.unit.name)
        await asyncio.gather(*(self._remove(name) for name in tuple(self._slots)))

    async def _halt(self, job: asyncio.Task[None] | None) -> None:
        if job is not None:
            job.cancel()
            await asyncio.wait((job,))

    async def _roll(self, names: frozenset[str], former: asyncio.Task[None] | None) -> None:
        if former is not None:
            await asyncio.wait((former,))
        await asyncio.gather(*self._removals.values())
        wanted = {instance.name: instance for instance in self.unit.instances}
        await waiting.turn(self.unit, tuple(name for name in wanted if name not in self._slots), self._world)
        await asyncio.gather(*(self._drop(name) for name in tuple(self._slots) if name not in wanted))
        # Also what an interrupted roll has left undone: instances that run something else than they should.
        stale = [name for name, slot in self._slots.items() if name in names or slot.instance != wanted[name]]
        for name, instance in wanted.items():
            if name not in self._slots:
                self._begin(instance)
        for place, name in enumerate(stale):
            if place:
                await asyncio.sleep(self.unit.drain)
            await self._swap(wanted[name])
        self._rolling = False
        self._gate()

    async def _swap(self, instance: units.Instance) -> None:
        await self._remove(instance.name)
        self._begin(instance)
        await self._slots[instance.name].ready.wait()

    def _begin(self, instance: units.Instance) -> None:
        slot = slots.Slot(self.unit, instance, self._world)
        self._slots[instance.name] = slot
        self._watches[instance.name] = self._world.job(self._watch(slot), instance.name)
        slot.start()

    async def _watch(self, slot: slots.Slot) -> None:
        while True:
            await slot.changed.wait()
            slot.changed.clear()
            self._gate()

    def _gate(self) -> None:
        # Closed during a roll, or it would seem over when the first instance is back.
        wanted = {instance.name: instance for instance in self.unit.instances}
        current = {name: slot.instance for name, slot in self._slots.items() if slot.ready.is_set()}
        whole = current == wanted and not self._rolling
        (self._world.gates.open if whole else self._world.gates.close)(self.unit.name)

    async def _remove(self, name: str) -> None:
        # In a task of its own: a roll that is given up half way must not leave an instance half stopped.
        if name not in self._removals:
            self._removals[name] = self._world.job(self._removed(name), name)
        await asyncio.shield(self._removals[name])

    async def _removed(self, name: str) -> None:
        self._watches.pop(name).cancel()
        await self._slots[name].stop()
        del self._slots[name], self._removals[name]

    async def _drop(self, name: str) -> None:
        await self._remove(name)
        self._world.forget(name)
        self._world.store.publish(events.Gone(key=("wait", name)))
