"""``groundplan restore``: a backup in place of what is here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import backup, output, targets

if TYPE_CHECKING:
    from groundplan.local.backups import restore as restores


@targets.example("groundplan restore payments --at 2026-11-21T03:00Z --replace")
@click.command("restore")
@click.argument("name", required=False)
@click.option(
    "--from", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Backups, or one of them, instead of .groundplan/backups beside the plan.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="RESOURCE", help="Restore this and no other; repeatable.")
@click.option("--at", default="", metavar="MOMENT", help="The newest backup not after it, in UTC; else the newest.")
@click.option("--replace", is_flag=True, help="Let go of the data that is here.")
@targets.data
@targets.as_json
def command(
    name: str | None, folder: Path | None, only: tuple[str, ...], at: str, replace: bool, data: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Restore a backup onto a platform that runs, is stopped, or is gone; every file is verified first.

    Services are stopped meanwhile, and start again if they ran. What was here before goes when the restore has ended
    well, and is back when it has not. Then the platform's own checks are asked; exits 1 when one does not hold.
    """
    from groundplan.local.backups import restore as restores

    target = targets.resolve((name,) if name else (), data)
    if target.services:
        raise click.UsageError(f"there is no platform {target.services[0]!r}; --only names resources")
    plan, place = backup.loaded(target, folder)
    asked = restores.Asked(folder=place, only=only, at=_stamp(at), replace=replace)
    done = restores.restore(plan, target.place, asked, lambda line: click.echo(f"  {line}", err=True))
    if as_json:
        output.emit(done)
    else:
        _show(done)
    return output.OK if all(each.ok for each in done.verified) else output.FAILED


def _stamp(at: str) -> str:
    """The moment as backups are named by it: 20261121T030000Z."""
    import datetime

    if not at:
        return ""
    try:
        moment = datetime.datetime.fromisoformat(at)
    except ValueError:
        raise click.UsageError(f"--at {at!r} is no moment; write 2026-11-21T03:00Z") from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    return zoned.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def _show(done: restores.Restored) -> None:
    for each in done.verified:
        if not each.ok:
            click.echo(f"does not hold: {each.check}\n{each.said}", err=True)
    running = "it runs again" if done.started else "start it: groundplan up"
    click.echo(f"restored {', '.join(done.parts)} of {done.stamp} in {done.seconds:.1f} s; {running}")
