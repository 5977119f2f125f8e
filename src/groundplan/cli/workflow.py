"""``groundplan workflow``: a pipeline for GitHub Actions."""

from __future__ import annotations

from pathlib import Path

import click

from groundplan.cli import output, targets


@targets.example("groundplan workflow payments > .github/workflows/payments.yml")
@click.command("workflow")
@click.argument("name", required=False, metavar="[NAME]")
@targets.as_json
def command(name: str | None, as_json: bool) -> int:
    """Print a workflow for GitHub Actions: test, build --check, check, and for tags NAME-v* build, scan, push, SBOM,
    signature and a pull request with overlays that run the new digest."""
    from groundplan.delivery import workflow
    from groundplan.model import load

    plan = load.load(load.find(name, Path()))
    made = workflow.text(plan)
    if as_json:
        output.emit({"path": f".github/workflows/{plan.name}.yml", "text": made})
    else:
        click.echo(made, nl=False)
    return output.OK
