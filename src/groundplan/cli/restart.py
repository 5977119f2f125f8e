"""``groundplan restart``: services done over, replica by replica."""

from __future__ import annotations

from pathlib import Path

import click

from groundplan.cli import output, targets, up


@targets.example("groundplan restart payments auth-service")
@click.command("restart")
@targets.names
@targets.data
@targets.as_json
def command(names: tuple[str, ...], data: Path | None, as_json: bool) -> int:
    """Restart SERVICE; of several replicas, one at a time, each ready before the next goes."""
    from groundplan.local import protocol

    target = targets.resolve(names, data)
    if not target.services:
        raise click.UsageError("name at least one service: groundplan restart [NAME] SERVICE")
    result = up.told(target.place, protocol.Restart(names=target.services), as_json, news_only=True)
    if not as_json:
        click.echo("\n".join(result.did))
    return output.OK if result.ok else output.FAILED
