"""``groundplan runbook``: what is kept of an environment, and the way back."""

from __future__ import annotations

import click

from groundplan.cli import environments, output, targets


@targets.example("groundplan runbook payments --environment production > RECOVERY.md")
@click.command("runbook")
@click.argument("name", required=False)
@click.option("--environment", required=True, metavar="ENV", help="The environment of the plan.")
@targets.as_json
def command(name: str | None, environment: str, as_json: bool) -> int:
    """Print how an environment is backed up and restored, command by command, in Markdown."""
    from groundplan.backup import runbook

    page = runbook.page(*environments.find(name, environment))
    if as_json:
        output.emit({"page": page})
    else:
        click.echo(page, nl=False)
    return output.OK
