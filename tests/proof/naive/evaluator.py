"""Both sides of one connection, through every tier that has a say.

Order of the tiers: apis/v1alpha2/clusternetworkpolicy_types.go of kubernetes-sigs/network-policy-api (Admin tier,
NetworkPolicy tier, which "always makes a final decision for selected pods", Baseline tier, then the default,
"that all pods can communicate with each other"). Cilium: docs.cilium.io/en/stable/security/policy/deny (deny
first, also over a Kubernetes NetworkPolicy; what is allowed is the union).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from tests.proof.naive import addresses, cilium, istio, networkpolicy, reading, tiers, truth
from tests.proof.naive import pods as workloads
from tests.proof.naive import ports as port_rules
from tests.proof.naive.refusals import Invalid, Undecidable

PodName = tuple[str, str, str, int]
"""Namespace, workload's name, its kind, and the replica's number from 0."""

Question = tuple[PodName | str, PodName | str, str, int]
"""Source, destination, protocol, port."""


def allowed(
    documents: Iterable[Any],
    source: PodName | str,
    destination: PodName | str,
    protocol: str,
    port: int,
    *,
    ipblock_matches_pods: bool = False,
    default_namespace: str | None = None,
    pod_ranges: Iterable[str] = (),
    node_ranges: Iterable[str] = (),
) -> bool:
    """Whether `source` may open a connection to `port` of `destination`.

    An end is a pod's name, or an address outside the cluster as a string. `ipblock_matches_pods` takes the other
    reading of an ipBlock in a NetworkPolicy, against pod addresses; `pod_ranges` says where these lie. An address
    in `node_ranges` is a node's. Raises `Invalid`, `Undecidable`, or `LookupError` for a pod that is not there.
    """
    cluster = reading.cluster(documents, default_namespace, ipblock_matches_pods, pod_ranges, node_ranges)
    return decided(cluster, (source, destination, protocol, port))


def verdicts(documents: Iterable[Any], questions: Iterable[Question], **options: Any) -> Iterator[str]:
    """allowed, denied, undecidable or invalid, for each question; the documents are read once.

    `options` are the keyword arguments of `allowed`.
    """
    try:
        cluster = reading.cluster(documents, options.pop("default_namespace", None), **options)
    except (Invalid, Undecidable) as refusal:
        yield from (type(refusal).__name__.lower() for _ in questions)
        return
    for question in questions:
        try:
            yield "allowed" if decided(cluster, question) else "denied"
        except Undecidable:
            yield "undecidable"


def decided(cluster: reading.Cluster, question: Question) -> bool:
    source, destination, protocol, port = question
    ends = end(cluster, source), end(cluster, destination)
    asked = (port_rules.protocol(protocol, "query"), port_rules.number(port, "query"))
    answer = passes(cluster, *ends, asked)
    if isinstance(answer, truth.Unknown):
        raise Undecidable(answer.why)
    return answer


def pods(documents: Iterable[Any], *, default_namespace: str | None = None) -> list[PodName]:
    """The names of all pods that `documents` describe."""
    return [pod.name for pod in reading.cluster(documents, default_namespace).pods]


def end(cluster: reading.Cluster, given: PodName | str) -> workloads.Pod | addresses.Address:
    if not isinstance(given, str):
        return found(cluster, given)
    ip = ipaddress.ip_address(given)
    if any(ip in one for one in cluster.pod_ranges):
        raise Undecidable(f"{given} is the address of a pod, and not known of which")
    return addresses.Address(ip, any(ip in one for one in cluster.node_ranges))


def found(cluster: reading.Cluster, name: PodName) -> workloads.Pod:
    for pod in cluster.pods:
        if pod.name == name:
            return pod
    raise LookupError(f"no pod {name} among the documents")


def passes(
    cluster: reading.Cluster,
    source: workloads.Pod | addresses.Address,
    destination: workloads.Pod | addresses.Address,
    asked: tuple[str, int],
) -> truth.Truth:
    """The egress side at the source, the ingress side at the destination, and the mesh, which only narrows."""
    if isinstance(source, addresses.Address) and isinstance(destination, addresses.Address):
        raise ValueError("a connection between two addresses outside meets no policy")
    if source == destination:
        return True  # "a pod cannot block access to itself"
    return truth.both([
        side(cluster, source, destination, "egress", asked),
        side(cluster, destination, source, "ingress", asked),
        istio.narrows(cluster, source, destination, asked),
    ])  # fmt: skip


def side(
    cluster: reading.Cluster,
    subject: workloads.Pod | addresses.Address,
    other: workloads.Pod | addresses.Address,
    direction: str,
    asked: tuple[str, int],
) -> truth.Truth:
    if isinstance(subject, addresses.Address) or subject.host_network:
        return True  # no policy selects an address, nor a pod on the host's network
    answer = tiered(cluster, subject, other, direction, asked)
    if answer is False and networkpolicy.on_host(other):
        return truth.Unknown("traffic with the node that a pod runs on is always allowed, and that node is not known")
    return answer


def tiered(
    cluster: reading.Cluster,
    subject: workloads.Pod,
    other: workloads.Pod | addresses.Address,
    direction: str,
    asked: tuple[str, int],
) -> truth.Truth:
    if cilium.present(cluster) and tiers.present(cluster):
        return truth.Unknown("no source says in which order Cilium's policies and cluster-wide tiers are evaluated")
    if tiers.mixed(cluster):
        return truth.Unknown("no source says how v1alpha1 and v1alpha2 policies are ordered among each other")
    question = (cluster, subject, other, direction, asked)
    isolated = truth.either([
        networkpolicy.isolated(cluster, subject, direction),
        cilium.isolated(cluster, subject, direction),
    ])  # fmt: skip
    admitted = truth.either([networkpolicy.admits(*question), cilium.admits(*question)])
    namespaced = truth.both([truth.opposite(cilium.denies(*question)), admitted])
    unselected = truth.both([truth.opposite(cilium.denies(*question)), tiers.decide("Baseline", *question, True)])
    return tiers.decide("Admin", *question, truth.choose(isolated, namespaced, unselected))
