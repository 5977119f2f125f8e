"""``groundplan doctor``: what this machine has and lacks."""

from __future__ import annotations

from pathlib import Path

import click

from groundplan.cli import output, targets


@targets.example("groundplan doctor")
@click.command("doctor")
@targets.as_json
def command(as_json: bool) -> int:
    """Say what this machine has and lacks for `up`, with the one line that installs each missing thing."""
    from groundplan.local import machine

    facts = machine.examine(Path.cwd())
    lacking = [fact for fact in facts if not fact.ok and not fact.optional]
    if as_json:
        output.emit({"ok": not lacking, "facts": facts})
        return output.FAILED if lacking else output.OK
    for fact in facts:
        mark = "ok  " if fact.ok else "lacks" if not fact.optional else "could"
        purpose = f" (for {fact.needed_for})" if fact.needed_for else ""
        click.echo(f"{mark:<6}{fact.name:<20} {fact.found}{purpose}")
        if not fact.ok:
            click.echo(f"      fix: {fact.fix}")
    return output.FAILED if lacking else output.OK
