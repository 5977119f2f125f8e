"""From the plan that runs to the plan that shall run: a pure difference, as steps in words and in data.

What a change brings with it:

- a task runs again when it, or anything before it, changed;
- a daemon restarts when it changed, or when a task before it runs again because a *task* changed
  (new tables want new code; a restarted engine does not: services reconnect);
- a change of words (origin, title, what a unit says of itself) is taken over in place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from groundplan.local.plan import order, units

Action = Literal["start", "stop", "rerun", "restart", "adjust", "refresh"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about one unit. `unit` is the new value; None when it goes."""

    action: Action
    name: str
    unit: units.Unit | None
    instances: tuple[str, ...] = ()
    """Of a daemon that stays: those to be replaced or added (restart, adjust)."""
    why: str = ""

    def __str__(self) -> str:
        """In words, for people."""
        done = {"start": "started", "stop": "stopped", "rerun": "ran again", "restart": "restarted"}
        word = done.get(self.action, "adjusted")
        return f"{word} {self.name}" + (f" ({self.why})" if self.why else "")


def steps(old: units.LocalPlan | None, new: units.LocalPlan, again: Iterable[str] = ()) -> tuple[Step, ...]:
    """What leads from `old` to `new`, stops first, then in start order. `again`: units to do over though unchanged."""
    before = {unit.name: unit for unit in old.units} if old else {}
    after = {unit.name: unit for unit in new.units}
    gone = [Step(action="stop", name=name, unit=None) for name in sorted(before.keys() - after.keys())]
    causes = _Causes(before, frozenset(again))
    found = [step for unit in order.in_order(new.units) if (step := causes.step(unit)) is not None]
    return (*gone, *found)


class _Causes:
    """Walks units in start order and remembers what has been touched by what."""

    def __init__(self, before: dict[str, units.Unit], again: frozenset[str]) -> None:
        self._before, self._again = before, again
        self._touched: set[str] = set()
        self._by_task: set[str] = set()
        self._tasks: set[str] = set()

    def step(self, unit: units.Unit) -> Step | None:
        if isinstance(unit, units.Task):
            self._tasks.add(unit.name)
        found = self._step(unit)
        if found is not None and found.action not in ("refresh", "adjust"):
            self._touch(unit)
        return found

    def _step(self, unit: units.Unit) -> Step | None:
        former = self._before.get(unit.name)
        if former is None:
            return Step(action="start", name=unit.name, unit=unit)
        if isinstance(former, units.Task) and isinstance(unit, units.Task):
            return self._task(former, unit)
        if isinstance(former, units.Daemon) and isinstance(unit, units.Daemon):
            return self._daemon(former, unit)
        if isinstance(former, units.Schedule) and isinstance(unit, units.Schedule):
            return self._schedule(former, unit)
        return Step(action="restart", name=unit.name, unit=unit, why="it became something else")

    def _task(self, former: units.Task, unit: units.Task) -> Step | None:
        why = self._own(unit, former) or self._inherited(unit, self._touched)
        return Step(action="rerun", name=unit.name, unit=unit, why=why) if why else _refreshed(former, unit)

    def _schedule(self, former: units.Schedule, unit: units.Schedule) -> Step | None:
        why = self._own(unit, former)
        return Step(action="restart", name=unit.name, unit=unit, why=why) if why else _refreshed(former, unit)

    def _daemon(self, former: units.Daemon, unit: units.Daemon) -> Step | None:
        every = tuple(instance.name for instance in unit.instances)
        why = self._own(unit, former) or self._inherited(unit, self._by_task & self._tasks)
        if why:
            return Step(action="restart", name=unit.name, unit=unit, instances=every, why=why)
        return self._by_instance(former, unit)

    def _by_instance(self, former: units.Daemon, unit: units.Daemon) -> Step | None:
        had = {instance.name: instance for instance in former.instances}
        changed = tuple(i.name for i in unit.instances if i.name in had and had[i.name] != i)
        added = tuple(i.name for i in unit.instances if i.name not in had)
        gone = had.keys() - {i.name for i in unit.instances}
        if changed:
            return Step(action="restart", name=unit.name, unit=unit, instances=(*changed, *added), why="changed")
        if added or gone:
            why = f"{len(had)} → {len(unit.instances)} instances"
            return Step(action="adjust", name=unit.name, unit=unit, instances=added, why=why)
        return _refreshed(former, unit)

    def _own(self, unit: units.Unit, former: units.Unit) -> str:
        if material(unit) != material(former):
            return "changed"
        return "as asked" if unit.name in self._again else ""

    def _inherited(self, unit: units.Unit, causes: set[str]) -> str:
        names = [name for name in unit.after if name in causes]
        return f"after {', '.join(names)}" if names else ""

    def _touch(self, unit: units.Unit) -> None:
        self._touched.add(unit.name)
        former = self._before.get(unit.name)
        own = former is None or bool(self._own(unit, former))
        if (isinstance(unit, units.Task) and own) or any(name in self._by_task for name in unit.after):
            self._by_task.add(unit.name)


def _refreshed(former: units.Unit, unit: units.Unit) -> Step | None:
    return None if former == unit else Step(action="refresh", name=unit.name, unit=unit)


def material(unit: units.Unit) -> tuple[object, ...]:
    """What a running unit was made of, as a whole: when this differs it has to be made again.

    Instances of a daemon are compared one by one instead.
    """
    if isinstance(unit, units.Daemon):
        return (unit.kind, unit.files)
    if isinstance(unit, units.Schedule):
        return (unit.command, unit.files, unit.every)
    return (unit.command, unit.files, unit.creates)


def applied(old: units.LocalPlan | None, found: Iterable[Step]) -> dict[str, units.Unit]:
    """The units by name that `old` becomes through these steps."""
    result = {unit.name: unit for unit in old.units} if old else {}
    for step in found:
        if step.unit is None:
            result.pop(step.name, None)
        else:
            result[step.name] = step.unit
    return result


def merged(old: units.LocalPlan | None, part: units.LocalPlan) -> units.LocalPlan:
    """`old` with the units of `part` put in or replaced: `up SERVICE` stops nothing else."""
    if old is None:
        return part
    kept = tuple(unit for unit in old.units if unit.name not in {unit.name for unit in part.units})
    return msgspec.structs.replace(
        part,
        units=(*kept, *part.units),
        notes=tuple(dict.fromkeys((*old.notes, *part.notes))),
        entries=tuple(dict.fromkeys((*old.entries, *part.entries))),
        masks=tuple(dict.fromkeys((*old.masks, *part.masks))),
    )
