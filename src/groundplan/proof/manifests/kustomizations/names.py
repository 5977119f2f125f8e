"""`namePrefix` and `nameSuffix`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import items, trouble


def prefix(some: Iterable[items.Item], text: Any, spot: documents.Spot) -> None:
    """Puts a text before the names of all objects whose names may change."""
    for each in _renamed(some, text, spot):
        each.prefixes.append(text)
        each.put(("metadata", "name"), f"{text}{each.name}", spot)


def suffix(some: Iterable[items.Item], text: Any, spot: documents.Spot) -> None:
    """Puts a text behind the names of all objects whose names may change."""
    for each in _renamed(some, text, spot):
        each.suffixes.append(text)
        each.put(("metadata", "name"), f"{each.name}{text}", spot)


def _renamed(some: Iterable[items.Item], text: Any, spot: documents.Spot) -> list[items.Item]:
    if text is None or text == "":
        return []
    if not isinstance(text, str) or "," in text:
        raise trouble.Beyond("a part of names that is no word", spot)
    found = [each for each in some if not _fixed(each)]
    for each in found:
        if not isinstance(each.metadata.get("name"), str) or not each.name:
            raise trouble.Beyond(f"a {each.kind} without a name", spot)
        each.remember()
    return found


def _fixed(item: items.Item) -> bool:
    # Their names say what they are.
    apis = (item.group, item.kind) == ("apiregistration.k8s.io", "APIService")
    return apis or item.kind in ("CustomResourceDefinition", "Namespace")
