"""Random replacements, each among three objects of its own, so that many fit into one build: files by path."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import yaml

WORDS = ("one", "two", "8080", "a-b.c", "x:w:z", "yes", "1.5", "", "a b", "true", "null", "# c", "é", "- x", "0x10")
FIELDS = (
    "metadata.name", "metadata.labels.app", "spec.host", "spec.list.0", "spec.containers.[name=web].image",
    "spec.containers.[name=api].image", "metadata.annotations.a/b", "spec.containers.1.env.[name=A].value",
)  # fmt: skip


class Group(NamedTuple):
    """Objects, and a replacement among them."""

    items: list[dict[str, Any]]
    replacement: dict[str, Any]


def item(chance: random.Random, name: str, kind: str) -> dict[str, Any]:
    word = lambda: chance.choice(WORDS)  # noqa: E731
    containers = [{"name": each, "image": word(), "env": [{"name": "A", "value": word()}]} for each in ("web", "api")]
    metadata = {"name": name, "labels": {"app": word()}, "annotations": {"a/b": word()}}
    spec = {"host": word(), "list": [word()], "containers": containers}
    return {"apiVersion": "example.com/v1", "kind": kind, "metadata": metadata, "spec": spec}


def options(chance: random.Random, indexes: tuple[int, ...]) -> dict[str, Any]:
    if chance.random() < 0.5:
        return {}
    return {"options": {"delimiter": chance.choice((":", "-", ".")), "index": chance.choice(indexes)}}


def group(chance: random.Random, number: int) -> Group:
    kinds = (f"Widget{number}", f"Gadget{number}")
    some = [item(chance, f"{name}{number}", chance.choice(kinds)) for name in "abc"]
    source = {
        "name": f"{chance.choice('ab')}{number}",
        "fieldPath": chance.choice(FIELDS),
        **options(chance, (0, 0, 1)),
    }
    if chance.random() < 0.2:
        del source["fieldPath"]
    targets = []
    for _ in range(chance.randint(1, 2)):
        select = {"kind": chance.choice(kinds)} if chance.random() < 0.5 else {"name": f"{chance.choice('bc')}{number}"}
        fields = chance.sample(FIELDS[1:], chance.randint(1, 2))
        reject = {"reject": [{"name": f"a{number}"}]} if chance.random() < 0.3 else {}
        targets.append({"select": select, "fieldPaths": fields, **reject, **options(chance, (0, 1, -1, 9))})
    return Group(some, {"source": source, "targets": targets})


def kustomization(some: list[Group], **fields: str) -> dict[str, bytes]:
    """One that holds some of the replacements itself and the others in a file."""
    said = [each.replacement for each in some]
    half = len(said) // 2
    top = {"resources": ["all.yaml"], "replacements": [*said[:half], {"path": "more.yaml"}], **fields}
    return {
        "top/all.yaml": yaml.safe_dump_all([each for one in some for each in one.items]).encode(),
        "top/more.yaml": yaml.safe_dump(said[half:]).encode(),
        "top/kustomization.yaml": yaml.safe_dump(top).encode(),
    }
