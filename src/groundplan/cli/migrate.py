"""``groundplan migrate``: a database's migrations, by hand: where they stand, up, and down again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import exec as exec_
from groundplan.cli import plans, targets

if TYPE_CHECKING:
    from groundplan.local.plan import units

MODULE = "groundplan_runtime.migrate"


@targets.example("groundplan migrate payments micro_auth down --to 1")
@click.command("migrate")
@click.argument("words", nargs=-1, metavar="[NAME] DATABASE [status|up|down]")
@click.option("--to", "version", type=int, metavar="N", help="The last migration to keep (down) or apply (up).")
@targets.data
@targets.as_json
def command(words: tuple[str, ...], version: int | None, data: Path | None, as_json: bool) -> int:
    """Show or change how far a database is migrated; `down` rolls back one, or to --to N.

    The platform must be up. A service that needs what is rolled back fails until it is migrated again.
    """
    from groundplan.local import inside

    directions = ("status", "up", "down")
    direction = words[-1] if words and words[-1] in directions else "status"
    target = targets.resolve(words[:-1] if words and words[-1] in directions else words, data)
    plan = plans.loaded(target)[1]
    if len(target.services) != 1:
        raise click.UsageError(f"say which database: {', '.join(_databases(plan)) or 'this platform has none'}")
    task = f"{target.services[0].replace('_', '-')}-migrate"
    package = _package(plan, task)
    if package is None:
        raise click.UsageError(
            f"no database {target.services[0]} with migrations; there is {', '.join(_databases(plan))}"
        )
    limit = ["--to", str(version)] if version is not None else []
    done = inside.run(plan, task, ["python", "-m", MODULE, direction, package, *limit], capture=as_json)
    return exec_.ended(done, as_json)


def _databases(plan: units.LocalPlan) -> list[str]:
    return [unit.name.removesuffix("-migrate").replace("-", "_") for unit in plan.units if _package(plan, unit.name)]


def _package(plan: units.LocalPlan, task: str) -> str | None:
    from groundplan.local.plan import units

    for unit in plan.units:
        if unit.name == task and isinstance(unit, units.Task) and MODULE in unit.command.argv:
            return unit.command.argv[-1]
    return None
