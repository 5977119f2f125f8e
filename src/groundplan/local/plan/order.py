"""What comes before what, and whether that can be at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from groundplan.local.plan import units


def mistakes(plan: units.LocalPlan) -> tuple[str, ...]:
    """Everything that would make `plan` wait for ever or be ambiguous, in words; empty when it can run."""
    return (*_repeated(plan), *_unknown(plan), *_circular(plan))


def _repeated(plan: units.LocalPlan) -> tuple[str, ...]:
    counts = Counter(unit.name for unit in plan.units)
    slots = Counter(name for unit in plan.units for name in slots_of(unit))
    twice = {name for name, count in (*counts.items(), *slots.items()) if count > 1}
    return tuple(f"the name {name} is used twice" for name in sorted(twice))


def slots_of(unit: units.Unit) -> tuple[str, ...]:
    """Names of the processes that `unit` may have."""
    return tuple(instance.name for instance in unit.instances) if isinstance(unit, units.Daemon) else (unit.name,)


def _unknown(plan: units.LocalPlan) -> tuple[str, ...]:
    known = {unit.name for unit in plan.units}
    return tuple(
        f"{unit.name} waits for {name}, which is not in the plan {unit.origin}".rstrip()
        for unit in plan.units
        for name in unit.after
        if name not in known
    )


def _circular(plan: units.LocalPlan) -> tuple[str, ...]:
    try:
        in_order(plan.units)
    except CycleError as error:
        # graphlib lists a cycle backwards: each node is before the next.
        return (f"a circular wait: {' waits for '.join(reversed(error.args[1]))}",)
    return ()


def in_order(all_units: tuple[units.Unit, ...]) -> tuple[units.Unit, ...]:
    """Each unit behind those it waits for; raises graphlib.CycleError."""
    by_name = {unit.name: unit for unit in all_units}
    graph = {name: sorted(before for before in by_name[name].after if before in by_name) for name in sorted(by_name)}
    return tuple(by_name[name] for name in TopologicalSorter(graph).static_order())


def stopping(going: Iterable[units.Unit]) -> tuple[tuple[str, ...], ...]:
    """Names in waves, each to be stopped as a whole before the next: the users of engines, then engines."""
    engines: list[str] = []
    others: list[str] = []
    for unit in going:
        (engines if isinstance(unit, units.Daemon) and unit.kind == "engine" else others).append(unit.name)
    return tuple(tuple(wave) for wave in (others, engines) if wave)
