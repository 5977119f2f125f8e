"""What Argo CD must be told, and what approval means: a revision that moves only when somebody approves."""

from __future__ import annotations

from groundplan.kubernetes import settings
from groundplan.kubernetes.feasibility import finding
from groundplan.model import environment, findings, names, platform

_WORDS = ("sync", "revision", "cluster")


def check(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    said = [word for word in _WORDS if word in env.defaults]
    if said and plan.synced is None:
        what, why = f"environment {env.name} says {' and '.join(said)}", "the plan says no repository to sync from"
        remedy = 'add plan.gitops("https://git.example.com/team/shop.git", folder="deploy")'
        yield findings.Finding("GP303", what, env.origin, why, remedy)
    sync = settings.sync(env)
    if sync not in settings.SYNCS:
        remedy = names.meant(sync, settings.SYNCS)
        yield findings.Finding("GP105", f"environment {env.name}: sync={sync!r}", env.origin, "", remedy)
    if sync == settings.APPROVED:
        yield from _approved(plan, env)


def _approved(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    """Approval is the merge into its revision: whoever shares that revision would be approved by accident."""
    own = settings.revision(env)
    others = [each.name for each in plan.environments if each is not env and settings.revision(each) == own]
    if "revision" in env.defaults and not others:
        return
    why = f"{', '.join(others)} follows {own} too" if others else f"{own} moves with every commit"
    remedy = f'protect a branch, and say revision="{env.name}"'
    what = f"environment {env.name} is to be approved, but says no revision of its own"
    yield findings.Finding("GP303", what, env.origin, why, remedy)
