"""``groundplan wait``: returns when services are ready."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.local import directory
    from groundplan.local.state import store


@targets.example("groundplan wait payments api-gateway --timeout 30")
@click.command("wait")
@targets.names
@click.option("--timeout", default=120.0, show_default=True, metavar="SECONDS", help="When to give up.")
@targets.data
@targets.as_json
def command(names: tuple[str, ...], timeout: float, data: Path | None, as_json: bool) -> int:
    """Wait until SERVICE, or everything, is ready."""
    target = targets.resolve(names, data)
    model, late = _until_settled(target.place, target.services, timeout)
    left = _left(model, target.services)
    if as_json:
        output.emit({"ready": not left, "waiting": left})
    elif left:
        reason = f"not ready after {timeout:g} s" if late else "not ready"
        click.echo("\n".join([f"{reason}:", *(f"  {name}: {words}" for name, words in left.items())]), err=True)
    return output.FAILED if left else output.OK


def _until_settled(place: directory.Directory, services: tuple[str, ...], timeout: float) -> tuple[store.Store, bool]:
    from groundplan.local import client
    from groundplan.local.state import events, store

    model, begun = store.Store(), False
    try:
        for event in client.watch(place, deadline=time.monotonic() + timeout):
            model.publish(event)
            begun = begun or isinstance(event, events.Now)
            if begun and _decided(model, services):
                return model, False
    except TimeoutError:
        return model, True
    raise client.not_running(place)


def _decided(model: store.Store, services: tuple[str, ...]) -> bool:
    from groundplan.local import errors
    from groundplan.local.state import units

    known = {unit.name for unit in model.all(units.Unit)}
    if missing := [name for name in services if name not in known]:
        raise errors.unknown(missing, known)
    phases = {units.overall(model.instances_of(name)) for name in services or known}
    return "failed" in phases or phases <= set(units.SETTLED)


def _left(model: store.Store, services: tuple[str, ...]) -> dict[str, str]:
    from groundplan.local.state import units

    chosen = [i for i in model.all(units.Instance) if not services or i.unit in services]
    return {i.name: i.words(time.time()) for i in chosen if i.phase not in units.SETTLED}
