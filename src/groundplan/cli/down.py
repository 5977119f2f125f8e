"""``groundplan down``: everything stopped, nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets, up

if TYPE_CHECKING:
    from groundplan.local import directory


@targets.example("groundplan down payments --wipe")
@click.command("down")
@targets.names
@click.option("--wipe", is_flag=True, help="Delete the data too: databases, secrets, ports, logs.")
@targets.data
@targets.as_json
def command(names: tuple[str, ...], wipe: bool, data: Path | None, as_json: bool) -> int:
    """Stop the platform. Its data stays, unless --wipe."""
    from groundplan.local import client

    target = targets.resolve(names, data)
    if target.services:
        raise click.UsageError(f"`down` stops the whole platform, and there is no platform {target.services[0]!r}")
    ran = client.is_running(target.place)
    said = _stop(target.place, wipe, as_json) if ran else _clear(target.place, wipe)
    if as_json:
        output.emit({"stopped": ran, "wiped": wipe, "said": said})
    else:
        click.echo("\n".join([*said, _summary(ran, wipe)]))
    return output.OK


def _stop(place: directory.Directory, wipe: bool, as_json: bool) -> tuple[str, ...]:
    from groundplan.local import client, protocol

    if as_json:
        result = client.result(client.ask(place, protocol.Down(wipe=wipe)))
    else:
        result = up.told(place, protocol.Down(wipe=wipe), False, news_only=True)
    client.wait_gone(place)
    return result.did


def _clear(place: directory.Directory, wipe: bool) -> tuple[str, ...]:
    """What a killed supervisor may have left, and with `wipe` the data."""
    from groundplan.local import directory, pids

    if not place.root.is_dir():
        return ()
    with directory.locked(place):
        said = pids.collect(place.pids)
        place.socket.unlink(missing_ok=True)
        if wipe:
            directory.wipe(place)
    directory.remove_if_empty(place)
    return said


def _summary(ran: bool, wipe: bool) -> str:
    first = "stopped" if ran else "nothing was running"
    return f"{first}; the data is deleted" if wipe else f"{first}; the data stays (--wipe deletes it)"
