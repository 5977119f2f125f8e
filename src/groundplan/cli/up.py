"""``groundplan up``: the platform on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.local import directory, protocol
    from groundplan.local.plan import units


@targets.example("groundplan up payments --detach && groundplan ps payments")
@click.command("up")
@targets.names
@click.option("--detach", is_flag=True, help="Return when everything is ready; it goes on in the background.")
@click.option("--timeout", default=60.0, show_default=True, metavar="SECONDS", help="For each service to get ready.")
@click.option("--replicas", type=click.IntRange(min=1), metavar="N", help="Of every service, instead of the plan's.")
@click.option(
    "--with",
    "beside",
    type=click.Choice(["monitoring"]),
    multiple=True,
    help="Run Prometheus and Alertmanager beside it, and the exporters that are installed.",
)
@targets.data
@targets.as_json
def command(
    names: tuple[str, ...],
    detach: bool,
    timeout: float,
    replicas: int | None,
    beside: tuple[str, ...],
    data: Path | None,
    as_json: bool,
) -> int:
    """Run a platform here, or update the one that runs: only what changed restarts.

    With SERVICE, only these and what they need. Ctrl-C stops everything; data stays until `down --wipe`.
    """
    from groundplan.local import client, host

    target = targets.resolve(names, data)
    place, plan, said = _prepared(target, replicas, "monitoring" in beside)
    if client.is_running(place):
        click.echo("".join(f"{line}\n" for line in said), nl=False, err=True)
        return _update(place, plan, bool(target.services), as_json)
    launch = host.Launch(directory=str(place.root), plan=plan, detached=detach, json=as_json, limit=timeout, said=said)
    if not detach:
        client.become(launch)
    client.detach(launch)
    return _settle(place, as_json)


def _prepared(
    target: targets.Target, replicas: int | None, monitored: bool
) -> tuple[directory.Directory, units.LocalPlan, tuple[str, ...]]:
    from groundplan.local import directory, ports, prepare
    from groundplan.local.backups import former
    from groundplan.model import load

    platform = load.load(target.plan_file or load.find(None, Path()))
    place = directory.make(target.place.root)
    said = former.taken_back(place)
    book = ports.Book(place.ports)
    made = prepare.prepare(platform, place, target.services, book, replicas, monitored=monitored)
    return place, made, (*said, *book.changes)


def _update(place: directory.Directory, plan: units.LocalPlan, partial: bool, as_json: bool) -> int:
    from groundplan.local import protocol

    result = told(place, protocol.Up(plan=plan, partial=partial), as_json, news_only=True)
    if not as_json:
        click.echo("\n".join(result.did) or "nothing changed")
    return _code(result)


def _settle(place: directory.Directory, as_json: bool) -> int:
    from groundplan.local import protocol

    result = told(place, protocol.Settle(), as_json)
    if not (as_json or result.ok):
        click.echo(
            f"did not start: {', '.join(result.failed)}\n      fix: mend it and `groundplan up` again; the rest runs on"
        )
    return _code(result)


def _code(result: protocol.Result) -> int:
    return output.OK if result.ok else output.FAILED


def told(
    place: directory.Directory, request: protocol.Request, as_json: bool, *, news_only: bool = False
) -> protocol.Result:
    """Sends a request, shows what happens meanwhile, returns the result (shown too, in JSON)."""
    from groundplan.local import client, protocol, terminal

    view = terminal.Terminal(sys.stdout, news_only=news_only)
    if not as_json:
        return client.result(client.ask(place, request), view.take)
    result = client.result(client.ask(place, request))
    sys.stdout.write(protocol.encode(result).decode())
    return result
