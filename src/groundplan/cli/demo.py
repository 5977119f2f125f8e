"""``groundplan demo``: the platform's own story, on a fresh platform that is gone afterwards."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, plans, targets, up

if TYPE_CHECKING:
    from groundplan.local import directory
    from groundplan.model import processes


@targets.example("groundplan demo payments")
@click.command("demo")
@click.argument("name", required=False)
@click.option("--keep", is_flag=True, help="Leave the platform running and its data in place.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where its data goes, and stays."
)
@targets.as_json
def command(name: str | None, keep: bool, data: Path | None, as_json: bool) -> int:
    """Start a platform with a data directory of its own, play its story, stop it.

    Exits 1 when a step fails, and says which and why.
    """
    if data is not None or keep:
        root = data or Path(tempfile.mkdtemp(prefix="groundplan-demo-"))
        return _play(name, root.absolute(), keep, as_json)
    with tempfile.TemporaryDirectory(prefix="groundplan-demo-") as folder:
        return _play(name, Path(folder) / "data", keep, as_json)


def _play(name: str | None, root: Path, keep: bool, as_json: bool) -> int:
    from groundplan.local import client, directory, host, protocol
    from groundplan.local import story as stories
    from groundplan.model import load

    place = directory.make(root)
    target = targets.Target(load.find(name, Path()), (), place)
    platform, plan = plans.loaded(target)
    if platform.story is None:
        raise click.UsageError(f"{platform.name} tells no story; add plan.tells(python(…)) to its plan")
    if client.is_running(place):
        raise click.UsageError(f"a platform runs in {root} already; `groundplan down --data {root}` stops it")
    try:
        client.detach(host.Launch(directory=str(root), plan=plan, detached=True, json=False, limit=60.0, said=()))
        if not up.told(place, protocol.Settle(), as_json).ok:
            return output.FAILED
        return _tell(
            platform.story, stories.variables(plan, target.plan_file or Path(), place, as_json=as_json, keep=keep)
        )
    finally:
        if keep:
            click.echo(f"it goes on running; stop it with: groundplan down --wipe --data {root}", err=as_json)
        else:
            _stop(place, as_json)


def _tell(story: processes.Process, variables: dict[str, str]) -> int:
    import os
    import subprocess
    import sys

    from groundplan.model import processes

    argv = [sys.executable, "-m", story.module] if isinstance(story, processes.Python) else list(story.argv)
    told = subprocess.run(argv, env={**os.environ, **variables}, check=False)
    return output.OK if told.returncode == 0 else output.FAILED


def _stop(place: directory.Directory, as_json: bool) -> None:
    from groundplan.local import client, protocol

    if client.is_running(place):
        up.told(place, protocol.Down(wipe=True), as_json, news_only=True)
        client.wait_gone(place)
