"""The command line: one file a verb, listed here.

Belongs here: reading arguments, calling the rest, showing what came of it. Does not belong here: anything
another program could want to call. Verbs import what they need inside their functions, since `--help`
and completion must not wait for it.
"""

from __future__ import annotations

import sys

import click

from groundplan import streams
from groundplan.cli import (
    backup,
    build,
    check,
    compare,
    demo,
    deploy,
    diff,
    docs,
    doctor,
    down,
    explain,
    graph,
    images,
    logs,
    migrate,
    new,
    output,
    ps,
    reach,
    restart,
    restore,
    runbook,
    seal,
    status,
    trace,
    up,
    vault,
    wait,
    workflow,
)
from groundplan.cli import exec as exec_

VERBS: tuple[click.Command, ...] = (
    up.command,
    ps.command,
    logs.command,
    wait.command,
    restart.command,
    trace.command,
    down.command,
    exec_.command,
    migrate.command,
    backup.command,
    restore.command,
    runbook.command,
    demo.command,
    build.command,
    images.command,
    deploy.command,
    diff.command,
    status.command,
    workflow.command,
    docs.command,
    graph.command,
    new.command,
    doctor.command,
    check.command,
    reach.command,
    explain.command,
    compare.command,
    vault.command,
    seal.command,
)


class Verbs(click.Group):
    """In the order of `VERBS`, and with a suggestion for a misspelt one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        import difflib

        if args and args[0] not in self.commands and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], self.commands, n=2)
            hint = f" Did you mean {' or '.join(close)}?" if close else f" There are: {', '.join(self.commands)}."
            raise click.UsageError(f"there is no verb {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done or proved, 1 failed or refuted, 2 unusable input or arguments, 3 undecidable, "
    "130 interrupted.",
)
@click.version_option(package_name="groundplan", prog_name="groundplan")
def groundplan() -> None:
    """One Python file is the ground plan of a platform: run it here, ship it, prove it closed."""


for _verb in VERBS:
    groundplan.add_command(_verb)


def main() -> None:
    """The program; exits."""
    streams.guard()
    sys.exit(output.guarded(groundplan))
