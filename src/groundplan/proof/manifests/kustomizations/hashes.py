"""The end of a generated name: a hash of the content, as kustomize computes it.

Source: https://github.com/kubernetes-sigs/kustomize/blob/master/api/hasher/hasher.go
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from groundplan.proof.manifests.kustomizations import items, trouble

_LENGTH = 10
_LETTERS = str.maketrans("013ae", "ghkmt")
"""Digits that could spell words are written with others."""
_ESCAPED = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"})
"""What Go's encoder of JSON escapes and Python's does not."""
_FIELDS = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}


def add(some: Iterable[items.Item]) -> None:
    """Ends the names of generated objects in the hash of what they hold by now."""
    for each in some:
        if each.hashed:
            each.remember()
            name = f"{each.name}-{_hash(each)}"
            each.put(("metadata", "name"), name, each.spot(("metadata", "name")))


def _hash(item: items.Item) -> str:
    # kustomize looks for the name where it is not, so that it is empty for all: two of one content end alike.
    said: dict[str, Any] = {"kind": item.kind, "name": "", "data": ""}
    if item.kind == "Secret":
        said["type"] = item.data.get("type", "")
    for field in _FIELDS[item.kind]:
        if field in item.data:
            said[field] = _plain(item, field)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).translate(_ESCAPED)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH].translate(_LETTERS)


def _plain(item: items.Item, field: str) -> dict[str, str]:
    found = item.data[field]
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise trouble.Beyond(f"a hash of {item.title} with more than words in {field}", item.spot((field,)))
    if any(letter in each for each in found.values() for letter in "\b\f"):
        # Go escaped these as numbers until 1.22: which program it is does not say how it was compiled.
        raise trouble.Beyond(f"a hash of {item.title} with a form feed or backspace", item.spot((field,)))
    return found
