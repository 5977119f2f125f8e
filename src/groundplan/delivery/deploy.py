"""From a platform to everything in its ``deploy/``."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping

from groundplan.delivery import argocd, kustomize, terraform
from groundplan.delivery.images import containerfile, lock
from groundplan.kubernetes import lower
from groundplan.model import findings, platform

FOLDER = "deploy"
"""Beside the plan."""


@dataclasses.dataclass(frozen=True)
class Delivery:
    """What each environment holds, and the files that say so."""

    folder: pathlib.Path
    lowered: tuple[lower.Lowered, ...]
    files: dict[str, str]


def of(plan: platform.Platform) -> Delivery:
    """Every cluster of `plan`; raises findings.PlanError with the findings of all of them."""
    digests = lock.read(plan.file.parent)
    made = lowered(plan, digests)
    files = kustomize.files(made) | argocd.files(plan, made)
    files |= containerfile.files(plan, digests) | terraform.files(plan, made)
    return Delivery(plan.file.parent / FOLDER, made, files)


def lowered(plan: platform.Platform, digests: Mapping[str, str]) -> tuple[lower.Lowered, ...]:
    """The objects of every cluster of `plan`; raises findings.PlanError as `of` does."""
    clusters = sorted((env for env in plan.environments if not env.local), key=lambda env: env.name)
    if not clusters:
        raise findings.PlanError((no_cluster(plan),))
    made: list[lower.Lowered] = []
    found: list[findings.Finding] = []
    for env in clusters:
        try:
            made.append(lower.lower(plan, env, digests))
        except findings.PlanError as error:
            found += error.findings
    if found:
        unique = dict.fromkeys(found)
        raise findings.PlanError(tuple(sorted(unique, key=lambda each: (each.where, each.code, each.what))))
    return tuple(made)


def no_cluster(plan: platform.Platform) -> findings.Finding:
    """The finding of a platform that nobody has given a cluster yet."""
    what, why = f"{plan.name} has no cluster to build for", "its only environment is the laptop"
    remedy = f'add production = plan.environment("production", host="{plan.name}.example.com", registry="…", secrets=…)'
    return findings.Finding("GP303", what, plan.origin, why, remedy)
