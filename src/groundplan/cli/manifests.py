"""What the verbs that read manifests have in common: paths, options, and how unusable input is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan import proof
    from groundplan.model import environment as environments
    from groundplan.model import platform

paths = click.argument("paths", nargs=-1, required=True, metavar="NAME|PATH...")
environment = click.option("--environment", metavar="NAME", help="Of a platform: this cluster.  [default: production]")
_namespace = click.option("--namespace", metavar="NAME", help="Where objects go that name no namespace.")
_matches = click.option(
    "--ipblock-matches-pods", is_flag=True, help="Take the reading in which an ipBlock covers pod addresses too."
)
_pods = click.option("--pod-range", multiple=True, metavar="CIDR", help="Where pods get their addresses; repeatable.")
_nodes = click.option("--node-range", multiple=True, metavar="CIDR", help="The addresses of nodes; repeatable.")
kubernetes = click.option(
    "--kubernetes", metavar="VERSION", help="The version that schemas are judged by, as in 1.36.  [default: the newest]"
)

Command = Callable[..., Any]


def readings(command: Command) -> Command:
    """The options that say what manifests do not."""
    for each in (_nodes, _pods, _matches, _namespace):
        command = each(command)
    return command


def options(given: dict[str, Any]) -> proof.Options:
    """What `readings` was given."""
    from groundplan import proof

    try:
        return proof.Options(
            default_namespace=given["namespace"],
            ipblock_matches_pods=given["ipblock_matches_pods"],
            pod_ranges=given["pod_range"],
            node_ranges=given["node_range"],
            kubernetes=given.get("kubernetes") or "",
        ).checked()
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def cluster(where: Iterable[str], given: dict[str, Any], *, sarif: bool = False) -> proof.Cluster:
    """The cluster behind paths; raises Ended after telling why there is none."""
    from groundplan import proof
    from groundplan.proof.manifests import cache

    try:
        return proof.Cluster.read(*where, options=options(given), cache=cache.usual())
    except proof.Unusable as error:
        raise Ended(tell(error.findings, sarif=sarif)) from None


def ports(words: str | None) -> Any:
    """The ports that words mean; None for none."""
    from groundplan.proof import connections

    try:
        return None if words is None else connections.parse(words)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="PORT") from None


class Ended(Exception):
    """Everything is said; carries the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def tell(findings: Iterable[proof.Finding], *, sarif: bool = False) -> int:
    """Says findings in words on standard error, or in JSON; returns the exit code of unusable input."""
    if sarif:
        from groundplan.proof.show import sarif as sarifs

        output.emit(sarifs.report(findings))
    elif output.wants_json():
        output.emit({"findings": [as_json(each) for each in findings]})
    else:
        for each in findings:
            click.echo(str(each), err=True)
    return output.UNUSABLE


def as_json(found: proof.Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "code": found.code, "severity": found.severity, "what": found.what, "file": found.where.file,
        "line": found.where.line, "object": found.subject, "field": found.field, "why": found.said,
        "fix": found.remedy, "plan": found.declared,
    }  # fmt: skip


def certify(make: Callable[[], dict[str, Any]], file: Path, again: str) -> int:
    """Writes what `make` gives, a certificate, and says how to check it `again`; returns the exit code."""
    import json
    import os

    from groundplan.proof import certificate

    try:
        made = make()
    except certificate.NoCertificate as error:
        click.echo(f"no certificate {file}: {error}", err=True)
        return output.UNUSABLE
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        click.echo(f"no certificate {file}: {error.strerror}", err=True)
        return output.UNUSABLE
    click.echo(f"certificate {file}, to be checked again by: {again}", err=True)
    return output.OK


RECHECK = "python -m groundplan.proof.recheck"


def places(words: Iterable[str], name: str | None) -> tuple[str, ...]:
    """Paths as they are, and platforms as the manifests of their cluster called `name` (see `overlay`)."""
    plans = {word: targets.platform_of((word,)) for word in words}
    if name and not any(plans.values()):
        raise click.UsageError(f"--environment is for platforms, and none of {', '.join(plans)} is one")
    return tuple(overlay(plan, name)[2] if (plan := plans[word]) else word for word in words)


def overlay(plan: Path, name: str | None) -> tuple[platform.Platform, environments.Environment, str]:
    """A cluster of a platform, and where its manifests are: the one called `name`, or production, or the last."""
    from groundplan import delivered
    from groundplan.delivery import deploy
    from groundplan.model import load, origin

    loaded = load.load(plan)
    clusters = {env.name: env for env in loaded.environments if not env.local}
    chosen = name or ("production" if "production" in clusters else next(reversed(clusters), ""))
    if chosen not in clusters:
        raise delivered.unknown_environment(loaded, chosen)
    place = delivered.overlay(loaded.file.parent / deploy.FOLDER, chosen)
    return loaded, clusters[chosen], origin.shown(str(place))
