"""Claims: who is meant to reach whom, as plain data, and what is assumed of pods that no manifest makes.

A set of claims is closed: what none of them says must not be reachable. `groundplan.proof.compare.claimed` compares
them with manifests.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from groundplan.proof import addresses, cluster, connections, ends, intervals
from groundplan.proof.manifests import documents
from groundplan.proof.model import workloads

ASSUMED = "assumed"
"""In place of a kind, in the names of ends that no manifest makes."""
OUTSIDE = "outside"
"""As an end: every address, and every pod of a namespace that the claims are not about."""


class Claim(msgspec.Struct, frozen=True):
    """`source` may reach `destination` on `ports`.

    Ends are as `Cluster.reachable` takes them, or several addresses with commas, some excepted
    (``0.0.0.0/0,::/0 except 10.0.0.0/8,fc00::/7``), or `OUTSIDE`; ports as in `TCP 5432,8000-8010` or `All`.
    `origin` is where it was declared and `why` what it is, for messages. `through` is the Service by which the source
    finds the destination, with the port it dials: ``services/auth-service:8001``; empty where none is needed.
    """

    source: str
    destination: str
    ports: str
    origin: str = ""
    why: str = ""
    through: str = ""


class Assumed(msgspec.Struct, frozen=True):
    """Pods that are taken to be there though nothing among the manifests makes them."""

    namespace: str
    name: str
    labels: dict[str, str] = {}
    why: str = ""
    """Who makes them, for the list of assumptions; empty for pods that nobody makes, and that might be."""
    namespace_labels: dict[str, str] = {}
    """Of their namespace, where it is not among the manifests."""
    ports: tuple[workloads.Port, ...] = ()
    """Name, protocol and number of what they are known to listen on."""

    def __str__(self) -> str:
        labels = ", ".join(f"{key}={value}" for key, value in sorted(self.labels.items()))
        return f"{self.why}: pods of namespace {self.namespace}{f' with {labels}' if labels else ''}"


def assuming(whole: cluster.Cluster, some: Iterable[Assumed]) -> cluster.Cluster:
    """The same cluster with pods that are taken to be there; there may be several of each."""
    listed = tuple(some)
    made = tuple(
        workloads.Workload(
            each.namespace, each.name, ASSUMED, each.labels, each.ports, False, 2, documents.Document({}), many=True
        )
        for each in listed
    )
    return whole.beside_workloads(made, {each.namespace: each.namespace_labels for each in listed})


def end(whole: cluster.Cluster, words: str) -> ends.End:
    """The end that words mean, but for `OUTSIDE`; raises LookupError and ValueError."""
    chosen, _, excepted = words.partition(" except ")
    if "," in chosen or excepted:
        return ends.End(addresses=intervals.difference(_addresses(chosen), _addresses(excepted)))
    return ends.find(whole.model, words)


def _addresses(words: str) -> intervals.Intervals:
    return intervals.of(pair for each in words.split(",") if each for pair in addresses.parse(each.strip()))


def ports(words: str) -> intervals.Intervals:
    """Ports as `connections.text` writes them; raises ValueError."""
    if words == "All":
        return connections.ALL
    found, protocol = intervals.NONE, "TCP"
    for each in words.split(","):
        *head, span = each.split()
        protocol = head[0] if head else protocol
        whole = span.upper() in connections.PROTOCOLS
        found = intervals.union(found, connections.parse(span if whole else f"{span}/{protocol}"))
    return found
