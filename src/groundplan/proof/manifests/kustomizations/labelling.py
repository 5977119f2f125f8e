"""`labels`, `commonLabels` and `commonAnnotations`: onto objects, the pods they make, and what selects these.

Source: kustomize's own `commonLabels` and `commonAnnotations`, the same from 4.5.4 to 5.8.1
(https://github.com/kubernetes-sigs/kustomize/tree/master/api/internal/konfig/builtinpluginconsts).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import field_kinds, items, patches, trouble, words

_PATTERN = ("spec", "template", "metadata")
_OFTEN = (("", "", "Deployment"), ("", "", "ReplicaSet"), ("", "", "DaemonSet"))
_MAKING = tuple(
    (field_kinds.Kind(*kind), path)
    for kind, path in (
        *((kind, _PATTERN) for kind in (("", "v1", "ReplicationController"), *_OFTEN, ("batch", "", "Job"))),
        (("batch", "", "CronJob"), ("spec", "jobTemplate", "metadata")),
        (("batch", "", "CronJob"), ("spec", "jobTemplate", *_PATTERN)),
    )
)
_STATEFUL = field_kinds.Kind("apps", "", "StatefulSet")
LABELLED = (*_MAKING, (_STATEFUL, _PATTERN), (_STATEFUL, ("spec", "volumeClaimTemplates", "metadata")))
ANNOTATED = (*_MAKING, (field_kinds.Kind("", "", "StatefulSet"), _PATTERN))
"""Where the pods of an object, and its claims, have their metadata."""
_SELECTOR = ("spec", "selector", "matchLabels")
SELECTING = tuple(
    (field_kinds.Kind(*kind), path)
    for kind, path in (
        *((kind, _SELECTOR) for kind in (*_OFTEN, ("apps", "", "StatefulSet"))),
        *((kind, _SELECTOR[:-1]) for kind in (("", "v1", "ReplicationController"), ("", "v1", "Service"))),
    )
)
"""Selectors that are made where there are none."""
_POD = ("podSelector", "matchLabels")
_TERM = ("labelSelector", "matchLabels")
_LATER = "DuringSchedulingIgnoredDuringExecution"
_SPREAD = tuple(
    ("spec", "template", "spec", *path)
    for side in ("podAffinity", "podAntiAffinity")
    for path in (
        ("affinity", side, f"preferred{_LATER}", "podAffinityTerm", *_TERM),
        ("affinity", side, f"required{_LATER}", *_TERM),
        ("topologySpreadConstraints", *_TERM),
    )
)
SOMETIMES = tuple(
    (field_kinds.Kind(group, "", kind), path)
    for group, kind, path in (
        ("batch", "Job", _SELECTOR),
        ("batch", "CronJob", ("spec", "jobTemplate", *_SELECTOR)),
        ("policy", "PodDisruptionBudget", _SELECTOR),
        ("networking.k8s.io", "NetworkPolicy", ("spec", *_POD)),
        ("networking.k8s.io", "NetworkPolicy", ("spec", "ingress", "from", *_POD)),
        ("networking.k8s.io", "NetworkPolicy", ("spec", "egress", "to", *_POD)),
        *(("apps", kind, path) for kind in ("Deployment", "StatefulSet") for path in dict.fromkeys(_SPREAD)),
    )
)
"""Selectors that are added to where they are."""
_KNOWN = frozenset({"pairs", "includeSelectors", "includeTemplates"})


def apply(some: list[items.Item], fields: dict[str, Any], spot: documents.Spot) -> None:
    """All labels and annotations that a kustomization adds."""
    given: list[str] = []
    for number, each in enumerate(patches.listed(fields.get("labels"), spot.below("labels"))):
        here = spot.below("labels", number)
        if not isinstance(each, dict) or not each.keys() <= _KNOWN:
            raise trouble.Beyond(f"labels by more than {', '.join(sorted(_KNOWN))}", here)
        selectors, templates = (each.get(name) is True for name in ("includeSelectors", "includeTemplates"))
        given += _label(some, each.get("pairs"), here.below("pairs"), selectors, selectors or templates)
    given += _label(some, fields.get("commonLabels"), spot.below("commonLabels"), True, True)
    if len(set(given)) != len(given):
        raise trouble.Beyond("one label by two fields", spot.below("labels"))
    here = spot.below("commonAnnotations")
    for key, value in words.pairs(fields.get("commonAnnotations"), here):
        for item in some:
            for kind, path in ((None, ("metadata",)), *ANNOTATED):
                _put(item, kind, (*path, "annotations"), key, value, here)


def _label(some: list[items.Item], pairs: Any, spot: documents.Spot, selectors: bool, templates: bool) -> list[str]:
    said = words.pairs(pairs, spot)
    for key, value in said:
        for item in some:
            _put(item, None, ("metadata", "labels"), key, value, spot)
            for kind, path in LABELLED if templates else ():
                _put(item, kind, (*path, "labels"), key, value, spot)
            for kind, path in SELECTING if selectors else ():
                _put(item, kind, path, key, value, spot)
            for kind, path in SOMETIMES if selectors else ():
                _put(item, kind, path, key, value, spot, create=False)
    return [key for key, _ in said]


def _put(
    item: items.Item, kind: field_kinds.Kind | None, path: items.Path, key: str, value: str, spot: documents.Spot,
    *, create: bool = True,
) -> None:  # fmt: skip
    if kind is None or kind.covers(item.group, item.version, item.kind):
        for place in list(_places(item, (), path, create)):
            make(item, place, spot)
            item.put((*place, key), value, spot.below(key))


def _places(item: items.Item, path: items.Path, rest: items.Path, create: bool) -> Iterator[items.Path]:
    there = item.get(path)
    if isinstance(there, list):
        for number in range(len(there)):
            yield from _places(item, (*path, number), rest, create)
    elif not rest:
        if create or isinstance(there, dict):
            yield path
    elif (isinstance(there, dict) or create) and not _claimless(item, (*path, rest[0])):
        yield from _places(item, (*path, rest[0]), rest[1:], create)


def _claimless(item: items.Item, path: items.Path) -> bool:
    # No list is made where there is none.
    return path[-1] == "volumeClaimTemplates" and item.get(path) is items.MISSING


def make(item: items.Item, place: items.Path, spot: documents.Spot) -> None:
    """Mappings all the way to a place."""
    for length in range(1, len(place) + 1):
        there = item.get(place[:length])
        if there is items.MISSING:
            item.put(place[:length], {}, spot)
        elif there is None or not isinstance(there, dict | list):
            raise trouble.Beyond(f"{item.title} has no mapping at {'.'.join(map(str, place[:length]))}", spot)
