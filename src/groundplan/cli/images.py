"""``groundplan images``: the image of the platform's own code, and the digests of all images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.delivery.images import builders, lock

_name = click.argument("name", required=False, metavar="[NAME]")


class _Verbs(click.Group):
    """``images NAME`` is short for ``images build NAME``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = (*self.commands, *ctx.help_option_names)
        return super().parse_args(ctx, args if args and args[0] in known else ["build", *args])


@click.group("images", cls=_Verbs, epilog="\b\nExample:\n  groundplan images payments --push")
def command() -> None:
    """Build the image of the platform's own code (`images NAME`), or look up what tags stand for (`images lock`)."""


@targets.example("groundplan images payments --with buildah --push")
@command.command("build")
@_name
@click.option("--with", "program", type=click.Choice(["docker", "podman", "buildah"]), help="Build with this one.")
@click.option("--base", metavar="IMAGE", help="Make it on this image instead of Python's official one.")
@click.option("--tag", "names", multiple=True, metavar="IMAGE", help="Call it this, not what environments call it.")
@click.option("--push", is_flag=True, help="Push it under all its names.")
@click.option("--dry-run", is_flag=True, help="Print the commands and run none; pip.conf is what pip says here.")
@targets.as_json
def build(
    name: str | None,
    program: str | None,
    base: str | None,
    names: tuple[str, ...],
    push: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Build the image of the platform's own code from deploy/Containerfile, or from a Containerfile beside the plan.
    The build sees pip's indexes and certificates of this machine; the image does not."""
    import os
    import signal

    from groundplan.delivery import deploy
    from groundplan.delivery.images import builders, pip
    from groundplan.model import findings, load

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = load.load(load.find(name, Path()))
    names = names or builders.names(plan)
    if not names and all(env.local for env in plan.environments):
        raise findings.PlanError((deploy.no_cluster(plan),))
    if not names:
        raise click.ClickException(f"nothing of {plan.name} runs in an image of its own code: all bring theirs")
    try:
        file, context = builders.source(plan, plan.file.parent / deploy.FOLDER)
        settings, arguments = pip.settings(os.environ), builders.arguments(context, base, os.environ)
        for place in settings.left:
            click.echo(f"left out: {place}, which a build cannot see", err=True)
        recipe = builders.Recipe(file, context, names, arguments, builders.named_secrets(settings, Path("pip.conf")))
        if dry_run:
            given = builders.commands(program or builders.likely(), recipe, push=push)
        else:
            given = builders.built(builders.chosen(program), recipe, settings, push=push)
    except builders.BuilderError as error:
        return _failed(error, as_json)
    _built(names, given, push, dry_run, as_json)
    return output.OK


def _built(names: tuple[str, ...], given: tuple[builders.Command, ...], push: bool, dry: bool, as_json: bool) -> None:
    import shlex

    if as_json:
        output.emit({"images": names, "commands": given, "built": not dry, "pushed": push and not dry})
    elif dry:
        for command in given:
            click.echo(shlex.join(command))
    else:
        for each in names:
            click.echo(f"{'pushed' if push else 'built'} {each}")


def _failed(error: Exception, as_json: bool) -> int:
    if as_json:
        output.emit({"error": {"kind": type(error).__name__, "what": str(error)}})
    else:
        click.echo(str(error), err=True)
    return output.FAILED


@targets.example("groundplan images lock payments && groundplan build payments")
@command.command("lock")
@_name
@targets.as_json
def look(name: str | None, as_json: bool) -> int:
    """Ask registries which digests the tags of all images stand for, and write images.lock beside the plan: `build`
    then names images by digest. What cannot be looked up keeps what is known, or stays a tag; the exit code is 1."""
    import os

    from groundplan.delivery import deploy
    from groundplan.delivery.images import containerfile, lock, registry
    from groundplan.kubernetes import pins
    from groundplan.model import load

    plan = load.load(load.find(name, Path()))
    folder = plan.file.parent
    images = pins.named(made for each in deploy.lowered(plan, {}) for made in each.objects)
    images |= containerfile.bases(plan)
    known = lock.read(folder)
    looked = lock.look({image for image in images if "@" not in image}, known, registry.Client(os.environ))
    file = lock.write(folder, looked)
    (_emit if as_json else _say)(file, looked)
    return output.FAILED if any(each.problem for each in looked) else output.OK


def _emit(file: Path, looked: tuple[lock.Looked, ...]) -> None:
    output.emit({"file": str(file), "images": looked})


def _say(file: Path, looked: tuple[lock.Looked, ...]) -> None:
    from groundplan.model import origin

    for each in looked:
        click.echo(f"{_became(each):<9}{each.image}  {each.digest}".rstrip())
        if each.problem:
            click.echo(f"         {each.problem}")
    known = sum(1 for each in looked if each.digest)
    click.echo(f"{origin.shown(str(file))}: {known} of {len(looked)} images by digest")
    if any(each.digest != each.before for each in looked):
        click.echo("next: groundplan build")


def _became(each: lock.Looked) -> str:
    if each.problem:
        return "kept" if each.digest else "tag only"
    return "same" if each.digest == each.before else "moved" if each.before else "new"
