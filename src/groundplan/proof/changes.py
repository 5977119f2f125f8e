"""One policy changed: what that gains and loses, in milliseconds."""

from __future__ import annotations

from typing import Any

import msgspec

from groundplan.proof import cluster, findings
from groundplan.proof.manifests import documents
from groundplan.proof.model import build, policies
from groundplan.proof.reach import change, classes, result


def changed(
    whole: cluster.Cluster, policy: dict[str, Any] | None, instead_of: str
) -> tuple[cluster.Cluster, change.Changed]:
    """The cluster with a NetworkPolicy `instead_of` ("namespace/name") the one it has, or with none (None), and
    the connections gained and lost by it, in the usual reading.

    Milliseconds where the policy names no label value, port or address that no policy named before; the ends of
    all rectangles are those of the returned cluster. Raises LookupError, `Unusable`, and ValueError for a cluster
    that has policies of other kinds.
    """
    near = whole.near(instead_of.partition("/")[0])
    old = next((each for each in near if each.title == instead_of), None)
    if old is None:
        raise LookupError(f"there is no NetworkPolicy {instead_of}")
    if whole.layered:
        raise ValueError(f"changes are followed among NetworkPolicies alone, and there are {whole.beside}")
    new = None if policy is None else _read(policy, old.namespace)
    after = _with(whole, old, new)
    fresh = classes.named([] if new is None else [new])
    known = whole if fresh.within(whole.named) else _named(whole, whole.named.with_(fresh))
    _share(after, known)
    return after, _followed(after, known.reach(), old, new)


def _named(whole: cluster.Cluster, names: classes.Named) -> cluster.Cluster:
    # The same cluster with finer classes: both policies, the old and the new, can be told in them.
    finer = cluster.Cluster(whole.model, whole.options, said=whole.said, told_apart=whole.told_apart)
    finer.named = names
    return finer


def _with(whole: cluster.Cluster, old: policies.Policy, new: policies.Policy | None) -> cluster.Cluster:
    kept = tuple(each if each is not old else new for each in whole.model.policies)
    model = msgspec.structs.replace(whole.model, policies=tuple(each for each in kept if each is not None))
    return cluster.Cluster(model, whole.options, said=whole.said, told_apart=whole.told_apart)


def _share(whole: cluster.Cluster, other: cluster.Cluster) -> None:
    # What is named is what was named, so classes, atoms and evaluated selectors hold as they are.
    whole.named, whole.universe, whole.index = other.named, other.universe, other.index


def _followed(
    whole: cluster.Cluster, before: result.Reach, old: policies.Policy, new: policies.Policy | None
) -> change.Changed:
    near = tuple(whole.near(old.namespace))
    far = (*(each for each in near if each is not new), old)
    patched = []
    for side, by_subject in ((before.egress, before.leaving), (before.ingress, before.entering)):
        holding = [each for each in (old, new) if each is not None and each.rules(side.direction) is not None]
        touched = 0
        for each in holding:
            touched |= whole.index.own(each.namespace, each.subjects)[0]
        patched.append(change.patch(whole.index, side, by_subject, far, near, touched))
    return change.changed(patched[0], patched[1], whole.universe.pods)


def _read(policy: dict[str, Any], namespace: str) -> policies.Policy:
    model = build.build([documents.Document(policy)], namespace)
    if wrong := findings.errors(model.findings):
        raise findings.Unusable(wrong)
    return model.policies[0]
