"""Strategic merge patches, as kustomize applies them: mappings field by field, some lists item by item, the rest whole.

What it also does to fields that no patch names is minded too: it looks through all of the object.
Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import items, merge_keys, trouble, versions

_PATCH = "$patch"
Key = tuple[tuple[type, Any], ...]


def deletes(patch: dict[str, Any]) -> bool:
    """Whether it is a patch that takes the whole object away."""
    return patch.get(_PATCH) == "delete"


def apply(item: items.Item, patch: dict[str, Any], spot: documents.Spot, reading: versions.Reading) -> None:
    """Merges a patch, found at `spot`, into an object; what the object is called stays."""
    body = {key: value for key, value in patch.items() if key not in ("apiVersion", "kind")}
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict) or _PATCH in metadata:
        raise trouble.Beyond("a merge that leaves an object without its name", spot.below("metadata"))
    if metadata:
        body["metadata"] = {key: value for key, value in metadata.items() if key not in ("name", "namespace")}
    _words(item, body, spot)
    _tidy(item, spot, reading)
    _mapping(item, (), body, spot)


def _words(item: items.Item, body: dict[str, Any], spot: documents.Spot) -> None:
    # Labels and annotations go through a reader of their own, which makes words of whatever is none.
    metadata = body.get("metadata", {})
    for field in ("labels", "annotations"):
        said, there = metadata.get(field, items.MISSING), item.get(("metadata", field))
        if said is not items.MISSING and (not isinstance(said, dict) or not said or there is None):
            raise trouble.Beyond(f"{field} in a merge that are no words", spot.below("metadata", field))
        for key, value in said.items() if isinstance(said, dict) else ():
            new = not isinstance(there, dict) or key not in there
            if not isinstance(value, str) and (value is not None or new):
                raise trouble.Beyond(f"a merge of {value} for {key} among the {field}", spot.below("metadata", field))


def _tidy(item: items.Item, spot: documents.Spot, reading: versions.Reading) -> None:
    for path, value in list(_walked(item, (), item.data)):
        if isinstance(value, list):
            _told_apart(item, path, value, spot)
        elif not reading.newer(f"a null in {item.title}, which is merged with a patch", item.spot(path) or spot):
            item.remove(path)


def _walked(item: items.Item, path: items.Path, tree: Any) -> Iterator[tuple[items.Path, Any]]:
    """The nulls, and the lists that are merged by item, wherever kustomize passes."""
    if tree is None:
        yield path, tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _walked(item, (*path, key), value)
    elif isinstance(tree, list) and _keys(item, path) is not None:
        yield path, tree
        for number, each in enumerate(tree):
            yield from _walked(item, (*path, number), each)


def _keys(item: items.Item, path: items.Path) -> merge_keys.Keys | None:
    return merge_keys.of(str(item.document.data["apiVersion"]), item.kind, path)


def _told_apart(item: items.Item, path: items.Path, some: list[Any], spot: documents.Spot) -> list[Key]:
    """What tells the items of a list apart, of each."""
    names = _keys(item, path)
    where = ".".join(map(str, path))
    if names == merge_keys.UNKNOWN:
        raise trouble.Beyond(f"a merge with {item.title}, which has the list {where}", spot)
    found = []
    for each in some:
        said = [each.get(name) for name in names or ()] if isinstance(each, dict) else [None]
        if said[0] is None or not all(isinstance(word, str | int | None) for word in said):
            raise trouble.Beyond(f"an item of {where} in {item.title} without its {(names or ('',))[0]}", spot)
        found.append(tuple((type(word), word) for word in said))
    if len(set(found)) != len(found):
        raise trouble.Beyond(f"items of {where} in {item.title} that nothing tells apart", spot)
    return found


def _mapping(item: items.Item, path: items.Path, patch: dict[str, Any], spot: documents.Spot) -> None:
    for key, value in patch.items():
        if key.startswith("$"):
            raise trouble.Beyond(f"the directive {key}", spot.below(key))
        _field(item, (*path, key), value, spot.below(key))


def _field(item: items.Item, path: items.Path, value: Any, spot: documents.Spot) -> None:
    there = item.get(path)
    directive = value.get(_PATCH) if isinstance(value, dict) else None
    if directive and not isinstance(there, dict) and there is not items.MISSING and there is not None:
        raise trouble.Beyond(f"the directive {_PATCH} where there is no mapping", spot)
    if value is None or directive == "delete":
        if there is not items.MISSING:
            item.remove(path)
    elif there is items.MISSING or there is None or directive == "replace":
        rest = _but(value, _PATCH) if directive == "replace" else value
        item.put(path, _added(item, path, rest, spot), spot)
    elif isinstance(value, dict) and isinstance(there, dict):
        _mapping(item, path, value, spot)
    elif isinstance(value, list) and isinstance(there, list):
        _list(item, path, value, spot)
    elif isinstance(value, dict | list) or isinstance(there, dict | list):
        raise trouble.Beyond("a patch of another kind of value than is there", spot)
    elif isinstance(there, str) and not isinstance(value, str):
        # Quotes around the old value stay, and make text of the new one.
        raise trouble.Beyond("a patch of a text with something else", spot)
    else:
        item.put(path, value, spot)


def _added(item: items.Item, path: items.Path, value: Any, spot: documents.Spot) -> Any:
    """A value where there was none: nulls say nothing, except in lists that nobody looks into."""
    if isinstance(value, dict):
        for key in value:
            if key.startswith("$"):
                raise trouble.Beyond(f"the directive {key}", spot.below(key))
        said = {key: each for key, each in value.items() if each is not None}
        return {key: _added(item, (*path, key), each, spot.below(key)) for key, each in said.items()}
    if isinstance(value, list):
        if _keys(item, path) is None:
            return _whole(value, spot)
        _told_apart(item, path, value, spot)
        return [_added(item, (*path, number), each, spot.below(number)) for number, each in enumerate(value)]
    return value


def _whole(value: list[Any], spot: documents.Spot) -> list[Any]:
    for number, each in enumerate(value):
        if isinstance(each, dict) and any(key.startswith("$") for key in each):
            raise trouble.Beyond("a directive in a list that is replaced", spot.below(number))
    return value


def _list(item: items.Item, path: items.Path, value: list[Any], spot: documents.Spot) -> None:
    if _keys(item, path) is None:
        item.put(path, _whole(value, spot), spot)
    elif {_PATCH: "replace"} in value:
        rest = [each for each in value if each != {_PATCH: "replace"}]
        item.put(path, _added(item, path, rest, spot), spot)
    else:
        _by_key(item, path, value, spot)


def _by_key(item: items.Item, path: items.Path, value: list[Any], spot: documents.Spot) -> None:
    there, wanted = (_told_apart(item, path, each, spot) for each in (item.get(path), value))
    if len({tuple(kind for kind, _ in key) for key in (*there, *wanted)}) > 1:
        raise trouble.Beyond(f"items of {path[-1]} that are told apart by different fields", spot)
    # What is patched comes first, in the patch's order; what is not stays behind it.
    first = [key for key in wanted if key in there]
    item.reorder(path, [there.index(key) for key in (*first, *(key for key in there if key not in wanted))])
    at = 0
    for number, each in enumerate(value):
        here = spot.below(number)
        if wanted[number] not in there:
            if each.get(_PATCH) != "delete":
                item.insert((*path, at), _added(item, (*path, at), each, here), here)
                at += 1
        elif each.get(_PATCH) == "delete":
            item.remove((*path, at))
        else:
            _one(item, (*path, at), each, here)
            at += 1


def _one(item: items.Item, path: items.Path, value: dict[str, Any], spot: documents.Spot) -> None:
    # Where an item is to be replaced, kustomize leaves the old one as it is: `_mapping` refuses that directive.
    names = _keys(item, path[:-1]) or ()
    _mapping(item, path, {name: each for name, each in value.items() if name not in names}, spot)


def _but(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name != key}
