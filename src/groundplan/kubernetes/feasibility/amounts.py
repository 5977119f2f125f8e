"""Sizes of volumes and of requests, and where the entry leads through."""

from __future__ import annotations

from groundplan.kubernetes import settings
from groundplan.kubernetes.feasibility import finding
from groundplan.model import environment, findings, platform
from groundplan.shapes import quantities


def check(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    for each in plan.resources:
        if "storage" not in each.settings():
            continue
        said = settings.storage(env, each, str(vars(each).get("storage", settings.EPHEMERAL)))
        if said != settings.EPHEMERAL and not is_quantity(said):
            what = f"{env.name}: storage of {each.name}"
            why = f"{said!r} is neither a size nor {settings.EPHEMERAL!r}"
            yield findings.Finding("GP105", what, finding.line(each, "storage", env), why, 'write storage="5Gi"')
    for entry in plan.entries:
        if not is_quantity(entry.body):
            yield findings.Finding("GP105", f"the entry's body={entry.body!r}", entry.origin, "", 'write body="10Mi"')
        if entry.controller.namespace is None:
            what = f"{entry.controller.name} is in no namespace"
            yield findings.Finding("GP103", what, entry.origin, "the entry leads through it", "namespace.add(…)")


def is_quantity(text: str) -> bool:
    """Whether `text` is a size above zero."""
    try:
        return quantities.parse(text) > 0
    except ValueError:
        return False
