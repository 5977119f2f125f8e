"""``groundplan build``: the platform as Kubernetes objects, in a folder to be committed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.delivery import deploy, tree


@targets.example("groundplan build payments && git diff platforms/payments/deploy")
@click.command("build")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and list what differs from the plan.")
@targets.as_json
def command(name: str | None, check: bool, as_json: bool) -> int:
    """Write the plan's Kustomize base and overlays into deploy/ beside it: one overlay a cluster, the same
    bytes for the same plan."""
    import gc

    from groundplan.delivery import deploy, tree
    from groundplan.model import load

    gc.disable()  # everything made here lives to the end; walking it again and again took a third of the time
    made = deploy.of(load.load(load.find(name, Path())))
    try:
        changes = (tree.compare if check else tree.write)(made.folder, made.files)
    except tree.TreeError as error:
        raise click.ClickException(str(error)) from error
    (_emit if as_json else _say)(made, changes, check)
    return output.FAILED if check and changes else output.OK


def _emit(made: deploy.Delivery, changes: tree.Changes, check: bool) -> None:
    output.emit(
        {
            "folder": str(made.folder),
            "files": len(made.files),
            "environments": {each.environment: len(each.objects) for each in made.lowered},
            "written": not check,
            "changes": changes,
        }
    )


def _say(made: deploy.Delivery, changes: tree.Changes, check: bool) -> None:
    from groundplan.model import origin

    folder = origin.shown(str(made.folder))
    for verb, paths in (("add", changes.added), ("change", changes.changed), ("remove", changes.removed)):
        for path in paths if check else ():
            click.echo(f"  {verb:<7} {folder}/{path}")
    for each in made.lowered:
        click.echo(f"  {each.environment:<12} {len(each.objects)} objects")
    number = len(changes.added) + len(changes.changed) + len(changes.removed)
    if check and changes:
        click.echo(f"{folder} differs from the plan in {number} files\n    fix: groundplan build, and commit {folder}")
    elif check:
        click.echo(f"{folder} is what the plan says ({len(made.files)} files)")
    else:
        click.echo(f"{number} of {len(made.files)} files changed in {folder}")
