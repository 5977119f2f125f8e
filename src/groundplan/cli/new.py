"""``groundplan new``: a first platform."""

from __future__ import annotations

from pathlib import Path

import click

from groundplan.cli import output, targets


@targets.example("groundplan new shop && cd shop && groundplan up")
@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path), metavar="NAME")
@targets.as_json
def command(folder: Path, as_json: bool) -> int:
    """Write a first platform into the directory NAME: one service, one database, one test."""
    from groundplan import scaffold

    try:
        written = scaffold.write(folder)
    except scaffold.Refused as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        import json

        click.echo(json.dumps({"files": [str(file) for file in written]}))
        return output.OK
    for file in written:
        click.echo(f"  {file}")
    click.echo(f"\nRun it:   cd {folder} && groundplan up")
    return output.OK
