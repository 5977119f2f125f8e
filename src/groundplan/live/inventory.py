"""What a platform has in a cluster, kept there: an ApplySet, as `kubectl apply --prune` knows it.

A ConfigMap is the set's parent; every member carries its id as a label. So what the plan no longer has is found by
that label alone, among the kinds and namespaces that the parent names, and nothing of others ever is. Source:
https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Iterator

from groundplan.live import client as clients
from groundplan.live import errors, kinds
from groundplan.shapes import objects

ID = "applyset.kubernetes.io/id"
PART_OF = "applyset.kubernetes.io/part-of"
_TOOLING = "applyset.kubernetes.io/tooling"
_KINDS = "applyset.kubernetes.io/contains-group-kinds"
_NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
_ENVIRONMENT = "groundplan/environment"

MANAGER = "groundplan"

KEPT = ("Namespace", "PersistentVolumeClaim", "PersistentVolume", "CustomResourceDefinition")
"""Never deleted: with them goes what others put there, or data."""


@dataclasses.dataclass(frozen=True)
class Inventory:
    """The parent of one platform's set in one environment."""

    platform: str
    environment: str
    namespace: str
    """Where the parent lives: not one of the platform's, since it must outlive them."""

    @property
    def name(self) -> str:
        return f"{self.platform}-groundplan"

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps/{self.name}"

    @property
    def subject(self) -> str:
        return f"ConfigMap {self.namespace}/{self.name} (the inventory)"

    @property
    def id(self) -> str:
        """Of the set; its form is the ApplySet specification's."""
        digest = hashlib.sha256(f"{self.name}.{self.namespace}.ConfigMap.".encode()).digest()
        return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"

    def member(self, tree: objects.Tree) -> objects.Tree:
        """`tree` as a member of the set."""
        metadata = tree["metadata"]
        labels = {**metadata.get("labels", {}), PART_OF: self.id}
        return {**tree, "metadata": {**metadata, "labels": labels}}

    def owns(self, live: objects.Tree) -> bool:
        """Whether a live object is a member."""
        return bool((live["metadata"].get("labels") or {}).get(PART_OF) == self.id)

    def parent(self, known: Known) -> objects.Tree:
        """The parent that says what the set may hold."""
        annotations = {
            _TOOLING: "groundplan/v1",
            _KINDS: ",".join(sorted(known.kinds)),
            _NAMESPACES: ",".join(sorted(known.namespaces - {self.namespace})),
            _ENVIRONMENT: self.environment,
        }
        metadata = {"name": self.name, "namespace": self.namespace, "labels": {ID: self.id}, "annotations": annotations}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


@dataclasses.dataclass(frozen=True)
class Known:
    """Where members may be: kinds as ``Deployment.apps``, and namespaces."""

    kinds: frozenset[str]
    namespaces: frozenset[str]

    def __or__(self, other: Known) -> Known:
        return Known(self.kinds | other.kinds, self.namespaces | other.namespaces)


def of(keys: Iterable[objects.Key]) -> Known:
    """Where the objects of `keys` are."""
    listed = list(keys)
    names = frozenset(f"{key.kind}.{key.group}" if key.group else key.kind for key in listed)
    return Known(names, frozenset(key.namespace for key in listed if key.namespace))


def read(client: clients.Client, own: Inventory) -> Known:
    """What the cluster's parent says; empty before the first deploy.

    Raises errors.Foreign where the cluster holds another environment of the platform.
    """
    found = client.find(own.path, subject=own.subject)
    if found is None:
        return of(())
    said = found["metadata"].get("annotations") or {}
    other = said.get(_ENVIRONMENT, own.environment)
    if other != own.environment:
        raise errors.Foreign(
            f"this cluster (context {client.access.context}) holds {own.platform} in {other}, not in {own.environment}",
            why=own.subject,
            fix=f"name another --context, or --environment {other}; or delete that ConfigMap if it is mistaken",
        )
    return Known(_split(said.get(_KINDS)), _split(said.get(_NAMESPACES)) | {own.namespace})


def write(client: clients.Client, own: Inventory, known: Known) -> None:
    """Makes the parent say `known`."""
    client.apply(own.path, own.parent(known), manager=MANAGER, force=True, subject=own.subject)


@dataclasses.dataclass(frozen=True)
class Member:
    """A live member of the set."""

    key: objects.Key
    kind: kinds.Kind
    tree: objects.Tree

    @property
    def uid(self) -> str:
        return str(self.tree["metadata"].get("uid", ""))


def leftovers(
    client: clients.Client, served: kinds.Kinds, own: Inventory, known: Known, wanted: Collection[objects.Key]
) -> list[Member]:
    """Live members that are not `wanted`."""
    found = []
    for name in sorted(known.kinds):
        kind = served.group_kind(name)
        if kind is None:
            continue  # its definition is gone, and with it every object
        for tree in _listed(client, kind, own, known):
            key = _key(tree, kind)
            if key not in wanted and not _is_owned(tree):
                found.append(Member(key, kind, {"apiVersion": kind.api, "kind": kind.name, **tree}))
    return found


def _listed(client: clients.Client, kind: kinds.Kind, own: Inventory, known: Known) -> Iterator[objects.Tree]:
    """In one request where the user may look everywhere, else in each namespace."""
    chosen = f"{PART_OF}={own.id}"
    try:
        yield from client.list(kind.collection(), subject=kind.plural, labelSelector=chosen)
    except errors.Forbidden:
        if not kind.namespaced:
            raise
        for place in sorted(known.namespaces):
            subject = f"{kind.plural} in {place}"
            yield from client.list(kind.collection(place), subject=subject, labelSelector=chosen)


def _key(tree: objects.Tree, kind: kinds.Kind) -> objects.Key:
    metadata = tree["metadata"]
    return objects.Key(metadata.get("namespace", ""), metadata["name"], kind.api.rpartition("/")[0], kind.name)


def _is_owned(tree: objects.Tree) -> bool:
    """Made by a controller, which also deletes it."""
    return any(each.get("controller") for each in tree["metadata"].get("ownerReferences") or ())


def _split(said: str | None) -> frozenset[str]:
    return frozenset(part for part in (said or "").split(",") if part)
