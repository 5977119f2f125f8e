"""An emitted Kubernetes object: a plain tree, who declared it, and which pass it came from.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

Tree = dict[str, Any]
"""Dictionaries with text keys, lists, text, whole numbers, booleans and None, as in the object's JSON."""


class Key(NamedTuple):
    """What an object is known by; the namespace is empty for those of the whole cluster."""

    namespace: str
    name: str
    group: str
    kind: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


def key(tree: Tree) -> Key:
    """What the object `tree` is known by."""
    metadata = tree["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"], _group(tree), tree["kind"])


def is_replaced_by_hand(tree: Tree) -> bool:
    """Whether its pods stay as they are until somebody deletes them.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#on-delete
    """
    return bool(tree["spec"].get("updateStrategy", {}).get("type") == "OnDelete")


def _group(tree: Tree) -> str:
    return str(tree["apiVersion"]).rpartition("/")[0]


@dataclasses.dataclass(frozen=True)
class Object:
    """One object; nobody changes its tree once lowering is done."""

    tree: Tree
    origin: str
    """The author's file and line: ``platforms/payments/plan.py:65``."""
    by: str
    """The pass: ``workloads``."""

    @property
    def key(self) -> Key:
        return key(self.tree)

    @property
    def group(self) -> str:
        """The API group; empty for the core's."""
        return _group(self.tree)

    @property
    def version(self) -> str:
        return str(self.tree["apiVersion"]).rpartition("/")[2]
