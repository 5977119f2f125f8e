"""Strategic merge patches, as far as they need no schema: mappings, and the lists of pods that are known by a key.

Every other list that both sides have is left to kustomize, which knows the schemas of all kinds.
Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

from typing import Any

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import items, trouble

_KEYS = {"containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath"}
"""Lists of a pod whose items are merged one by one, and what tells them apart."""
_WHOLE = {
    ("networking.k8s.io", "NetworkPolicy"): {("spec", name) for name in ("ingress", "egress", "policyTypes")},
}  # fmt: skip
"""Lists that a patch replaces as they are."""
_POD_WHOLE = ("args", "command", "tolerations", "envFrom")
_PODS = {
    "Pod": ("spec",), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
}  # fmt: skip


def deletes(patch: dict[str, Any]) -> bool:
    """Whether it is a patch that takes the whole object away."""
    return patch.get("$patch") == "delete"


def apply(item: items.Item, patch: dict[str, Any], spot: documents.Spot) -> None:
    """Merges a patch, found at `spot`, into an object; what the object is called stays."""
    body = {key: value for key, value in patch.items() if key not in ("apiVersion", "kind")}
    if isinstance(body.get("metadata"), dict):
        body["metadata"] = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace")}
        if not body["metadata"]:
            del body["metadata"]
    _mapping(item, (), body, spot)


def _mapping(item: items.Item, path: items.Path, patch: dict[str, Any], spot: documents.Spot) -> None:
    for key, value in patch.items():
        if key.startswith("$"):
            raise trouble.Beyond(f"the directive {key}", spot.below(key))
        _field(item, (*path, key), value, spot.below(key))


def _field(item: items.Item, path: items.Path, value: Any, spot: documents.Spot) -> None:
    there = item.get(path)
    if value is None:
        if there is items.MISSING:
            raise trouble.Beyond("null for a field that is not there", spot)
        item.remove(path)
    elif there is items.MISSING or there is None:
        _plain(value, spot)
        item.put(path, value, spot)
    elif isinstance(value, dict) and isinstance(there, dict):
        if not value or not there:
            raise trouble.Beyond("an empty mapping in a merge", spot)
        _mapping(item, path, value, spot)
    elif isinstance(value, list) and isinstance(there, list):
        _list(item, path, value, spot)
    elif isinstance(value, dict | list) or isinstance(there, dict | list):
        raise trouble.Beyond("a patch of another kind of value than is there", spot)
    else:
        item.put(path, value, spot)


def _plain(value: Any, spot: documents.Spot) -> None:
    """Raises for what means more than itself when it is added: nulls, directives, empty values."""
    if value is None or value in ({}, []):
        raise trouble.Beyond("an empty value in a merge", spot)
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        if isinstance(key, str) and key.startswith("$"):
            raise trouble.Beyond(f"the directive {key}", spot.below(key))
        _plain(each, spot.below(key))


def _list(item: items.Item, path: items.Path, value: list[Any], spot: documents.Spot) -> None:
    pod = _PODS.get(item.kind)
    inside = pod is not None and path[: len(pod)] == pod
    if path in _WHOLE.get((item.group, item.kind), ()) or (inside and path[-1] in _POD_WHOLE):
        _plain(value, spot)
        item.put(path, value, spot)
    elif inside and path[-1] in _KEYS:
        _by_key(item, path, value, _KEYS[str(path[-1])], spot)
    else:
        raise trouble.Beyond(f"a merge of the list {'.'.join(map(str, path))}", spot)


def _by_key(item: items.Item, path: items.Path, value: list[Any], key: str, spot: documents.Spot) -> None:
    there = item.get(path)
    names = [each.get(key) if isinstance(each, dict) else None for each in there]
    wanted = [each.get(key) if isinstance(each, dict) else None for each in value]
    if None in (*names, *wanted) or len({*names}) != len(names) or len({*wanted}) != len(wanted):
        raise trouble.Beyond(f"items of {path[-1]} without {key}, or with the same", spot)
    # What is patched comes first, in the patch's order; what is not stays behind it.
    rest = [name for name in names if name not in wanted]
    item.reorder(path, [names.index(name) for name in (*(each for each in wanted if each in names), *rest)])
    for number, each in enumerate(value):
        if each[key] in names:
            _mapping(item, (*path, number), _but(each, key), spot.below(number))
        else:
            _plain(each, spot.below(number))
            item.insert((*path, number), each, spot.below(number))


def _but(each: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in each.items() if name != key}
