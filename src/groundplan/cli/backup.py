"""``groundplan backup``: everything that the platform keeps on this machine, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.model import platform

to = click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where backups are kept, instead of .groundplan/backups beside the plan.",
)  # fmt: skip


@targets.example("groundplan backup payments --keep 7")
@click.command("backup")
@click.argument("names", nargs=-1, metavar="[NAME] [RESOURCE]...")
@to
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="Remove all but the last N afterwards.")
@targets.data
@targets.as_json
def command(names: tuple[str, ...], to: Path | None, keep: int | None, data: Path | None, as_json: bool) -> int:
    """Back up a platform that runs here: its databases, durable keys, the books of stand-ins, the secrets.

    With RESOURCE, only these. It is there whole or not at all; payments go on meanwhile.
    """
    from groundplan.local.backups import parts, save

    target = targets.resolve(names, data)
    plan, folder = loaded(target, to)
    made = save.save(plan, target.place, folder, target.services, keep, lambda line: click.echo(f"  {line}", err=True))
    left = dict(parts.left_out(plan))
    if as_json:
        output.emit({"backup": made, "left_out": left})
        return output.OK
    for name, reason in left.items():
        click.echo(f"  not {name}: {reason}")
    click.echo("".join(f"  removed {each}\n" for each in made.removed), nl=False)
    click.echo(f"{made.path}  ({made.bytes / 2**20:.1f} MiB in {made.seconds:.1f} s)")
    return output.OK


def loaded(target: targets.Target, folder: Path | None) -> tuple[platform.Platform, Path]:
    """The platform, and where its backups are: `folder`, or beside the plan."""
    from groundplan.model import load

    plan = load.load(target.plan_file or load.find(None, Path()))
    return plan, (folder or plan.file.parent / ".groundplan" / "backups").absolute()
