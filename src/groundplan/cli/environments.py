"""From the words of a verb to a plan and one of its environments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from groundplan.model import environment, platform


def find(name: str | None, wanted: str) -> tuple[platform.Platform, environment.Environment]:
    """The plan that NAME means, and its cluster called `wanted`."""
    from groundplan.delivery import deploy
    from groundplan.model import findings, load, names

    plan = load.load(load.find(name, Path()))
    clusters = {env.name: env for env in plan.environments if not env.local}
    if not clusters:
        raise findings.PlanError((deploy.no_cluster(plan),))
    if wanted not in clusters:
        raise click.BadParameter(
            f"{plan.name} has no cluster {wanted}: {names.meant(wanted, clusters)}", param_hint="--environment"
        )
    return plan, clusters[wanted]
