"""Is what is committed for clusters what was drawn: every environment's overlay against the plan's claims, and all that
`check` finds in anybody's manifests.

The manifests are read as they lie on disk, whoever wrote them; `groundplan.claims` says what they must keep.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from groundplan.claims import drawing as drawings
from groundplan.delivery import deploy, tree
from groundplan.model import environment, findings, origin, platform
from groundplan.proof import certificate as certificates
from groundplan.proof import claims, cluster, strangers
from groundplan.proof import findings as proof_findings
from groundplan.proof import options as proof_options
from groundplan.proof import verdict as verdicts
from groundplan.proof.compare import claimed

Finding = proof_findings.Finding
UNUSABLE = "unusable"
_WORST = (UNUSABLE, verdicts.REFUTED, verdicts.UNDECIDABLE, verdicts.PROVED)


@dataclasses.dataclass(frozen=True)
class Environment:
    """What was looked at in one environment, and what came of it."""

    name: str
    verdict: str
    findings: tuple[Finding, ...]
    examined: verdicts.Examined | None
    """None where nothing could be read."""
    claims: int
    pairs: int
    """Pairs of ends that were compared with the claims."""
    suppressed: tuple[str, ...]
    undecidable: tuple[str, ...]
    assumptions: tuple[str, ...]
    cluster: cluster.Cluster | None
    """The manifests alone."""
    drawing: drawings.Drawing


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One verdict over all environments."""

    verdict: str
    findings: tuple[Finding, ...]
    """Each once; where it is not in every environment, it says in which."""
    environments: tuple[Environment, ...]


def check(
    plan: platform.Platform,
    *,
    only: str | None = None,
    options: proof_options.Options = proof_options.DEFAULTS,
    fail_on: str = proof_findings.ERROR,
    cache: pathlib.Path | None = None,
) -> Verdict:
    """The verdict over every cluster of `plan`, or over one. Raises findings.PlanError where none can be built."""
    made = deploy.of(plan)
    chosen = [env for env in plan.environments if env.name in {each.environment for each in made.lowered}]
    found = tuple(
        _environment(plan, env, made.folder, options, fail_on, cache) for env in chosen if only in (None, env.name)
    )
    said = (*_differing(made), *_merged(found))
    worst = min((_WORST.index(each.verdict) for each in found), default=0)
    if any(each.code == "GP210" for each in said):
        worst = min(worst, _WORST.index(verdicts.REFUTED))
    return Verdict(_WORST[worst], said, found)


def overlay(folder: pathlib.Path, env: str) -> pathlib.Path:
    """Where an environment's kustomization is."""
    return folder / "overlays" / env


def _environment(
    plan: platform.Platform, env: environment.Environment, folder: pathlib.Path, options: proof_options.Options,
    fail_on: str, cache: pathlib.Path | None,
) -> Environment:  # fmt: skip
    drawing = drawings.of(plan, env)
    try:
        place = origin.shown(str(overlay(folder, env.name)))
        whole = cluster.Cluster.read(place, options=options, cache=cache)
    except proof_findings.Unusable as error:
        return Environment(env.name, UNUSABLE, error.findings, None, 0, 0, (), (), (), None, drawing)
    lints = verdicts.check(_with_charts(whole, drawing), fail_on=fail_on)
    compared = compare(whole, drawing)
    # Whoever reads the manifests alone misses the pods that are assumed here, and has accepted that.
    needless = [each for each in lints.findings if each.code == "GP572" and "GP422" in each.what]
    found = (*_told(compared, drawing), *(each for each in lints.findings if each not in needless))
    worst = min(_WORST.index(each) for each in (compared.verdict, lints.verdict))
    return Environment(
        env.name, _WORST[worst], found, verdicts.examined(whole), compared.claims, compared.pairs,
        tuple(f"{each.finding.code} {each.finding.what}: {each.reason}" for each in lints.suppressed),
        lints.undecidable, tuple(_assumptions(drawing, lints)), whole, drawing,
    )  # fmt: skip


def compare(whole: cluster.Cluster, drawing: drawings.Drawing) -> claimed.Verdict:
    """Manifests beside a drawing, with everybody there who is assumed, and whoever else a policy would let in."""
    return claimed.compare(_everybody(whole, drawing), drawing.said, drawing.closed)


