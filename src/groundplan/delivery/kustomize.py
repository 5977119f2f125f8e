"""Kustomize: a base of what all environments have alike, and an overlay for what each has of its own.

Nobody writes an overlay: an object that every environment has stands in the base as far as it is equal,
and each overlay adds the rest by JSON Patch (RFC 6902), whose lists kustomize 4.5 and 5.x both leave in
their order; other objects stand whole in the overlays. So building an overlay gives what was lowered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from groundplan.delivery import yamls
from groundplan.kubernetes import lower
from groundplan.shapes import objects

_HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_MISSING: Any = object()

Ops = list[dict[str, Any]]


def files(lowered: Sequence[lower.Lowered]) -> dict[str, str]:
    """Every file by its path below the folder, ``base/gateway/api-gateway.yaml``."""
    by_key = [{made.key: made for made in each.objects} for each in lowered]
    shared = [key for key in by_key[0] if all(key in each for each in by_key)]
    bases = {key: common([each[key].tree for each in by_key]) for key in shared}
    found = _resources("base", [(bases[key], key) for key in shared])
    found["base/kustomization.yaml"] = _kustomization(found, "base")
    for each, known in zip(lowered, by_key, strict=True):
        found |= _overlay(f"overlays/{each.environment}", known, bases)
    return {path: found[path] for path in sorted(found)}


def _overlay(
    folder: str, known: Mapping[objects.Key, objects.Object], bases: Mapping[objects.Key, objects.Tree]
) -> dict[str, str]:
    found = _resources(folder, [(made.tree, key) for key, made in known.items() if key not in bases])
    resources = ["../../base", *(path.removeprefix(f"{folder}/") for path in sorted(found))]
    patches = []
    for key, base in bases.items():
        ops = list(additions(base, known[key].tree, ""))
        if ops:
            path = f"patches/{_stem(key)}.yaml"
            found[f"{folder}/{path}"] = yamls.document(ops)
            patches.append({"path": path, "target": _target(known[key])})
    body = {**_HEAD, "resources": resources, **({"patches": patches} if patches else {})}
    found[f"{folder}/kustomization.yaml"] = yamls.document(body)
    return found


def _resources(folder: str, trees: Sequence[tuple[objects.Tree, objects.Key]]) -> dict[str, str]:
    """A file for each component of each namespace, with all its objects."""
    found: dict[str, list[str]] = {}
    for tree, key in trees:
        component = tree["metadata"].get("labels", {}).get("app.kubernetes.io/name", key.name)
        path = f"{folder}/{key.namespace}/{component}.yaml" if key.namespace else f"{folder}/cluster.yaml"
        found.setdefault(path, []).append(yamls.document(tree))
    return {path: "---\n".join(texts) for path, texts in found.items()}


def _kustomization(found: Mapping[str, str], folder: str) -> str:
    return yamls.document({**_HEAD, "resources": [path.removeprefix(f"{folder}/") for path in sorted(found)]})


def _stem(key: objects.Key) -> str:
    return ".".join(part for part in (key.namespace, key.name, key.kind.lower()) if part)


def _target(made: objects.Object) -> dict[str, str]:
    """Whom a patch is for; kustomize reads the values as regular expressions."""
    key = made.key
    said = {"group": key.group, "version": made.version, "kind": key.kind}
    named = {"namespace": re.escape(key.namespace).replace("\\-", "-"), "name": re.escape(key.name).replace("\\-", "-")}
    return {name: value for name, value in (said | named).items() if value}


def common(trees: Sequence[Any]) -> Any:
    """What `trees` have alike; `_MISSING` where that is nothing at all."""
    first = trees[0]
    if all(tree == first for tree in trees[1:]):
        return first
    if all(isinstance(tree, dict) for tree in trees):
        shared = {key: common([tree[key] for tree in trees]) for key in first if all(key in tree for tree in trees)}
        return {key: value for key, value in shared.items() if value is not _MISSING}
    if all(isinstance(tree, list) and len(tree) == len(first) for tree in trees):
        items = [common(items) for items in zip(*trees, strict=True)]
        # Items are matched by place; two of other names have nothing to do with each other.
        return _MISSING if any(_is_torn(item, first[number]) for number, item in enumerate(items)) else items
    return _MISSING


def _is_torn(item: Any, whole: Any) -> bool:
    return item is _MISSING or (isinstance(whole, dict) and "name" in whole and "name" not in item)


def additions(base: Any, whole: Any, path: str) -> Iterator[dict[str, Any]]:
    """The operations that make `whole` of `base`, which is a part of it: they only ever add."""
    if base == whole:
        return
    if isinstance(base, dict):
        for key, value in whole.items():
            place = f"{path}/{_pointer(key)}"
            if key not in base:
                yield {"op": "add", "path": place, "value": value}
            else:
                yield from additions(base[key], value, place)
    else:
        for number, (item, value) in enumerate(zip(base, whole, strict=True)):
            yield from additions(item, value, f"{path}/{number}")


def _pointer(key: str) -> str:
    """A step of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
