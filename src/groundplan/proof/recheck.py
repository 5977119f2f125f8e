"""Checks a certificate against manifests: ``python -m groundplan.proof.recheck CERTIFICATE FILE…``.

It shares no code with what made the certificate. From the NetworkPolicy API reference alone it works out, for every
workload and address atom, whom each rule means; that members of a class cannot be told apart; and that the rectangles
are exactly what both sides allow. Exits 0 when the certificate holds, and with 1 and why when it does not.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import pathlib
import sys
from typing import Any, NamedTuple

import yaml

Document = dict[str, Any]
Ports = frozenset[tuple[str, int, int]]
Spans = tuple[tuple[str, int, int], ...]
TEMPLATES = {
    "Pod": (), "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
                    ("spec", "template")),
}  # fmt: skip
EVERY = frozenset((protocol, 1, 65535) for protocol in ("TCP", "UDP", "SCTP"))


class Refuted(Exception):
    """The certificate does not hold."""


class Workload(NamedTuple):
    title: str
    namespace: str
    labels: dict[str, str]
    ports: list[tuple[str, str, int]]
    host: bool


def get(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def workload(document: Document) -> Workload:
    kind, name, namespace = document["kind"], document["metadata"]["name"], document["metadata"]["namespace"]
    pod = get(document, *TEMPLATES[kind]) if TEMPLATES[kind] else document
    labels = dict(get(pod, "metadata", "labels") or {})
    if kind == "Job":
        labels |= {"job-name": name, "batch.kubernetes.io/job-name": name}
    init = [each for each in get(pod, "spec", "initContainers") or () if each.get("restartPolicy") == "Always"]
    ports = [
        (port.get("name") or "", port.get("protocol") or "TCP", port["containerPort"])
        for each in [*(get(pod, "spec", "containers") or ()), *init] for port in each.get("ports") or ()
    ]  # fmt: skip
    return Workload(f"{namespace}/{name}[{kind}]", namespace, labels, ports, get(pod, "spec", "hostNetwork") is True)


def selects(selector: Any, labels: dict[str, str]) -> bool:
    """A label selector; nothing written selects everything."""
    selector = selector or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for each in selector.get("matchExpressions") or ():
        has, values = labels.get(each["key"]), each.get("values") or ()
        among = has is not None if "Exist" in each["operator"] else has in values
        if among != (each["operator"] in ("In", "Exists")):
            return False
    return True


class World:
    def __init__(self, documents: list[Document], cuts: list[str]) -> None:
        self.workloads = {one.title: one for each in documents if each["kind"] in TEMPLATES for one in [workload(each)]}
        self.policies = [each for each in documents if each["kind"] == "NetworkPolicy"]
        self.labels = {each["metadata"]["name"]: get(each, "metadata", "labels") or {}
                       for each in documents if each["kind"] == "Namespace"}  # fmt: skip
        self.cuts = [ipaddress.ip_address(each) for each in cuts]
        self.held = {(title, direction): self.rules(one, direction)
                     for title, one in self.workloads.items() for direction in ("Ingress", "Egress")}  # fmt: skip

    def peer(self, peer: Document, own: str, end: Any) -> bool:
        if peer.get("ipBlock"):
            return not isinstance(end, Workload) and covers(peer["ipBlock"], end)
        if not isinstance(end, Workload) or end.host:
            return False
        where = peer.get("namespaceSelector")
        around = {**self.labels.get(end.namespace, {}), "kubernetes.io/metadata.name": end.namespace}
        near = end.namespace == own if where is None else selects(where, around)
        return near and selects(peer.get("podSelector"), end.labels)

    def rules(self, subject: Workload, direction: str) -> list[tuple[str, Document]] | None:
        """The rules that hold a workload in one direction; None where nothing does."""
        found: list[tuple[str, Document]] | None = None
        for policy in self.policies:
            spec, namespace = policy.get("spec") or {}, policy["metadata"]["namespace"]
            types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
            mine = not subject.host and namespace == subject.namespace and direction in types
            if mine and selects(spec.get("podSelector"), subject.labels):
                found = found or []
                found.extend((namespace, rule or {}) for rule in spec.get(direction.lower()) or ())
        return found

    def allowed(self, subject: Any, other: Any, direction: str) -> Ports:
        """What one side lets pass; no policy holds an address."""
        rules = self.held[subject.title, direction] if isinstance(subject, Workload) else None
        if rules is None:
            return EVERY
        word, target = ("from", subject) if direction == "Ingress" else ("to", other)
        found: set[tuple[str, int, int]] = set()
        for namespace, rule in rules:
            if not rule.get(word) or any(self.peer(each, namespace, other) for each in rule[word]):
                found |= ports(rule.get("ports"), target)
        return frozenset(found)


def networks(block: Document) -> list[Any]:
    return [ipaddress.ip_network(each, strict=False) for each in (block["cidr"], *(block.get("except") or ()))]


def covers(block: Document, address: Any) -> bool:
    inside, *outside = (address in network for network in networks(block))
    return inside and not any(outside)


def ports(written: Any, target: Any) -> set[tuple[str, int, int]]:
    found = set() if written else set(EVERY)
    for each in written or ():
        protocol, port = each.get("protocol") or "TCP", each.get("port")
        if not isinstance(port, str):
            found.add((protocol, port or 1, each.get("endPort") or port or 65535))
        elif isinstance(target, Workload):
            found |= {(held, number, number) for name, held, number in target.ports if (name, held) == (port, protocol)}
    return found


def normal(some: Any) -> Spans:
    """Merged and sorted, so that equal sets are equal."""
    found: list[tuple[str, int, int]] = []
    for protocol, low, high in sorted(some):
        if found and found[-1][0] == protocol and low <= found[-1][2] + 1:
            found[-1] = (protocol, found[-1][1], max(high, found[-1][2]))
        else:
            found.append((protocol, low, high))
    return tuple(found)


def both(one: Ports, other: Ports) -> Spans:
    pairs = ((a[0], max(a[1], b[1]), min(a[2], b[2])) for a in one for b in other if a[0] == b[0])
    return normal(each for each in pairs if each[1] <= each[2])


def uncut(world: World) -> list[str]:
    """Addresses where a block begins or ends that are no cut: the certificate's atoms would hide them."""
    rules = [rule for held in world.held.values() for _, rule in held or ()]
    peers = [peer for rule in rules for peer in [*(rule.get("from") or ()), *(rule.get("to") or ())]]
    found = set()
    for block in (peer["ipBlock"] for peer in peers if peer.get("ipBlock")):
        for network in networks(block):
            address = type(network.network_address)
            for end in (int(network.network_address), int(network.broadcast_address) + 1):
                inside = 0 < end < 1 << network.max_prefixlen
                if inside and covers(block, address(end)) != covers(block, address(end - 1)):
                    found.add(address(end))
    return [str(each) for each in found - set(world.cuts)]


