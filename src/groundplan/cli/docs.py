"""``groundplan docs``: the platform as pages for people, in a folder to be committed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.delivery import tree


@targets.example("groundplan docs payments && git diff platforms/payments/docs")
@click.command("docs")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and list what differs from the plan.")
@targets.as_json
def command(name: str | None, check: bool, as_json: bool) -> int:
    """Write the plan's documents into docs/ beside it: namespaces, ports, who may reach whom and why, pictures,
    resources, secrets, start order, backups, alerts, environments. The same bytes for the same plan."""
    import gc

    from groundplan.delivery import deploy, tree
    from groundplan.delivery.images import lock
    from groundplan.documents import pages
    from groundplan.model import load, origin

    gc.disable()  # as in build: everything made here lives to the end
    plan = load.load(load.find(name, Path()))
    folder = plan.file.parent / pages.FOLDER
    files = pages.of(plan, deploy.lowered(plan, lock.read(plan.file.parent)))
    try:
        changes = (tree.compare if check else tree.write)(folder, files, tree.DOCS)
    except tree.TreeError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        output.emit({"folder": str(folder), "files": len(files), "written": not check, "changes": changes})
    else:
        _say(origin.shown(str(folder)), len(files), changes, check)
    return output.FAILED if check and changes else output.OK


def _say(folder: str, files: int, changes: tree.Changes, check: bool) -> None:
    for verb, paths in (("add", changes.added), ("change", changes.changed), ("remove", changes.removed)):
        for path in paths if check else ():
            click.echo(f"  {verb:<7} {folder}/{path}")
    number = len(changes.added) + len(changes.changed) + len(changes.removed)
    if check and changes:
        click.echo(f"{folder} differs from the plan in {number} files\n    fix: groundplan docs, and commit {folder}")
    elif check:
        click.echo(f"{folder} is what the plan says ({files} files)")
    else:
        click.echo(f"{number} of {files} files changed in {folder}")
