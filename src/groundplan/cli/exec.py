"""``groundplan exec``: a command with a service's variables and files, as ``kubectl exec`` gives it in a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, plans, targets

if TYPE_CHECKING:
    import subprocess


@targets.example("groundplan exec payments auth-service -- python -m payments.auth.grant me@example.com platform_admin")
@click.command("exec", context_settings={"ignore_unknown_options": True})
@targets.names
@targets.data
@targets.as_json
def command(names: tuple[str, ...], data: Path | None, as_json: bool) -> int:
    """Run a command where SERVICE runs: `exec [NAME] SERVICE -- COMMAND...`; its exit code is ours."""
    from groundplan.local import inside

    target = targets.resolve(names, data)
    if len(target.services) < 2:
        raise click.UsageError("say which service and what to run: groundplan exec SERVICE -- COMMAND...")
    done = inside.run(plans.loaded(target)[1], target.services[0], target.services[1:], capture=as_json)
    return ended(done, as_json)


def ended(done: subprocess.CompletedProcess[str], as_json: bool) -> int:
    """The exit code of what was run; in JSON, shown with what it said."""
    if as_json:
        output.emit({"exit": done.returncode, "stdout": done.stdout, "stderr": done.stderr})
    return done.returncode
