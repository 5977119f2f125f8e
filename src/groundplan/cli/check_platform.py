"""``groundplan check`` of a platform: one verdict over all its clusters, and what each was."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import manifests, output

if TYPE_CHECKING:
    from groundplan import delivered, proof

CODES = {
    "proved": output.OK, "refuted": output.FAILED, "undecidable": output.UNDECIDABLE, "unusable": output.UNUSABLE,
}  # fmt: skip


def run(
    plan: Path, options: proof.Options, fail_on: str, environment: str | None, certificate: Path | None, form: str
) -> int:
    """Checks and tells, in `words`, `json` or `sarif`; returns the exit code."""
    from groundplan import delivered
    from groundplan.model import load
    from groundplan.proof.manifests import cache

    platform = load.load(plan)
    if environment and environment not in {each.name for each in platform.environments if not each.local}:
        raise delivered.unknown_environment(platform, environment)
    found = delivered.check(platform, only=environment, options=options, fail_on=fail_on, cache=cache.usual())
    if form == "sarif":
        from groundplan.proof.show import sarif

        output.emit(sarif.report(found.findings))
    elif form == "json":
        output.emit(_data(found))
    else:
        _show(platform.name, found)
    written = _certified(plan, found, certificate) if certificate else output.OK
    return CODES[found.verdict] or written


def _certified(plan: Path, found: delivered.Verdict, certificate: Path) -> int:
    from groundplan import delivered
    from groundplan.delivery import deploy
    from groundplan.model import origin

    codes = []
    for each in found.environments:
        file = certificate.with_suffix(f".{each.name}{certificate.suffix}")
        place = origin.shown(str(delivered.overlay(plan.resolve().parent / deploy.FOLDER, each.name)))
        again = f"kubectl kustomize {place} | {manifests.RECHECK} {file} /dev/stdin"
        codes.append(manifests.certify(functools.partial(delivered.certificate, each), file, again))
    return max(codes, default=output.OK)


def _data(found: delivered.Verdict) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "findings": [manifests.as_json(each) for each in found.findings],
        "environments": {
            each.name: {
                "verdict": each.verdict, "examined": each.examined, "claims": each.claims, "pairs": each.pairs,
                "suppressed": each.suppressed, "undecidable": each.undecidable, "assumptions": each.assumptions,
            }
            for each in found.environments
        },
    }  # fmt: skip


def _show(name: str, found: delivered.Verdict) -> None:
    for each in found.findings:
        click.echo(str(each))
    for word in ("undecidable", "suppressed", "assumptions"):
        said: dict[str, list[str]] = {}
        for env in found.environments:
            for line in getattr(env, word):
                said.setdefault(line, []).append(env.name)
        for line, names in said.items():
            where = "" if len(names) == len(found.environments) else f" ({', '.join(names)})"
            click.echo(f"{_TITLES[word]}: {line}{where}")
    for env in found.environments:
        click.echo(f"  {env.name:<12} {env.verdict}: {_counts(env)}")
    click.echo(f"{name}: {found.verdict}; {_severities(found.findings)}")


_TITLES = {"undecidable": "not decidable", "suppressed": "accepted", "assumptions": "assumed"}


def _counts(env: delivered.Environment) -> str:
    if env.examined is None:
        return "nothing could be examined"
    counts = env.examined
    return (
        f"{counts.documents} documents, {counts.workloads} workloads, {counts.policies} policies, {counts.edges} edges "
        f"between them; {env.claims} claims and {env.pairs} pairs of ends compared, {len(env.assumptions)} assumptions"
    )


def _severities(some: tuple[proof.Finding, ...]) -> str:
    by = {word: sum(1 for each in some if each.severity == word) for word in ("error", "warning", "note")}
    return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for word, number in by.items())
