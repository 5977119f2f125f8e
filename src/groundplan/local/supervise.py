"""The supervisor: holds the plan that runs, one keeper a unit, and takes over another plan.

How each kind of unit is kept is in `tasks`, `daemons` (with `slots`) and `schedules`; what a new plan
changes, in `reconcile`; who talks to it from outside, in `control`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from groundplan.local import daemons, errors, files, masks, reconcile, schedules, tails, tasks, times
from groundplan.local import world as worlds
from groundplan.local.plan import order, units
from groundplan.local.state import events

Keeper = tasks.Keeper | daemons.Keeper | schedules.Keeper
ROTATION = 1.0
"""Seconds between two looks at the length of the logs."""

TOGETHER = 0.5
"""Seconds after a failure in which others are told with it: they often have one cause."""


def _keeper(unit: units.Unit, world: worlds.World) -> Keeper:
    match unit:
        case units.Task():
            return tasks.Keeper(unit, world)
        case units.Daemon():
            return daemons.Keeper(unit, world)
        case units.Schedule():
            return schedules.Keeper(unit, world)


class Supervisor:
    """Keeps one platform."""

    def __init__(self, world: worlds.World) -> None:
        self._world = world
        self._keepers: dict[str, Keeper] = {}
        self._turn = asyncio.Lock()
        self._since = world.clock()
        self._times = times.Recorder()
        self._stopping = False
        self.plan: units.LocalPlan | None = None

    async def apply(self, plan: units.LocalPlan, *, partial: bool = False) -> tuple[str, ...]:
        """Takes over `plan`; returns what it does about it, in words. Raises PlanUnusable, changing nothing."""
        async with self._turn:
            self._refuse_when_stopping()
            wanted = reconcile.merged(self.plan, plan) if partial else plan
            if mistakes := order.mistakes(wanted):
                raise errors.PlanUnusable("this plan cannot run", why="; ".join(mistakes), fix="correct it in plan.py")
            former = self.plan
            found = reconcile.steps(former, wanted, again=self._world.failed)
            self._remember(wanted)
            did = tuple(str(step) for step in found if step.action != "refresh")
            if did and former is not None:
                self.show("changing")
            await self._carry_out(found)
            return did

    async def restart(self, names: Sequence[str]) -> tuple[str, ...]:
        """Does these units over, daemons instance by instance; raises UnknownName."""
        async with self._turn:
            self._refuse_when_stopping()
            plan = self._known(names)
            chosen = [unit for unit in order.in_order(plan.units) if unit.name in names]
            await self._carry_out([_again(unit) for unit in chosen])
            return tuple(f"restarted {unit.name}" for unit in chosen)

    def _known(self, names: Iterable[str]) -> units.LocalPlan:
        if self.plan is None:
            raise errors.NotRunning("nothing runs yet")
        known = {unit.name for unit in self.plan.units}
        if missing := [name for name in names if name not in known]:
            raise errors.unknown(missing, known)
        return self.plan

    def _remember(self, plan: units.LocalPlan) -> None:
        secrets = masks.secrets_of(plan)
        self._world.masker = masks.Masker(secrets)
        # For `groundplan logs`, which must blot them out too when nothing runs.
        files.replace(self._world.directory.masks, msgspec.json.encode(secrets))
        self.plan = plan

    async def _carry_out(self, found: Sequence[reconcile.Step]) -> None:
        for step in found:
            if step.action != "refresh":
                self._world.gates.close(step.name)
                self._world.failed.discard(step.name)
        await self._stop([step.name for step in found if self._replaces_keeper(step)])
        for step in found:
            self._begin(step)

    def _replaces_keeper(self, step: reconcile.Step) -> bool:
        keeper = self._keepers.get(step.name)
        if keeper is None or step.action == "refresh":
            return False
        return not (isinstance(keeper, daemons.Keeper) and isinstance(step.unit, units.Daemon))

    def _begin(self, step: reconcile.Step) -> None:
        keeper, unit = self._keepers.get(step.name), step.unit
        if unit is None:
            return self._forget(step.name)
        if keeper is None:
            self._keepers[unit.name] = keeper = _keeper(unit, self._world)
            return keeper.start()
        if isinstance(keeper, daemons.Keeper) and isinstance(unit, units.Daemon):
            return keeper.refresh(unit) if step.action == "refresh" else keeper.replace(unit, step.instances)
        return keeper.refresh(unit)  # type: ignore[arg-type]  # Its kind is the same: else it had been replaced.

    def _forget(self, name: str) -> None:
        for instance in self._world.store.instances_of(name):
            self._world.forget(instance.name)
        self._world.store.publish(events.Gone(key=("unit", name)))

    async def _stop(self, names: Iterable[str]) -> None:
        going = {name: self._keepers[name] for name in names if name in self._keepers}
        for wave in order.stopping(tuple(keeper.unit for keeper in going.values())):
            await asyncio.gather(*(going[name].stop() for name in wave))
        for name in going:
            del self._keepers[name]

    async def stop(self) -> None:
        """Stops everything: those that use engines first, then these."""
        self._stopping = True
        self._world.gates.touch()
        async with self._turn:
            self.show("stopping")
            await self._stop(tuple(self._keepers))
            self._rotate()

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise errors.NotRunning("the platform is being stopped", fix="start it again: groundplan up")

    async def settled(self, names: Sequence[str] | None = None) -> tuple[str, ...]:
        """Waits until these units (all, without names) are ready, or one failed; returns those that failed.

        Raises NotRunning when everything is stopped meanwhile.
        """
        while True:
            self._refuse_when_stopping()
            if self._failed(names):
                await asyncio.sleep(TOGETHER)
                return self._failed(names)
            if not self._world.gates.closed(self._names() if names is None else names):
                return ()
            await self._world.gates.change()

    def _names(self) -> list[str]:
        return [unit.name for unit in self.plan.units] if self.plan else []

    def _failed(self, names: Sequence[str] | None) -> tuple[str, ...]:
        return tuple(sorted(name for name in self._world.failed if names is None or name in names))

    def show(self, phase: Literal["starting", "up", "changing", "stopping"]) -> None:
        """Writes how the whole is."""
        plan = self.plan
        self._world.store.publish(
            events.Platform(
                name=plan.platform if plan else "",
                environment=plan.environment if plan else "",
                phase=phase,
                since=self._since,
                pid=os.getpid(),
                notes=plan.notes if plan else (),
                entries=plan.entries if plan else (),
            )
        )

    async def rotate(self) -> None:
        """Keeps every log within bounds, for ever."""
        while True:
            await asyncio.sleep(ROTATION)
            await asyncio.to_thread(self._rotate)

    def _rotate(self) -> None:
        for path in self._world.directory.logs.glob("*.log"):
            self._times.note(path, self._world.clock())
            if tails.cut(path):
                self._times.forget(path)


def _again(unit: units.Unit) -> reconcile.Step:
    if isinstance(unit, units.Daemon):
        names = tuple(instance.name for instance in unit.instances)
        return reconcile.Step(action="restart", name=unit.name, unit=unit, instances=names, why="as asked")
    return reconcile.Step(action="rerun", name=unit.name, unit=unit, why="as asked")
