"""``groundplan status``: how a platform is in its cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import clusters, output, targets

if TYPE_CHECKING:
    from groundplan.live import status

_MOST = 20
"""Differences that a terminal is shown; JSON has all."""


@targets.example("groundplan status payments --environment production")
@click.command("status")
@click.argument("name", required=False, metavar="[NAME]")
@clusters.options
@targets.as_json
def command(name: str | None, environment: str, as_json: bool, **given: Any) -> int:
    """Show how the platform is in the cluster: what is ready, why not, and where it differs from the plan.

    It only reads. Exits 1 when something is not ready or not as planned, 2 when it cannot be told.
    """
    from groundplan.cli import environments
    from groundplan.live import errors, status

    plan, env = environments.find(name, environment)
    wanted = clusters.lowered(plan, env).objects
    try:
        asked = clusters.opened(given)
        found = status.of(asked, clusters.own(plan, env, given), wanted)
    except errors.LiveError as error:
        return output.unusable(error)
    if as_json:
        _emit(found)
    else:
        click.echo(clusters.heading(plan, env, asked))
        _show(found)
    return output.OK if found.ok else output.FAILED


def _show(found: status.Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("NAMESPACE", "NAME", "KIND", "STATE", "RESTARTS", "IMAGE"):
        table.add_column(title, justify="right" if title == "RESTARTS" else "left", no_wrap=title in ("NAME", "KIND"))
    for row in found.rows:
        last = f"\nlast failure: {row.last_failure}" if row.last_failure else ""
        state = Text(row.state + last, style="green" if row.ok else "red")
        table.add_row(
            row.key.namespace, row.key.name, row.key.kind, state, str(row.restarts or ""), Text("\n".join(row.images))
        )
    # A file or a pipe has no width, and a cut table is of no use in one.
    (Console() if sys.stdout.isatty() else Console(width=250)).print(table)
    if found.drift:
        click.echo(f"\nnot as planned ({len(found.drift)}):")
    for key, what in found.drift[:_MOST]:
        click.echo(f"  {key}: {what}")
    if len(found.drift) > _MOST:
        click.echo(f"  … and {len(found.drift) - _MOST} more: --json has all")


def _emit(found: status.Report) -> None:
    output.emit({
        "ok": found.ok,
        "workloads": [
            {
                "object": str(row.key), "ok": row.ok, "state": row.state, "images": row.images,
                "restarts": row.restarts, "last_failure": row.last_failure,
            }
            for row in found.rows
        ],
        "drift": [{"object": str(key), "what": what} for key, what in found.drift],
    })  # fmt: skip
