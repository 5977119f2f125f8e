"""``groundplan deploy``: an environment to its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import clusters, output, targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplan.kubernetes import lower
    from groundplan.live import applying, deploy, errors
    from groundplan.model import platform

_COLOURS = {"created": "green", "changed": "yellow", "replaced": "yellow", "deleted": "red", "skipped": "red"}


@targets.example("groundplan deploy payments --environment staging --dry-run=server")
@click.command("deploy")
@click.argument("name", required=False, metavar="[NAME]")
@clusters.options
@click.option("--dry-run", type=click.Choice(["server"]), help="Let the API server check everything; change nothing.")
@click.option("--prune", is_flag=True, help="Delete what an earlier deploy made and the plan no longer has.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that others set.")
@click.option("--adopt", is_flag=True, help="Take over objects of these names that others made.")
@click.option("--skip-unknown", is_flag=True, help="Leave out objects of kinds that the cluster does not know.")
@click.option("--from-plan", is_flag=True, help="Deploy the plan even where deploy/ says something else.")
@click.option(
    "--timeout",
    type=click.IntRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long each wave may take to become ready.",
)
@targets.as_json
def command(name: str | None, environment: str, as_json: bool, **given: Any) -> int:
    """Apply an environment to its cluster, wave by wave, each when the one before it is ready.

    What is so already is left alone, what others set or made is never taken without being asked, and namespaces
    and volume claims are never deleted. Running it again goes on where the last run stopped.
    """
    from groundplan.cli import environments
    from groundplan.live import deploy, errors

    plan, env = environments.find(name, environment)
    if not given["from_plan"]:
        _check_built(plan)
    lowered = clusters.lowered(plan, env)
    asked = clusters.opened(given)
    teller = Teller(quiet=as_json)
    teller.say(clusters.heading(plan, env, asked))
    options = deploy.Options(
        dry_run=given["dry_run"] == "server",
        force=given["force_conflicts"],
        adopt=given["adopt"],
        skip_unknown=given["skip_unknown"],
        prune=given["prune"],
        timeout=given["timeout"],
    )
    try:
        report = deploy.Deploy(asked, clusters.own(plan, env, given), lowered.objects, options, teller).run()
    except errors.UnknownKinds as error:
        error.fix += "".join(f"\n{line}" for line in _charts(lowered))
        raise
    except KeyboardInterrupt:
        click.echo("interrupted: what was applied stays; run this again to go on", err=True)
        raise
    (_emit if as_json else _end)(report, options)
    return output.OK


def _check_built(plan: platform.Platform) -> None:
    """Raises where deploy/ does not say what the plan says: what was reviewed is what is deployed."""
    from groundplan.delivery import deploy, tree
    from groundplan.model import origin

    made = deploy.of(plan)
    try:
        changes = tree.compare(made.folder, made.files)
    except tree.TreeError as error:
        raise click.ClickException(str(error)) from error
    if changes:
        folder = origin.shown(str(made.folder))
        fix = "groundplan build, and commit it; or deploy the plan as it is: --from-plan"
        raise click.ClickException(f"{folder} differs from the plan: see `build --check`\n      fix: {fix}")


def _charts(lowered: lower.Lowered) -> Iterator[str]:
    """What the plan has others install: their kinds come with it."""
    for each in lowered.releases:
        source = each.source
        yield f"the plan's chart {source.name} {source.version} of {source.repository}, in namespace {each.namespace}"


class Teller:
    """Says on the terminal how it goes."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, text: str, **style: Any) -> None:
        if not self._quiet:
            click.secho(text, **style)

    def wave(self, number: int, objects: int) -> None:
        self.say(f"wave {number}: {objects} objects", bold=True)

    def did(self, outcome: applying.Outcome) -> None:
        if outcome.verb in _COLOURS:
            why = f"  ({outcome.why})" if outcome.why else ""
            self.say(f"  {outcome.verb:<9} {outcome.key}{why}", fg=_COLOURS[outcome.verb])

    def waits(self, subject: str, why: str) -> None:
        self.say(f"  waiting for {subject}: {why}", dim=True)

    def failed(self, error: errors.LiveError) -> None:
        self.say(f"  failed    {error}", fg="red")


def _end(report: deploy.Report, options: deploy.Options) -> None:
    import collections

    numbers = collections.Counter(each.verb for each in report.outcomes)
    said = ", ".join(f"{number} {verb}" for verb, number in sorted(numbers.items()))
    click.echo(f"{'would be' if options.dry_run else 'done'}: {said}")
    if report.leftovers:
        click.echo(f"no longer in the plan ({len(report.leftovers)}):")
        for key in report.leftovers:
            click.echo(f"  {key}")
        fix = "namespaces and volume claims only you can delete" if options.prune else "--prune deletes them"
        click.echo(f"    {fix}")


def _emit(report: deploy.Report, options: deploy.Options) -> None:
    output.emit({
        "dry_run": options.dry_run,
        "objects": [
            {"object": str(each.key), "verb": each.verb, "why": each.why, "origin": each.origin}
            for each in report.outcomes
        ],
        "leftovers": [str(key) for key in report.leftovers],
    })  # fmt: skip
