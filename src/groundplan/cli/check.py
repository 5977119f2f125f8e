"""``groundplan check``: what is wrong with manifests, and how much was looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import check_platform, manifests, output, targets

if TYPE_CHECKING:
    from groundplan.proof import verdict as verdicts

CODES = {"proved": output.OK, "refuted": output.FAILED, "undecidable": output.UNDECIDABLE}


@targets.example("groundplan check payments\n  groundplan check manifests/ --fail-on warning")
@click.command("check")
@click.argument("what", nargs=-1, metavar="[NAME | PATH...]")
@click.option(
    "--fail-on", type=click.Choice(("error", "warning", "note")), default="error", show_default=True,
    help="The least severity that refutes.",
)  # fmt: skip
@click.option("--environment", metavar="NAME", help="Of a platform: only this cluster.")
@click.option(
    "--certificate", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write what groundplan.proof.recheck can check again; of a platform one a cluster, as in it.staging.json.",
)  # fmt: skip
@click.option("--sarif", is_flag=True, help="Answer in SARIF 2.1.0, as code hosts show it.")
@manifests.kubernetes
@manifests.readings
@targets.as_json
def command(
    what: tuple[str, ...], fail_on: str, environment: str | None, certificate: Path | None, sarif: bool, as_json: bool,
    **given: Any,
) -> int:  # fmt: skip
    """Prove a platform's committed manifests, or check anybody's: files, directories, or - for standard input.

    NAME is a platform, as for `up`: in every cluster of it, what is reachable must be what the plan draws, both ways.
    Says proved (0), refuted (1), undecidable (3) or unusable (2), and how much was examined. A finding is accepted by
    the annotation groundplan/accept on its object, with lines of `CODE: reason`.
    """
    plan = targets.platform_of(what)
    if plan is not None:
        form = "sarif" if sarif else "json" if as_json else "words"
        return check_platform.run(plan, manifests.options(given), fail_on, environment, certificate, form)
    if not what:
        raise click.UsageError("name a platform, or files and directories of manifests; there is no plan.py here")
    if environment:
        raise click.UsageError(f"--environment is for a platform, and {what[0]} is none")
    return _manifests(what, fail_on, certificate, sarif, as_json, given)


def _manifests(
    paths: tuple[str, ...], fail_on: str, certificate: Path | None, sarif: bool, as_json: bool, given: dict[str, Any]
) -> int:
    from groundplan.proof import verdict

    try:
        cluster = manifests.cluster(paths, given, sarif=sarif)
    except manifests.Ended as ended:
        return ended.code
    found = verdict.check(cluster, fail_on=fail_on)
    if sarif:
        from groundplan.proof.show import sarif as sarifs

        output.emit(sarifs.report(found.findings, found.suppressed))
    elif as_json:
        output.emit(_data(found))
    else:
        _show(found)
    if certificate is None:
        return CODES[found.verdict]
    from groundplan.proof import certificate as certificates

    again = f"{manifests.RECHECK} {certificate} and the files"
    written = manifests.certify(lambda: certificates.certificate(cluster), certificate, again)
    return CODES[found.verdict] or written


def _data(found: verdicts.Verdict) -> dict[str, Any]:
    return {
        "verdict": found.verdict, "examined": found.examined,
        "findings": [manifests.as_json(each) for each in found.findings],
        "suppressed": [{**manifests.as_json(each.finding), "reason": each.reason} for each in found.suppressed],
        "undecidable": found.undecidable, "assumptions": found.assumptions,
    }  # fmt: skip


def _show(found: verdicts.Verdict) -> None:
    for each in found.findings:
        click.echo(str(each))
    for said in found.undecidable:
        click.echo(f"not decidable: {said}")
    for accepted in found.suppressed:
        click.echo(f"accepted: {accepted.finding.code} {accepted.finding.what}: {accepted.reason}")
    for taken in found.assumptions:
        click.echo(f"assumed: {taken}")
    click.echo(_summary(found))


def _summary(found: verdicts.Verdict) -> str:
    counts = found.examined
    by = {severity: sum(1 for each in found.findings if each.severity == severity) for severity in _SEVERITIES}
    told = ", ".join(f"{number} {severity}{'' if number == 1 else 's'}" for severity, number in by.items())
    return (
        f"{found.verdict}: {told}; examined {counts.documents} documents, {counts.workloads} workloads, "
        f"{counts.policies} policies, {counts.services} services, {counts.edges} edges, "
        f"{len(found.assumptions)} assumptions"
    )


_SEVERITIES = ("error", "warning", "note")