def check(certificate: Document, documents: list[Document]) -> int:
    """Raises Refuted; returns how many pairs of ends were compared."""
    world = World(documents, certificate["cuts"])
    if sorted(itertools.chain(*certificate["classes"])) != sorted(world.workloads):
        raise Refuted("its classes are not the workloads of the manifests, each once")
    if missing := uncut(world):
        raise Refuted(f"its addresses are not told apart at {', '.join(missing)}")
    ends: list[list[Any]] = [[world.workloads[title] for title in members] for members in certificate["classes"]]
    ends += [[address] for address in world.cuts]
    claimed: dict[tuple[int, int], set[tuple[str, int, int]]] = {}
    for each in certificate["rectangles"]:
        some = {tuple(span) for span in each["ports"]}
        for pair in itertools.product(each["sources"], each["destinations"]):
            claimed[pair] = claimed.get(pair, set()) | some
    for s, d in itertools.product(range(len(ends)), repeat=2):
        for source, destination in itertools.product(ends[s], ends[d]):
            out, into = world.allowed(source, destination, "Egress"), world.allowed(destination, source, "Ingress")
            right = both(out, into) if Workload in (type(source), type(destination)) else ()
            if right != normal(claimed.get((s, d), ())):
                raise Refuted(f"{source} to {destination} is not as the certificate has it")
    return len(ends) ** 2


if __name__ == "__main__":
    try:
        claims, *read = (pathlib.Path(each).read_text() for each in sys.argv[1:])
        pairs = check(json.loads(claims), [each for text in read for each in yaml.safe_load_all(text) if each])
    except (Refuted, OSError) as error:
        sys.exit(f"the certificate does not hold: {error}")
    print(f"the certificate holds: {pairs} pairs of ends")
