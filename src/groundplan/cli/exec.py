"""``groundplan exec``: a command with a service's variables and files, as ``kubectl exec`` gives it in a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from groundplan.cli import plans, targets


@targets.example("groundplan exec payments auth-service -- python -m payments.auth.grant me@example.com platform_admin")
@click.command("exec", context_settings={"ignore_unknown_options": True})
@targets.names
@targets.data
def command(names: tuple[str, ...], data: Path | None) -> int:
    """Run a command where SERVICE runs: `exec [NAME] SERVICE -- COMMAND...`; its exit code is ours."""
    from groundplan.local import inside

    target = targets.resolve(names, data)
    if len(target.services) < 2:
        raise click.UsageError("say which service and what to run: groundplan exec SERVICE -- COMMAND...")
    return inside.run(plans.loaded(target)[1], target.services[0], target.services[1:])
