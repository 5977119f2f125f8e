"""Whole policies: dropped, doubled, aimed elsewhere, moved, opened."""

from __future__ import annotations

import copy
import random

from tests.proof.breaking import finding
from tests.proof.breaking.finding import Document, Documents


def drop(documents: Documents, rng: random.Random) -> bool | None:
    policy = finding.one(finding.policies(documents), rng)
    if policy is None:
        return False
    documents.remove(policy)
    return None


def duplicate(documents: Documents, rng: random.Random) -> bool | None:
    if not documents:
        return False
    documents.append(copy.deepcopy(finding.one(documents, rng)))
    return None


def rename_over_another(documents: Documents, rng: random.Random) -> bool | None:
    """Applied in order, the later of the two would replace the earlier."""
    pairs = [
        (one, other)
        for one in finding.policies(documents)
        for other in finding.policies(documents)
        if one is not other and one["metadata"].get("namespace") == other["metadata"].get("namespace")
    ]
    if not pairs:
        return False
    one, other = rng.choice(pairs)
    one["metadata"]["name"] = other["metadata"]["name"]
    return None


def retarget(documents: Documents, rng: random.Random) -> bool | None:
    """A policy that selects by labels selects another policy's pods."""
    found = [policy for policy in finding.policies(documents) if (policy["spec"].get("podSelector") or {}) != {}]
    targets = [policy["spec"]["podSelector"] for policy in found]
    policy = finding.one(found, rng)
    others = [target for target in targets if policy and target != policy["spec"]["podSelector"]]
    if not others:
        return False
    policy["spec"]["podSelector"] = copy.deepcopy(rng.choice(others))
    return None


def select_nothing(documents: Documents, rng: random.Random) -> bool | None:
    policy = finding.one(finding.policies(documents), rng)
    if policy is None:
        return False
    policy["spec"]["podSelector"] = {"matchLabels": {"app": "renamed-long-ago"}}
    return None


def move(documents: Documents, rng: random.Random) -> bool | None:
    """Into another namespace, under a name that is free there."""
    homes = sorted({str(one["metadata"]["namespace"]) for one in documents if one["metadata"].get("namespace")})
    policy = finding.one(finding.policies(documents), rng)
    others = [home for home in homes if policy and home != policy["metadata"]["namespace"]]
    if not others:
        return False
    policy["metadata"].update({"namespace": rng.choice(others), "name": policy["metadata"]["name"] + "-moved"})
    return None


def lose_namespace(documents: Documents, rng: random.Random) -> bool | None:
    found = [one for one in finding.policies(documents) if one["metadata"].get("namespace")]
    if not found:
        return False
    del rng.choice(found)["metadata"]["namespace"]
    return None


def old_version(documents: Documents, rng: random.Random) -> bool | None:
    policy = finding.one(finding.policies(documents), rng)
    if policy is None:
        return False
    policy["apiVersion"] = "extensions/v1beta1"
    return None


def added(name: str, home: str, spec: Document) -> Document:
    metadata = {"name": name, "namespace": home}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def home_of_some(documents: Documents, rng: random.Random) -> str | None:
    """A namespace with a policy, and with a workload on the pod network for it to hold."""
    found = [one for one in finding.workloads(documents) if not finding.template(one)["spec"].get("hostNetwork")]
    held = {one["metadata"].get("namespace") for one in finding.policies(documents)}
    homes = sorted(
        {str(one["metadata"]["namespace"]) for one in found if one["metadata"].get("namespace") in held - {None}}
    )
    return rng.choice(homes) if homes else None


def allow_everything(documents: Documents, rng: random.Random) -> bool | None:
    home = home_of_some(documents, rng)
    if home is None:
        return False
    documents.append(added("temporary", home, {"podSelector": {}, "ingress": [{}], "egress": [{}]}))
    return None


def add_admin_policy(documents: Documents, rng: random.Random) -> bool | None:
    rule = {"action": "Accept", "from": [{"namespaces": {}}]}
    spec = {"tier": "Admin", "priority": rng.randrange(1000), "subject": {"namespaces": {}}, "ingress": [rule]}
    spec["egress"] = [{"action": "Accept", "to": [{"namespaces": {}}]}]
    kind = {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy"}
    documents.append({**kind, "metadata": {"name": "temporary"}, "spec": spec})
    return None


def add_cilium_deny(documents: Documents, rng: random.Random) -> bool | None:
    home = home_of_some(documents, rng)
    if home is None:
        return False
    deny = [{"fromEntities": ["all"]}]
    spec = {"endpointSelector": {}, "ingressDeny": deny, "egressDeny": [{"toEntities": ["all"]}]}
    metadata = {"name": "temporary", "namespace": home}
    documents.append({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": metadata, "spec": spec})
    return None


def add_unread_kind(documents: Documents, rng: random.Random) -> bool | None:
    kinds = (
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
        ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
        ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy"),
        ("k8s.ovn.org/v1", "EgressFirewall"),
        ("security.istio.io/v1", "PeerAuthentication"),
    )
    version, kind = rng.choice(kinds)
    documents.append(
        {"apiVersion": version, "kind": kind, "metadata": {"name": "other", "namespace": "default"}, "spec": {}}
    )
    return None
