"""``groundplan compare``: what may connect in one set of manifests and not in another."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import manifests, output, targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundplan import proof
    from groundplan.proof.compare import pairs


@targets.example("groundplan compare deploy-before/ deploy-after/")
@click.command("compare")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@manifests.environment
@manifests.kubernetes
@manifests.readings
@targets.as_json
def command(old: str, new: str, environment: str | None, as_json: bool, **given: Any) -> int:
    """Show which connections NEW adds, removes, widens and narrows, and which findings it adds and fixes.

    OLD and NEW are manifests, or platforms by name. Exits 1 when a connection differs or a finding is added.
    """
    from groundplan.proof.compare import findings, pairs

    try:
        before, after = (manifests.cluster(place, given) for place in _places(old, new, environment))
    except manifests.Ended as ended:
        return ended.code
    found = list(pairs.differences(before, after))
    told = findings.findings_of(before, after)
    if as_json:
        output.emit({
            "connections": found,
            "findings": {
                "added": [manifests.as_json(each) for each in told.added],
                "fixed": [manifests.as_json(each) for each in told.fixed],
            },
        })  # fmt: skip
    else:
        _show(found)
        _told("findings added", told.added)
        _told("findings fixed", told.fixed)
    doubts = [f"{where}: {each}" for where, one in ((old, before), (new, after)) for each in one.doubts()]
    for each in doubts:
        click.echo(f"not decidable: {each}", err=True)
    return output.UNDECIDABLE if doubts else output.FAILED if found or told.added else output.OK


def _places(old: str, new: str, environment: str | None) -> tuple[list[str], list[str]]:
    one, other = manifests.places((old, new), environment)
    return [one], [other]


def _show(found: list[pairs.Difference]) -> None:
    if not found:
        click.echo("no difference: the same connections are allowed")
    for kind, some in itertools.groupby(found, key=lambda each: each.kind):
        listed = list(some)
        click.echo(f"{kind} ({len(listed)})")
        for each in listed:
            click.echo(f"  {each.source} → {each.destination}: {_change(each)}")


def _told(title: str, some: Iterable[proof.Finding]) -> None:
    listed = list(some)
    if listed:
        click.echo(f"{title} ({len(listed)})")
    for each in listed:
        click.echo(f"  {each.code} {each.what}    {each.where}".rstrip())


def _change(found: pairs.Difference) -> str:
    if found.kind == "added":
        return found.after
    return found.before if found.kind == "removed" else f"{found.before} → {found.after}"
