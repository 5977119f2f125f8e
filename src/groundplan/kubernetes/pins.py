"""Digests for tags: every container runs what its tag stood for when it was looked up, whatever becomes of the tag.

A kubelet pulls by the digest and ignores the tag, which stays for whoever reads it.

Source: https://kubernetes.io/docs/concepts/containers/images/#image-digests
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from groundplan.kubernetes import clusters, drafts
from groundplan.shapes import objects

_CONTAINERS = ("initContainers", "containers")


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Puts the digest of each known image behind its name."""
    for pod in (*draft.pods.values(), *draft.parts.values()):
        for container in _containers(pod.spec):
            digest = cluster.digests.get(container.get("image", ""))  # of a chart's own container nothing is said
            if digest:
                container["image"] += f"@{digest}"


def named(made: Iterable[objects.Object]) -> set[str]:
    """The images that the pods of `made` run."""
    return {container["image"] for each in made for spec in _pods(each.tree) for container in _containers(spec)}


def _pods(tree: objects.Tree) -> Iterator[objects.Tree]:
    """The specification of the pods that an object makes: it stands one or two templates deep."""
    spec = tree.get("spec")
    while isinstance(spec, dict):
        if "containers" in spec:
            yield spec
        inner = spec.get("template") or spec.get("jobTemplate")
        spec = inner.get("spec") if isinstance(inner, dict) else None


def _containers(spec: objects.Tree) -> Iterator[objects.Tree]:
    return (container for name in _CONTAINERS for container in spec.get(name, ()))
