"""Pods and namespaces: labels, ports, the host's network."""

from __future__ import annotations

import random
from typing import Any

from tests.proof.breaking import finding
from tests.proof.breaking.finding import Document, Documents


def mislabel_pod(documents: Documents, rng: random.Random) -> bool | None:
    """A label that a policy selects by gets another value, in the template and in its workload's selector."""
    found = labelled(documents)
    if not found:
        return False
    workload, key = rng.choice(found)
    relabel(workload, key, "mislabelled")
    return None


def unlabel_pod(documents: Documents, rng: random.Random) -> bool | None:
    found = labelled(documents)
    if not found:
        return False
    workload, key = rng.choice(found)
    relabel(workload, key, None)
    return None


def labelled(documents: Documents) -> list[tuple[Document, str]]:
    """Workloads on the pod network with a label that a policy selects by."""
    asked = finding.selected(documents, "podSelector")
    return [
        (workload, key)
        for workload in finding.workloads(documents)
        if not finding.template(workload)["spec"].get("hostNetwork")
        for key, value in labels_of(workload).items()
        if (key, value) in asked
    ]


def labels_of(workload: Document) -> dict[str, str]:
    found: dict[str, str] = (finding.template(workload).get("metadata") or {}).get("labels") or {}
    return found


def relabel(workload: Document, key: str, value: str | None) -> None:
    selector = {} if workload["kind"] == "Pod" else workload["spec"].get("selector") or {}
    for labels in (labels_of(workload), selector.get("matchLabels") or selector):
        if key in labels:
            labels.pop(key) if value is None else labels.update({key: value})


def mislabel_namespace(documents: Documents, rng: random.Random) -> bool | None:
    asked = finding.selected(documents, "namespaceSelector")
    found: list[tuple[dict[str, Any], str]] = [
        (one["metadata"]["labels"], key)
        for one in documents
        if one["kind"] == "Namespace"
        for key, value in (one["metadata"].get("labels") or {}).items()
        if (key, value) in asked and key != "kubernetes.io/metadata.name"
    ]
    if not found:
        return False
    labels, key = rng.choice(found)
    labels[key] = "mislabelled"
    return None


def rename_namespace(documents: Documents, rng: random.Random) -> bool | None:
    """With all that is in it, but not in the selectors that name it."""
    asked = {value for key, value in finding.selected(documents, "namespaceSelector") if key.endswith("metadata.name")}
    inside = {one["metadata"].get("namespace") for one in finding.workloads(documents)}
    found = sorted(asked & inside)
    if not found:
        return False
    old = rng.choice(found)
    for one in documents:
        if one["metadata"].get("namespace") == old:
            one["metadata"]["namespace"] = f"{old}-renamed"
        if one["kind"] == "Namespace" and one["metadata"]["name"] == old:
            one["metadata"]["name"] = f"{old}-renamed"
    return None


def add_host_network(documents: Documents, rng: random.Random) -> bool | None:
    found = [finding.template(one)["spec"] for one in finding.workloads(documents)]
    spec = finding.one([one for one in found if not one.get("hostNetwork")], rng)
    if spec is None:
        return False
    spec["hostNetwork"] = True
    return None


def change_named_port(documents: Documents, rng: random.Random) -> bool | None:
    """The number behind a name that a policy uses."""
    port = finding.one(named(documents), rng)
    if port is None:
        return False
    port["containerPort"] += 1 if port["containerPort"] < 65535 else -1
    return None


def rename_port(documents: Documents, rng: random.Random) -> bool | None:
    port = finding.one(named(documents), rng)
    if port is None:
        return False
    port["name"] = "renamed"
    return None


def named(documents: Documents) -> list[Document]:
    used = {
        (port["port"], port.get("protocol") or "TCP")
        for port in finding.ports(documents)
        if isinstance(port.get("port"), str)
    }
    return [
        port for port in finding.container_ports(documents) if (port.get("name"), port.get("protocol") or "TCP") in used
    ]


def label_by_number(documents: Documents, rng: random.Random) -> bool | None:
    """What YAML makes of an unquoted version."""
    found = [labels_of(one) for one in finding.workloads(documents) if labels_of(one)]
    if not found:
        return False
    labels: dict[str, Any] = rng.choice(found)
    labels["version"] = 1.1
    return None
