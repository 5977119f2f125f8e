"""``groundplan seal``: secrets sealed for a cluster's Sealed Secrets controller, in a file to be committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import output, supplies, targets

if TYPE_CHECKING:
    from groundplan.delivery import sealing
    from groundplan.model import environment, findings, platform
    from groundplan.resources import sealed_secrets


@targets.example("groundplan seal payments --environment production --supply app/smtp=@smtp.json")
@click.command("seal")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--environment", "wanted", required=True, metavar="ENV", help="The environment whose secrets are sealed.")
@click.option(
    "--rotate", multiple=True, metavar="PATH", help="Make a new one, sealed for all of its readers; repeatable."
)
@supplies.options
@targets.as_json
def command(name: str | None, wanted: str, as_json: bool, **given: Any) -> int:
    """Generate and seal every secret that is not sealed yet for all of its readers.

    What is sealed stays as it is: nobody but the cluster can read it back. `build` puts it into deploy/.
    """
    import datetime

    from groundplan.cli import environments
    from groundplan.delivery import sealing
    from groundplan.model import findings
    from groundplan.resources import sealed_secrets

    plan, env = environments.find(name, wanted)
    store = env.defaults.get("secrets")
    if not isinstance(store, sealed_secrets.SealedSecrets):
        raise findings.PlanError((_elsewhere(env),))
    try:
        key = sealing.public_key(store.certificate.read_bytes(), datetime.datetime.now(datetime.UTC))
        done = sealing.sealed(_wish(plan, env, given), store.sealed, key)
        if done.sealed != store.sealed:
            sealing.write(store.file, done.sealed)
    except (sealing.SealingError, OSError) as error:
        raise click.ClickException(str(error)) from error
    _show(done, store, as_json)
    return output.OK


def _wish(plan: platform.Platform, env: environment.Environment, given: dict[str, Any]) -> sealing.Wish:
    from groundplan.delivery import sealing
    from groundplan.kubernetes import lower

    holders = lower.holders(plan, env)
    held = {path for holder in holders for path in holder.paths}
    unknown = sorted(set(given["rotate"]) - held)
    if unknown:
        raise click.BadParameter(f"nobody reads {', '.join(unknown)}", param_hint="--rotate")
    generators = {path: each.generator for path, each in plan.kept.items() if path in held}
    brought = {**supplies.read(given, held), **supplies.tokens(given)}
    return sealing.Wish(holders, generators, {path: brought[path] for path in brought if path in held}, given["rotate"])


def _elsewhere(env: environment.Environment) -> findings.Finding:
    from groundplan.model import findings

    what, why = f"environment {env.name} seals no secrets", "they are kept elsewhere, or nowhere yet"
    return findings.Finding("GP303", what, env.origin, why, 'add secrets=SealedSecrets("sealed/….pem")')


def _show(done: sealing.Done, store: sealed_secrets.SealedSecrets, as_json: bool) -> None:
    from groundplan.model import origin

    if as_json:
        output.emit({"file": str(store.file), "sealed": done.paths})
        return
    for path in done.paths:
        click.echo(f"  sealed {path}")
    click.echo(f"{len(done.paths)} secrets sealed anew in {origin.shown(str(store.file))}")
