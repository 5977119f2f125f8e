"""Server-side apply as the documentation describes it: fields by path, who set them, conflicts, what goes when its
last owner drops it.

Written from https://kubernetes.io/docs/reference/using-api/server-side-apply/ and the list types of the API
reference (``x-kubernetes-list-map-keys``), for the kinds that platforms have.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

Tree = dict
Path = tuple

KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "conditions": ("type",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
"""Lists whose items are known by keys; those of ports depend on whose they are, all others are atomic."""


class Conflict(Exception):
    """Fields that others set to other values."""

    def __init__(self, owners: list[tuple[str, str]]) -> None:
        super().__init__(owners)
        self.owners = owners


def fields(tree: Tree) -> dict[Path, object]:
    """Every leaf that an applied object sets, by its path."""
    body = {key: value for key, value in tree.items() if key not in ("apiVersion", "kind", "status")}
    metadata = {key: body["metadata"][key] for key in ("labels", "annotations") if key in body["metadata"]}
    del body["metadata"]
    whole = {**body, **({"metadata": metadata} if metadata else {})}
    return {path: value for path, value in _leaves(whole, (), tree["kind"]) if path}


def _leaves(value: object, path: Path, kind: str) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key), kind)
    elif isinstance(value, list) and (keys := _keys(path, kind)):
        for item in value:
            place = (*path, _name(item, keys))
            yield place, item if len(item) == len(keys) else _ITEM
            yield from ((where, leaf) for where, leaf in _leaves(item, place, kind))
    else:
        yield path, value


_ITEM = object()


def _keys(path: Path, kind: str) -> tuple[str, ...]:
    if path[-1] == "ports" and kind != "NetworkPolicy":
        return ("port", "protocol") if kind == "Service" else ("containerPort", "protocol")
    return KEYS.get(path[-1], ()) if kind != "NetworkPolicy" else ()


def _name(item: Tree, keys: tuple[str, ...]) -> tuple:
    return tuple((key, item.get(key, "TCP" if key == "protocol" else None)) for key in keys)


_NOT_THERE = object()


def look(tree: object, path: Path) -> object:
    for step in path:
        if isinstance(step, tuple):
            tree = next((each for each in tree if _name(each, tuple(key for key, _ in step)) == step), _NOT_THERE)
        else:
            tree = tree.get(step, _NOT_THERE) if isinstance(tree, dict) else _NOT_THERE
        if tree is _NOT_THERE:
            return _NOT_THERE
    return tree


def _put(tree: Tree, path: Path, value: object) -> None:
    *steps, last = path
    at = tree
    for number, step in enumerate([*steps, last]):
        is_last = number == len(steps)
        if isinstance(step, tuple):
            item = look(at, (step,))
            if item is _NOT_THERE:
                item = dict(step) if value is _ITEM or not is_last else copy.deepcopy(value)
                at.append(item)
            at = item
        elif is_last and value == {}:
            at.setdefault(step, {})
        elif is_last:
            at[step] = copy.deepcopy(value)
        else:
            following = path[number + 1]
            at = at.setdefault(step, [] if isinstance(following, tuple) else {})


def _drop(tree: Tree, path: Path) -> None:
    holder = look(tree, path[:-1])
    if holder is _NOT_THERE:
        return
    step = path[-1]
    if isinstance(step, tuple):
        holder[:] = [each for each in holder if _name(each, tuple(key for key, _ in step)) != step]
    else:
        holder.pop(step, None)


def apply(
    live: Tree | None, wanted: Tree, owners: dict[str, set[Path]], manager: str, force: bool
) -> tuple[Tree, dict]:
    """The merged object and who sets what now; raises Conflict."""
    asked = fields(wanted)
    merged = (
        copy.deepcopy(live)
        if live
        else {key: wanted[key] for key in ("apiVersion", "kind")}
        | {"metadata": {key: wanted["metadata"][key] for key in ("name", "namespace") if key in wanted["metadata"]}}
    )
    after = {name: set(paths) for name, paths in owners.items() if name != manager}
    _settle(merged, asked, after, force)
    for path, value in asked.items():
        if value is not _ITEM or look(merged, path) is _NOT_THERE:
            _put(merged, path, value)
    kept = set(asked).union(*after.values()) if after else set(asked)
    for path in sorted(owners.get(manager, set()) - kept, key=len, reverse=True):
        if not any(each[: len(path)] == path for each in kept):
            _drop(merged, path)
    return merged, {**after, manager: set(asked)}


def _settle(merged: Tree, asked: dict[Path, object], others: dict[str, set[Path]], force: bool) -> None:
    found = [
        (name, path)
        for name, paths in others.items()
        for path in sorted(paths & set(asked), key=str)
        if asked[path] is not _ITEM and look(merged, path) != asked[path]
    ]
    if found and not force:
        raise Conflict([(name, words(path)) for name, path in found])
    for name, path in found:
        others[name].discard(path)


def words(path: Path) -> str:
    """``.spec.containers[name="app"].image``"""
    said = ""
    for step in path:
        said += (
            "".join(f"[{key}={json.dumps(value)}]" for key, value in step) if isinstance(step, tuple) else f".{step}"
        )
    return said


def managed(owners: dict[str, set[Path]]) -> list[Tree]:
    """``metadata.managedFields``, as deep as anybody here reads it."""
    found = []
    for name, paths in sorted(owners.items()):
        tree: Tree = {}
        for path in paths:
            at = tree
            for step in path:
                at = at.setdefault(f"k:{json.dumps(dict(step))}" if isinstance(step, tuple) else f"f:{step}", {})
        found.append({"manager": name, "operation": "Apply", "fieldsV1": tree})
    return found
