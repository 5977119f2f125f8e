"""Findings that one set of manifests has and another has not."""

from __future__ import annotations

import msgspec

from groundplan.proof import cluster, findings
from groundplan.proof.lint import run


class Findings(msgspec.Struct, frozen=True):
    """What is newly wrong, and what no longer is."""

    added: tuple[findings.Finding, ...]
    fixed: tuple[findings.Finding, ...]


def findings_of(old: cluster.Cluster, new: cluster.Cluster) -> Findings:
    """Told apart by code, object and words, since lines move."""
    before, after = ({_mark(each): each for each in _all(one)} for one in (old, new))
    added = [after[mark] for mark in after.keys() - before.keys()]
    fixed = [before[mark] for mark in before.keys() - after.keys()]
    return Findings(tuple(run.ordered(added)), tuple(run.ordered(fixed)))


def _all(one: cluster.Cluster) -> tuple[findings.Finding, ...]:
    return (*one.said, *run.run(one).findings)


def _mark(found: findings.Finding) -> tuple[str, str, str]:
    return found.code, found.subject, found.what
