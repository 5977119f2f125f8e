"""Where in the documents something can be broken."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

Document = dict[str, Any]
Documents = list[Document]
Mutation = Callable[[Documents, random.Random], "Documents | None"]

DIRECTIONS = (("ingress", "from"), ("egress", "to"))
WORKLOADS = ("Pod", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob")


def policies(documents: Documents) -> list[Document]:
    return [one for one in documents if one["kind"] == "NetworkPolicy"]


def workloads(documents: Documents) -> list[Document]:
    return [one for one in documents if one["kind"] in WORKLOADS]


def rules(documents: Documents) -> list[tuple[Document, str, str, Document]]:
    """Policy, direction, the field of its peers, rule."""
    return [
        (policy, direction, peers, rule)
        for policy in policies(documents)
        for direction, peers in DIRECTIONS
        for rule in policy["spec"].get(direction) or []
    ]


def peers(documents: Documents) -> list[tuple[list[Document], Document]]:
    """The list that a peer stands in, and the peer."""
    lists = [rule[key] for _, _, key, rule in rules(documents) if rule.get(key)]
    return [(listed, peer) for listed in lists for peer in listed]


def ports(documents: Documents) -> list[Document]:
    return [port for _, _, _, rule in rules(documents) for port in rule.get("ports") or []]


def selectors(documents: Documents, field: str) -> list[Document]:
    """Every selector of that name, of policies and of peers."""
    own = [one["spec"][field] for one in policies(documents) if one["spec"].get(field) is not None]
    return own + [peer[field] for _, peer in peers(documents) if peer.get(field) is not None]


def blocks(documents: Documents) -> list[Document]:
    return [peer["ipBlock"] for _, peer in peers(documents) if peer.get("ipBlock")]


def template(workload: Document) -> Document:
    """The pod template, which a bare pod is itself."""
    if workload["kind"] == "Pod":
        return workload
    spec = workload["spec"]["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else workload["spec"]
    found: Document = spec["template"]
    return found


def container_ports(documents: Documents) -> Iterator[Document]:
    for workload in workloads(documents):
        for container in template(workload)["spec"].get("containers") or []:
            yield from container.get("ports") or []


def selected(documents: Documents, field: str) -> set[tuple[str, str]]:
    """The labels that some selector asks for."""
    asked = [selector.get("matchLabels") or {} for selector in selectors(documents, field)]
    return {pair for labels in asked for pair in labels.items()}


def one(things: list[Any], rng: random.Random) -> Any:
    """Any of `things`; None if there are none."""
    return rng.choice(things) if things else None


def changing(change: Callable[[Documents, random.Random], bool | None]) -> Mutation:
    """A change in place, to a copy, as a mutation: None where it says there was nothing to change."""

    def mutation(documents: Documents, rng: random.Random) -> Documents | None:
        changed = copy.deepcopy(documents)
        return None if change(changed, rng) is False else changed

    return mutation
