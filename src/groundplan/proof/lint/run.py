"""All lints in their order, and suppressions: each says its reason, on the object, where whoever reads it sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from groundplan.proof import cluster, fields, findings
from groundplan.proof.lint import (
    disruption,
    entries,
    facts,
    internet,
    jobs,
    monitors,
    network,
    order,
    probes,
    quotas,
    references,
    resources,
    rights,
    routes,
    scaling,
    schema,
    secrets,
    security,
    shadows,
)
from groundplan.proof.manifests import documents

LINTS: tuple[Callable[[facts.Facts], Iterator[findings.Finding]], ...] = (
    *schema.LINTS,
    *network.LINTS,
    *internet.LINTS,
    *shadows.LINTS,
    *entries.LINTS,
    *references.LINTS,
    *routes.LINTS,
    *monitors.LINTS,
    *security.LINTS,
    *probes.LINTS,
    *disruption.LINTS,
    *scaling.LINTS,
    *quotas.LINTS,
    *jobs.LINTS,
    *order.LINTS,
    *resources.LINTS,
    *secrets.LINTS,
    *rights.LINTS,
)
ANNOTATION = "groundplan/accept"
"""The annotation that suppresses: lines of `CODE: reason`."""


class Suppressed(msgspec.Struct, frozen=True):
    """A finding that somebody has accepted, and why."""

    finding: findings.Finding
    reason: str


class Result(msgspec.Struct, frozen=True):
    """What all lints found."""

    findings: tuple[findings.Finding, ...]
    suppressed: tuple[Suppressed, ...]


def run(whole: cluster.Cluster) -> Result:
    """Every lint over a cluster."""
    known = facts.Facts(whole)
    accepted, said = _accepted(known)
    kept: list[findings.Finding] = []
    suppressed: list[Suppressed] = []
    used: set[tuple[str, str]] = set()
    asked_for = {facts.title(each, known.default) for each in known.model.everything if _test(each)}
    for each in (found for lint in LINTS for found in lint(known)):
        if each.subject in asked_for and each.severity != findings.ERROR:
            continue
        reason = accepted.get((each.subject, each.code))
        if reason is None:
            kept.append(each)
        else:
            used.add((each.subject, each.code))
            suppressed.append(Suppressed(each, reason))
    return Result(tuple(ordered([*kept, *said, *_unused(known, accepted, used)])), tuple(suppressed))


def _test(document: documents.Document) -> bool:
    """Is it a chart's test, which runs when somebody asks for it, and is gone?"""
    said = fields.inner(document.metadata, "annotations").get("helm.sh/hook")
    return {each.strip() for each in str(said).split(",")} <= {"test", "test-success", "test-failure"}


def ordered(some: list[findings.Finding]) -> list[findings.Finding]:
    """Worst first, then by file and line; each once."""
    rank = findings.SEVERITIES.index
    unique = dict.fromkeys(some)
    return sorted(
        unique, key=lambda each: (rank(each.severity), each.where.file, each.where.line, each.code, each.what)
    )


def _accepted(known: facts.Facts) -> tuple[dict[tuple[str, str], str], list[findings.Finding]]:
    accepted: dict[tuple[str, str], str] = {}
    said: list[findings.Finding] = []
    for each in known.model.everything:
        text = fields.inner(each.data, "metadata", "annotations").get(ANNOTATION)
        for line in str(text).splitlines() if text else ():
            code, _, reason = (part.strip() for part in line.partition(":"))
            if reason:
                accepted[facts.title(each, known.default), code] = reason
            else:
                what = f"{facts.title(each, known.default)} accepts {code or 'nothing'} without a reason"
                path: facts.Path = ("metadata", "annotations", ANNOTATION)
                said.append(facts.finding("GP571", each, path, what, remedy=f"write `{code}: why it is right here`"))
    return accepted, said


def _unused(
    known: facts.Facts, accepted: dict[tuple[str, str], str], used: set[tuple[str, str]]
) -> Iterator[findings.Finding]:
    titles = {facts.title(each, known.default): each for each in known.model.everything}
    for subject, code in accepted.keys() - used:
        what = f"{subject} accepts {code}, which is not found there"
        path: facts.Path = ("metadata", "annotations", ANNOTATION)
        yield facts.finding("GP572", titles[subject], path, what, remedy="remove the line")
