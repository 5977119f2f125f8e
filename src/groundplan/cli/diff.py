"""``groundplan diff``: what a deploy would change in a cluster."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import clusters, output, targets

if TYPE_CHECKING:
    from groundplan.live import difference

_MOST = 40
"""Connections that a terminal is shown; JSON has all."""
_OPENS = {"added": "opens", "widened": "widens", "removed": "closes", "narrowed": "narrows", "changed": "changes"}


@targets.example("groundplan diff payments --environment production")
@click.command("diff")
@click.argument("name", required=False, metavar="[NAME]")
@clusters.options
@targets.as_json
def command(name: str | None, environment: str, as_json: bool, **given: Any) -> int:
    """Show what a deploy would change in the cluster: what restarts, scales, opens, closes.

    Nothing is changed. Exits 1 when something would be different, 2 when it cannot be told.
    """
    from groundplan.cli import environments
    from groundplan.live import difference, errors

    plan, env = environments.find(name, environment)
    wanted = clusters.lowered(plan, env).objects
    try:
        asked = clusters.opened(given)
        if not as_json:
            click.echo(clusters.heading(plan, env, asked))
        found = difference.of(asked, clusters.own(plan, env, given), wanted)
    except errors.LiveError as error:
        return output.unusable(error)
    (_emit if as_json else _show)(found)
    return output.FAILED if found else output.OK


def _show(found: difference.Report) -> None:
    for kind, some in itertools.groupby(found.changes, key=lambda each: each.kind):
        listed = list(some)
        click.secho(f"{kind} ({len(listed)})", bold=True)
        for each in listed:
            click.echo(f"  {each.key}" + (f"    {each.origin}" if each.origin else ""))
            for line in each.details:
                click.echo(f"    {line}")
    if found.traffic:
        click.secho(f"traffic ({len(found.traffic)})", bold=True)
    for one in found.traffic[:_MOST]:
        what = f"{one.before} → {one.after}" if one.kind not in ("added", "removed") else _only(one)
        click.echo(f"  {_OPENS[one.kind]:<8} {one.source} → {one.destination}: {what}")
    if len(found.traffic) > _MOST:
        click.echo(f"  … and {len(found.traffic) - _MOST} more: --json has all")
    for line in found.conflicts:
        click.secho(f"conflict: {line}    fix: agree with them, or deploy --force-conflicts", fg="red")
    for line in found.notes:
        click.echo(f"not told: {line}", err=True)
    if not found:
        click.echo("no difference")


def _only(one: Any) -> str:
    return str(one.after if one.kind == "added" else one.before)


def _emit(found: difference.Report) -> None:
    output.emit({
        "changes": [
            {"kind": each.kind, "object": str(each.key), "details": each.details, "origin": each.origin}
            for each in found.changes
        ],
        "traffic": found.traffic,
        "conflicts": found.conflicts,
        "notes": found.notes,
    })  # fmt: skip
