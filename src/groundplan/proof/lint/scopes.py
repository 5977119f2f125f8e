"""Scopes of quotas: which pods and claims one counts, and which scopes the API server refuses.

Sources: Kubernetes documentation, "Resource Quotas" (quota scopes); API reference, ScopedResourceSelectorRequirement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from groundplan.proof import fields
from groundplan.proof.lint import amounts, facts
from groundplan.proof.manifests import documents
from groundplan.proof.model import selectors

PRIORITY, ATTRIBUTES = "PriorityClass", "VolumeAttributesClass"
_CLASH = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_PODS = ("pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
_TRACKED: dict[str, tuple[str, ...]] = {
    "BestEffort": ("pods",), "NotBestEffort": _PODS, "Terminating": _PODS, "NotTerminating": _PODS,
    PRIORITY: _PODS, "CrossNamespacePodAffinity": _PODS, ATTRIBUTES: ("persistentvolumeclaims", "requests.storage"),
}  # fmt: skip
"""Every scope, and what a quota that has it may count."""
STANDARD = frozenset({
    *_PODS, "requests.storage", "ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage",
    "persistentvolumeclaims", "services", "services.nodeports", "services.loadbalancers", "replicationcontrollers",
    "resourcequotas", "secrets", "configmaps",
})  # fmt: skip
"""What the API server knows by name; it asks of nothing else whether a scope fits it."""


class Scope(msgspec.Struct, frozen=True):
    """One requirement: a word alone is `Exists`."""

    name: str
    operator: str
    values: tuple[str, ...]
    path: facts.Path


def of(quota: documents.Document) -> list[Scope]:
    """All that an object must meet to be counted."""
    spec = fields.inner(quota.data, "spec")
    words = enumerate(fields.words(spec.get("scopes")))
    plain = [Scope(name, "Exists", (), ("spec", "scopes", number)) for number, name in words]
    chosen = fields.items(fields.inner(spec, "scopeSelector").get("matchExpressions"))
    return plain + [
        Scope(
            str(each.get("scopeName")), str(each.get("operator")), tuple(sorted(fields.words(each.get("values")))),
            ("spec", "scopeSelector", "matchExpressions", number),
        )
        for number, each in enumerate(chosen)
    ]  # fmt: skip


def wrong(some: list[Scope], hard: dict[str, Any]) -> Iterator[tuple[facts.Path, str]]:
    """What the API server refuses: where, and why."""
    names = {each.name for each in some}
    for each in some:
        if each.name not in _TRACKED:
            yield each.path, f"{each.name} is none of {', '.join(_TRACKED)}"
            continue
        if each.operator != "Exists" and each.name not in (PRIORITY, ATTRIBUTES):
            yield each.path, f"{each.name} takes the operator Exists alone"
        elif (each.operator in ("In", "NotIn")) != bool(each.values):
            yield each.path, f"operator {each.operator} does not fit its values"
        unfit = sorted(name for name in hard if name in STANDARD and name not in _TRACKED[each.name])
        if unfit:
            yield each.path, f"a quota of scope {each.name} counts no {', '.join(unfit)}"
    for one, other in _CLASH:
        if {one, other} <= names:
            yield some[0].path[:2], f"{one} and {other} exclude each other"


def pod(known: facts.Facts, each: facts.Pod, some: list[Scope], filled: amounts.Limits) -> bool:
    """Is a pod counted?"""
    return all(_meets(known, each, scope, filled) for scope in some)


def _meets(known: facts.Facts, each: facts.Pod, scope: Scope, filled: amounts.Limits) -> bool:
    if scope.name == PRIORITY:
        return named(scope, str(each.spec.get("priorityClassName") or _usual(known)))
    if scope.name in ("BestEffort", "NotBestEffort"):
        return amounts.best_effort(each.spec, filled) == (scope.name == "BestEffort")
    ask = _ASKED.get(scope.name)
    return ask is not None and ask(each.spec)


def named(scope: Scope, name: str) -> bool:
    """Does the name of a class, or none, meet a requirement?"""
    labels = {scope.name: name} if name else {}
    return selectors.matches((selectors.Term(scope.name, scope.operator, scope.values),), labels) is True


def _usual(known: facts.Facts) -> str:
    """The class of a pod that names none."""
    return next((each.name for each in known.of(PRIORITY) if each.data.get("globalDefault") is True), "")


def _ends(spec: dict[str, Any]) -> bool:
    # The pod's own deadline: a Job's counts for the Job.
    return isinstance(spec.get("activeDeadlineSeconds"), int)


def _affine_elsewhere(spec: dict[str, Any]) -> bool:
    terms = []
    for kind in ("podAffinity", "podAntiAffinity"):
        said = fields.inner(spec, "affinity", kind)
        terms += fields.items(said.get("requiredDuringSchedulingIgnoredDuringExecution"))
        preferred = fields.items(said.get("preferredDuringSchedulingIgnoredDuringExecution"))
        terms += [fields.inner(each, "podAffinityTerm") for each in preferred]
    return any(each.get("namespaces") or each.get("namespaceSelector") is not None for each in terms)


_ASKED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "Terminating": _ends,
    "NotTerminating": lambda spec: not _ends(spec),
    "CrossNamespacePodAffinity": _affine_elsewhere,
}


def claim(spec: dict[str, Any], some: list[Scope]) -> bool:
    """Is a claim counted?"""
    name = str(spec.get("volumeAttributesClassName") or "")
    return all(each.name == ATTRIBUTES and named(each, name) for each in some)
