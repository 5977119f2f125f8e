"""What a kustomization does to all its objects: namespace, images, replicas.

Source: https://github.com/kubernetes-sigs/kustomize/tree/master/api/internal/konfig/builtinpluginconsts (which fields).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import items, labelling, patches, trouble, versions

_COUNTED = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")


def namespace(some: list[items.Item], name: Any, spot: documents.Spot) -> None:
    """Puts everything into one namespace, and whatever kustomize knows to name one."""
    if not isinstance(name, str) or not name:
        raise trouble.Beyond("a namespace that is no name", spot)
    for each in some:
        each.remember()
        if not each.everywhere:
            each.put(("metadata", "namespace"), name, spot)
        for path in _spaces(each):
            labelling.make(each, path[:-1], spot)
            each.put(path, name, spot)


def _spaces(item: items.Item) -> Iterator[items.Path]:
    """Where else a namespace is named, to be set whether or not it is there."""
    if item.kind == "Namespace":
        yield ("metadata", "name")
    if (item.group, item.kind) == ("apiregistration.k8s.io", "APIService"):
        yield ("spec", "service", "namespace")
    webhook = ("spec", "conversion", "webhook", "clientConfig", "service", "namespace")
    crd = (item.group, item.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition")
    if crd and isinstance(item.get(webhook[:-1]), dict):
        yield webhook
    if item.kind in ("RoleBinding", "ClusterRoleBinding"):
        subjects = item.data.get("subjects")
        for number, each in enumerate(subjects if isinstance(subjects, list) else ()):
            if isinstance(each, dict) and each.get("name") == "default":
                yield ("subjects", number, "namespace")


def images(some: list[items.Item], entries: Any, spot: documents.Spot, reading: versions.Reading) -> None:
    """Other names, tags or digests for images, wherever containers are listed."""
    for number, each in enumerate(patches.listed(entries, spot)):
        here = spot.below(number)
        known = {"name", "newName", "newTag", "digest"}
        if not isinstance(each, dict) or not each.keys() <= known or {"newTag", "digest"} <= each.keys():
            raise trouble.Beyond("an image by more than newName, and newTag or digest", here)
        if not all(isinstance(value, str) and value for value in each.values()) or "name" not in each:
            raise trouble.Beyond("an image by something else than words", here)
        if not re.fullmatch(r"[\w./:-]+", each["name"]):
            raise trouble.Beyond(f"an image called {each['name']}", here)
        for item in some:
            for path in _containers(item.data, ()):
                _image(item, (*path, "image"), each, here)
            for path in _volumes(item):
                if reading.newer(f"the image of a volume of {item.title}", item.spot(path) or here):
                    _image(item, path, each, here)


def _containers(tree: Any, path: items.Path) -> Iterator[items.Path]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        if key in ("containers", "initContainers") and isinstance(value, list):
            yield from ((*path, key, number) for number in range(len(value)))
        yield from _containers(value, (*path, key))


def _volumes(item: items.Item) -> Iterator[items.Path]:
    for pod in (("spec",), ("spec", "template", "spec")):
        volumes = item.get((*pod, "volumes"))
        for number in range(len(volumes) if isinstance(volumes, list) else 0):
            path = (*pod, "volumes", number, "image", "reference")
            if isinstance(item.get(path), str):
                yield path


def _image(item: items.Item, path: items.Path, said: dict[str, str], spot: documents.Spot) -> None:
    old = item.get(path)
    if not isinstance(old, str):
        return
    tag = r"(:[a-zA-Z0-9_.{}-]*)?"
    found = re.fullmatch(f"({re.escape(said['name'])}){tag}", old)
    # kustomize takes the name for a regular expression, and reads a digest differently from version to version.
    if (found is None) != (re.fullmatch(said["name"] + tag, old) is None) or old.startswith(f"{said['name']}@"):
        raise trouble.Beyond(f"the image {old} by the name {said['name']}", spot)
    if found:
        rest = (
            f":{said['newTag']}" if "newTag" in said else f"@{said['digest']}" if "digest" in said else found[2] or ""
        )
        item.put(path, f"{said.get('newName', found[1])}{rest}", spot)


def replicas(some: list[items.Item], entries: Any, spot: documents.Spot) -> None:
    """Another number of replicas for workloads of a name."""
    for number, each in enumerate(patches.listed(entries, spot)):
        here = spot.below(number)
        count = each.get("count") if isinstance(each, dict) and each.keys() == {"name", "count"} else None
        if not isinstance(count, int) or isinstance(count, bool):
            raise trouble.Beyond("replicas by something else than name and count", here)
        found = [item for item in some if item.kind in _COUNTED and each["name"] in (item.first[1], item.name)]
        if not found:
            raise trouble.Beyond(f"replicas of {each['name']}, which is no workload here", here)
        for item in found:
            item.put(("spec", "replicas"), count, here.below("count"))
