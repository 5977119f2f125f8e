"""JSON Patch (RFC 6902), with file and line of whatever it puts into place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import items, trouble

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_MEMBERS = {
    "add": {"op", "path", "value"}, "replace": {"op", "path", "value"}, "test": {"op", "path", "value"},
    "remove": {"op", "path"}, "copy": {"op", "path", "from"}, "move": {"op", "path", "from"},
}  # fmt: skip
_FIXED = (("apiVersion",), ("kind",), ("metadata",))
_NAMES = (("metadata", "name"), ("metadata", "namespace"))


def apply(item: items.Item, patch: list[Any], spot: documents.Spot) -> None:
    """Applies every operation, in order; `spot` is where the list of them is."""
    for number, each in enumerate(patch):
        here = spot.below(number)
        if not isinstance(each, dict) or each.keys() != _MEMBERS.get(str(each.get("op"))):
            raise trouble.Beyond("an operation that RFC 6902 does not know", here)
        _one(item, each, here)
        _named(item, here)


def _one(item: items.Item, said: Mapping[str, Any], here: documents.Spot) -> None:
    path = _path(item, said["path"], here.below("path"), new=said["op"] in ("add", "copy", "move"))
    match said["op"]:
        case "add":
            _add(item, path, said["value"], here.below("value"))
        case "remove":
            if item.get(path) is items.MISSING:
                raise trouble.Wrong(f"{item.title} has no {said['path']}", here)
            item.remove(path)
        case "replace":
            item.put(_existing(item, path, here), said["value"], here.below("value"))
        case "test":
            if item.get(path) != said["value"] or type(item.get(path)) is not type(said["value"]):
                raise trouble.Wrong(f"the test of {said['path']} does not hold on {item.title}", here)
        case "copy" | "move":
            _carry(item, path, said, here)


def _carry(item: items.Item, path: items.Path, said: Mapping[str, Any], here: documents.Spot) -> None:
    origin = _existing(item, _path(item, said["from"], here.below("from"), new=False), here)
    value = items.copied(item.get(origin))
    if said["op"] == "move":
        item.remove(origin)
        path = _path(item, said["path"], here.below("path"), new=True)
    _add(item, path, value, here)


def _named(item: items.Item, here: documents.Spot) -> None:
    name, space = (item.get(path) for path in _NAMES)
    if not isinstance(name, str) or not name or not (isinstance(space, str) or space is items.MISSING):
        raise trouble.Beyond(f"a {item.kind} that is left without a name", here)


def _add(item: items.Item, path: items.Path, value: Any, spot: documents.Spot) -> None:
    if isinstance(path[-1], int):
        item.insert(path, value, spot)
    else:
        item.put(path, value, spot)


def _existing(item: items.Item, path: items.Path, here: documents.Spot) -> items.Path:
    if item.get(path) is items.MISSING:
        raise trouble.Beyond(f"{item.title} has no /{'/'.join(map(str, path))}", here)
    return path


def _path(item: items.Item, pointer: Any, spot: documents.Spot, *, new: bool) -> items.Path:
    """A JSON Pointer (RFC 6901) as steps into the object; all but the last must exist."""
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise trouble.Beyond(f"{pointer!r} is no path into an object", spot)
    found: items.Path = ()
    words = [word.replace("~1", "/").replace("~0", "~") for word in pointer[1:].split("/")]
    for number, word in enumerate(words):
        around = item.get(found)
        last = number == len(words) - 1
        found = (*found, _step(around, word, item, pointer, spot, new=new and last))
    if found in _FIXED:
        raise trouble.Beyond(f"a patch of {pointer}, which changes what an object is", spot)
    return found


def _step(around: Any, word: str, item: items.Item, pointer: str, spot: documents.Spot, *, new: bool) -> str | int:
    if isinstance(around, dict):
        return word
    if isinstance(around, list) and word == "-" and new:
        return len(around)
    if isinstance(around, list) and _NUMBER.fullmatch(word) and int(word) < len(around) + new:
        return int(word)
    raise trouble.Wrong(f"{item.title} has nothing at {pointer}", spot)
