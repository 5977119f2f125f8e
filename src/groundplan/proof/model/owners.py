"""What controllers made, in dumps of running clusters: a Deployment's ReplicaSets and their pods are one workload.

An object that is like its controller's template is left out, if the controller is among the documents too; what differs
where a policy could see it (an older revision, a container that was injected) stays an end of its own. Pods that have
ended are left out: nothing reaches them.
Source: Kubernetes documentation, "Owners and Dependents"; "Pod Lifecycle", "Pod phase".
"""

from __future__ import annotations

from collections.abc import Iterable

from groundplan.proof import fields
from groundplan.proof.manifests import documents
from groundplan.proof.model import kinds, selectors, workloads

ENDED = ("Succeeded", "Failed")
Key = tuple[str, str, object, str]
"""Group, kind, namespace, name."""


def apart(
    every: tuple[documents.Document, ...],
) -> tuple[tuple[documents.Document, ...], tuple[documents.Document, ...]]:
    """Those that stand for themselves, and those that are left out."""
    # Only dumps have these two fields, and there may be a hundred thousand documents.
    dumped = [each for each in every if "status" in each.data or "ownerReferences" in each.metadata]
    out = {id(each) for each in dumped if ended(each)}
    if owned := [each for each in dumped if id(each) not in out and controlled(each) and _workload(each)]:
        known = {_key(each): each for each in every if _workload(each)}
        out |= {id(each) for each in owned if any(_alike(each, owner) for owner in _owners(each, known))}
    if not out:
        return every, ()
    return tuple(each for each in every if id(each) not in out), tuple(each for each in every if id(each) in out)


def ended(document: documents.Document) -> bool:
    """Is it a pod that has run to its end?"""
    return document.kind == "Pod" and fields.inner(document.data, "status").get("phase") in ENDED


def controlled(document: documents.Document) -> bool:
    """Has a controller made it?"""
    return _reference(document) is not None


def _reference(document: documents.Document) -> dict[str, object] | None:
    listed = fields.items(document.metadata.get("ownerReferences"))
    return next((each for each in listed if each.get("controller") is True), None)


def _workload(document: documents.Document) -> bool:
    return (document.group, document.kind) in kinds.WORKLOADS


def _key(document: documents.Document) -> Key:
    return document.group, document.kind, str(document.metadata.get("namespace")), document.name


def _owners(document: documents.Document, known: dict[Key, documents.Document]) -> Iterable[documents.Document]:
    reference = _reference(document) or {}
    group = str(reference.get("apiVersion")).rpartition("/")[0]
    kind, name = str(reference.get("kind")), str(reference.get("name"))
    namespace = str(document.metadata.get("namespace"))
    owner = known.get((group, kind, namespace, name))
    if owner is not None and owner.metadata.get("uid") in (None, reference.get("uid")):
        yield owner
    # A dump without ReplicaSets: their names are the Deployment's and the hash that their pods are labelled with.
    suffix = f"-{fields.inner(document.metadata, 'labels').get('pod-template-hash')}"
    above = known.get(("apps", "Deployment", namespace, name.removesuffix(suffix)))
    if owner is None and kind == "ReplicaSet" and name.endswith(suffix) and above is not None:
        yield above


def _alike(one: documents.Document, owner: documents.Document) -> bool:
    """Can no policy tell the pods of one from those of the other?"""
    try:
        made, whole = (workloads.read(each, each.kind, "") for each in (one, owner))
    except ValueError:
        return False  # it is refused, and told, where it is read
    hidden = {key for each in (made, whole) for key, value in each.labels.items() if value == selectors.UNKNOWN}
    hidden.update(workloads.TOPOLOGY)
    return _seen(made, hidden) == _seen(whole, hidden)


def _seen(each: workloads.Workload, hidden: set[str]) -> tuple[object, ...]:
    """All that a policy could tell pods by, but for what their controllers and nodes label them with."""
    labels = {key: value for key, value in each.labels.items() if key not in hidden}
    return labels, set(each.ports), each.host_network, each.account
