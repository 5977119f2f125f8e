"""Sizes of volumes and of requests, and where the entry leads through."""

from __future__ import annotations

from groundplan.kubernetes import settings
from groundplan.kubernetes.feasibility import finding
from groundplan.model import environment, findings, platform
from groundplan.shapes import quantities, workloads

_ODD = (1, 3, 5, 7)


def check(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    for each in plan.resources:
        if "storage" not in each.settings():
            continue
        said = settings.storage(env, each, str(vars(each).get("storage", settings.EPHEMERAL)))
        if said != settings.EPHEMERAL and not is_quantity(said):
            what = f"{env.name}: storage of {each.name}"
            why = f"{said!r} is neither a size nor {settings.EPHEMERAL!r}"
            yield findings.Finding("GP105", what, finding.line(each, "storage", env), why, 'write storage="5Gi"')
    yield from _replicas(plan, env)
    for entry in plan.entries:
        if not is_quantity(entry.body):
            yield findings.Finding("GP105", f"the entry's body={entry.body!r}", entry.origin, "", 'write body="10Mi"')
        if entry.controller.namespace is None:
            what = f"{entry.controller.name} is in no namespace"
            yield findings.Finding("GP103", what, entry.origin, "the entry leads through it", "namespace.add(…)")


def _replicas(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    """Of engines: one, or as many as can outvote whoever is lost."""
    for each in plan.resources:
        if "replicas" not in each.settings():
            continue
        found = env.own(each, "replicas")
        said = found.value if found else vars(each).get("replicas")
        answer = each.objects(env, plan.edges_to(each)) if said != 1 else None
        what, where = f"{env.name}: {said!r} replicas of {each.name}", found.origin if found else each.origin
        if isinstance(answer, workloads.Stateful) and answer.peers is None:
            why = "alone with its data, it cannot be more than one"
            yield findings.Finding("GP105", what, where, why, "replicas=1, or a way to keep its data that has replicas")
        elif said not in _ODD:
            why = "they decide by more than half: of an even number no more may be lost than of one less"
            yield findings.Finding("GP105", what, where, why, "replicas=1, 3, 5 or 7")


def is_quantity(text: str) -> bool:
    """Whether `text` is a size above zero."""
    try:
        return quantities.parse(text) > 0
    except ValueError:
        return False
