"""Running a command where a unit runs: with its variables, its files, its folder."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import msgspec

from groundplan.local import commands, errors, files
from groundplan.local.plan import units


def command(plan: units.LocalPlan, name: str, argv: Sequence[str]) -> units.Command:
    """`argv` as the unit called `name` would run it; ``python`` is the unit's own interpreter.

    Raises errors.UnknownName when there is no such unit.
    """
    unit = next((each for each in plan.units if each.name == name), None)
    if unit is None:
        raise errors.unknown([name], [each.name for each in plan.units])
    own = unit.instances[0].command if isinstance(unit, units.Daemon) else unit.command
    words = (own.argv[0], *argv[1:]) if argv[0] == "python" else tuple(argv)
    return msgspec.structs.replace(own, argv=words)


def run(
    plan: units.LocalPlan, name: str, argv: Sequence[str], *, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Runs `argv` inside the unit called `name`, on this terminal or with its output captured."""
    wanted = command(plan, name, argv)
    unit = next(each for each in plan.units if each.name == name)
    files.write([*unit.files, *(unit.instances[0].files if isinstance(unit, units.Daemon) else ())])
    words = commands.argv(wanted, None)
    return subprocess.run(
        words,
        env=commands.environment(wanted),
        cwd=wanted.directory,
        capture_output=capture,
        text=True,
        errors="replace",
        check=False,
    )