def _everybody(whole: cluster.Cluster, drawing: drawings.Drawing) -> cluster.Cluster:
    known = claims.assuming(whole, drawing.assumed)
    return claims.assuming(known, strangers.of(known))


def certificate(env: Environment) -> dict[str, Any]:
    """What was proved of an environment, claims included, to be checked again; raises certificates.NoCertificate."""
    if env.cluster is None or env.verdict != verdicts.PROVED:
        raise certificates.NoCertificate(f"it is {env.verdict}")
    drawing = env.drawing
    return certificates.certificate(_everybody(env.cluster, drawing), drawing.said, drawing.closed)


def _with_charts(whole: cluster.Cluster, drawing: drawings.Drawing) -> cluster.Cluster:
    """For the lints: what policies and monitors of charts' pods select is there."""
    return claims.assuming(whole, (each for each in drawing.assumed if each.namespace in drawing.closed and each.why))


def _assumptions(drawing: drawings.Drawing, lints: verdicts.Verdict) -> Iterator[str]:
    yield from (str(each) for each in drawing.assumed if each.why)
    yield from (each for each in lints.assumptions if not each.startswith("no DNS server"))


def _told(found: claimed.Verdict, drawing: drawings.Drawing) -> Iterator[Finding]:
    for each in found.differences:
        pair = f"{each.source} → {each.destination} {each.ports}"
        declared = f"declared ({each.origin})" if each.origin else "declared"
        source = drawing.origins.get(each.source.partition("[")[0], "")
        remedies = {
            claimed.BLOCKED: ("GP204", f"{pair} is {declared} but blocked", "or remove the edge"),
            claimed.UNDECLARED: ("GP207", f"{pair} is open but not declared", _declare(each.source, source)),
            claimed.UNSERVED: ("GP208", f"{pair} is {declared} but no Service leads there", "or correct the Service"),
            claimed.UNKNOWN: ("GP209", f"{pair} is {declared} but one end is not there", "or remove the edge"),
        }
        code, what, remedy = remedies[each.kind]
        severity = proof_findings.ERROR
        if each.verdict == claimed.UNDECIDABLE:
            what, severity = f"{what}, perhaps: it is not decidable", proof_findings.NOTE
        again = f"groundplan build, if the manifests are behind the plan; {remedy}"
        yield Finding(code, what, each.where, each.why, again, severity=severity, declared=each.origin)


def _declare(source: str, where: str) -> str:
    return f"or draw the edge from {source.partition('[')[0]} ({where})" if where else "or remove the rule"


def _differing(made: deploy.Delivery) -> Iterator[Finding]:
    """Whether the folder is what `build` would write."""
    shown = origin.shown(str(made.folder))
    try:
        changes = tree.compare(made.folder, made.files)
    except tree.TreeError as error:
        yield Finding("GP210", f"{shown} is not what the plan says", proof_findings.Place(shown), str(error))
        return
    parts = (("lacks", changes.added), ("differs in", changes.changed), ("has besides", changes.removed))
    said = "; ".join(f"it {word} {_some(paths)}" for word, paths in parts if paths)
    if said:
        remedy = f"groundplan build, and commit {shown}"
        yield Finding("GP210", f"{shown} is not what the plan says", proof_findings.Place(shown), said, remedy)


def _some(paths: Iterable[str]) -> str:
    listed = list(paths)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


def _merged(some: tuple[Environment, ...]) -> Iterator[Finding]:
    """What several environments have alike is said once."""
    where: dict[Finding, list[str]] = {}
    for env in some:
        for each in env.findings:
            where.setdefault(each, []).append(env.name)
    for each, names in where.items():
        everywhere = len(names) == len(some) > 1
        yield each if everywhere else dataclasses.replace(each, what=f"{each.what} in {', '.join(names)}")


def unknown_environment(plan: platform.Platform, name: str) -> findings.PlanError:
    """The error of a name that is no cluster's."""
    known = [env.name for env in plan.environments if not env.local]
    if not known:
        return findings.PlanError((deploy.no_cluster(plan),))
    remedy = f"there are {', '.join(known)}"
    return findings.PlanError((findings.Finding("GP320", f"no cluster called {name}", plan.origin, "", remedy),))
