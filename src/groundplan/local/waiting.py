"""A unit's turn: it waits for what comes before it, and says for whom."""

from __future__ import annotations

from groundplan.local import world as worlds
from groundplan.local.plan import units
from groundplan.local.state import events, waits
from groundplan.local.state import units as shown


async def turn(unit: units.Unit, slots: tuple[str, ...], world: worlds.World) -> None:
    """Returns when all before `unit` are ready or done; `slots` show as waiting meanwhile."""
    try:
        while left := world.gates.closed(unit.after):
            world.store.publish(waits.Wait(unit=unit.name, on=left))
            for slot in slots:
                world.show(slot, unit.name, "waiting", ", ".join(left))
            await world.gates.change()
    finally:
        world.store.publish(events.Gone(key=("wait", unit.name)))


def described(unit: units.Unit) -> shown.Unit:
    """A unit in the words of the model."""
    match unit:
        case units.Task():
            return shown.Unit(
                name=unit.name, kind="task", title=unit.title, instances=(unit.name,), after=unit.after,
                origin=unit.origin,
            )  # fmt: skip
        case units.Schedule():
            return shown.Unit(
                name=unit.name, kind="schedule", title=f"every {unit.every:g} s", instances=(unit.name,),
                after=unit.after, needs=unit.needs, origin=unit.origin,
            )  # fmt: skip
        case units.Daemon():
            return shown.Unit(
                name=unit.name, kind=unit.kind, instances=tuple(i.name for i in unit.instances), after=unit.after,
                needs=unit.needs, addresses=unit.addresses, runs=unit.runs, fidelity=unit.fidelity, origin=unit.origin,
            )  # fmt: skip
