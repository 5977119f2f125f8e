"""NetworkPolicy v1: rules as plain data, and everything the API server would refuse.

Source: Kubernetes API reference 1.34, NetworkPolicy v1; pkg/apis/networking/validation.
"""

from __future__ import annotations

import functools
import re

import msgspec

from groundplan.proof import addresses, connections, intervals
from groundplan.proof.manifests import documents
from groundplan.proof.model import selectors, shapes

INGRESS, EGRESS = "Ingress", "Egress"
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class Block(msgspec.Struct, gc=False, frozen=True):
    """An ipBlock: the addresses it covers, excepts taken out."""

    cidr: str
    excluded: tuple[str, ...]
    covers: intervals.Intervals


class Peer(msgspec.Struct, gc=False, frozen=True):
    """Pods by selectors (namespaces None: the policy's own), or addresses."""

    pods: selectors.Selector = ()
    namespaces: selectors.Selector | None = None
    block: Block | None = None


class Named(msgspec.Struct, gc=False, frozen=True):
    """A port by its name at the destination."""

    name: str
    protocol: str


class Ports(msgspec.Struct, gc=False, frozen=True):
    """What the ports of a rule allow."""

    numbers: intervals.Intervals
    names: tuple[Named, ...] = ()


EVERY_PORT = Ports(connections.ALL)


class Rule(msgspec.Struct, gc=False, frozen=True):
    """One rule; peers None: everybody, inside and out."""

    peers: tuple[Peer, ...] | None
    ports: Ports


class Policy(msgspec.Struct, gc=False, frozen=True, eq=False):
    """One policy. Dead rules of unlisted types are left out of it."""

    namespace: str
    name: str
    subjects: selectors.Selector
    ingress: tuple[Rule, ...] | None
    """None: it says nothing of this direction."""
    egress: tuple[Rule, ...] | None
    document: documents.Document
    dead: tuple[str, ...] = ()
    """Directions whose rules never apply."""

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    def rules(self, direction: str) -> tuple[Rule, ...] | None:
        """Of one direction."""
        return self.ingress if direction == INGRESS else self.egress


def read(document: documents.Document, namespace: str) -> tuple[Policy, list[tuple[str, str]]]:
    """The policy, and what the API server would refuse as (field, why); raises ValueError for a wrong shape."""
    if document.data["apiVersion"] != "networking.k8s.io/v1":
        raise ValueError(f"apiVersion {document.data['apiVersion']} is not served: it is networking.k8s.io/v1")
    shape: shapes.NetworkPolicy = shapes.convert(document.data, shapes.NetworkPolicy)
    spec = shape.spec or shapes.PolicySpec()
    wrong: list[tuple[str, str]] = []
    subjects = selectors.of(spec.pod_selector, "spec.podSelector", wrong)
    types = _types(spec, wrong)
    ingress = tuple([_rule(each, f"spec.ingress[{i}]", "from", wrong) for i, each in enumerate(spec.ingress or ())])
    egress = tuple([_rule(each, f"spec.egress[{i}]", "to", wrong) for i, each in enumerate(spec.egress or ())])
    dead = tuple(name for name, rules in ((INGRESS, ingress), (EGRESS, egress)) if rules and name not in types)
    policy = Policy(
        namespace, shape.metadata.name or shape.metadata.generate_name or "", subjects,
        ingress if INGRESS in types else None, egress if EGRESS in types else None, document, dead,
    )  # fmt: skip
    if not policy.name:
        wrong.append(("metadata.name", "it has no name"))
    return policy, wrong


def _types(spec: shapes.PolicySpec, wrong: list[tuple[str, str]]) -> list[str]:
    if not spec.policy_types:
        return [INGRESS, EGRESS] if spec.egress else [INGRESS]
    for number, each in enumerate(spec.policy_types):
        if each not in (INGRESS, EGRESS):
            wrong.append((f"spec.policyTypes[{number}]", f"{each!r} is neither Ingress nor Egress"))
    if len(spec.policy_types) > 2:
        wrong.append(("spec.policyTypes", "there are more than two"))
    return spec.policy_types


def _rule(shape: shapes.Ingress | shapes.Egress, path: str, word: str, wrong: list[tuple[str, str]]) -> Rule:
    peers = tuple([_peer(each, f"{path}.{word}[{i}]", wrong) for i, each in enumerate(shape.peers or ())])
    return Rule(peers or None, _ports(shape.ports, path, wrong))


def _peer(shape: shapes.Peer, path: str, wrong: list[tuple[str, str]]) -> Peer:
    pods, namespaces, block = shape.pod_selector, shape.namespace_selector, shape.ip_block
    if block is not None:
        if pods is not None or namespaces is not None:
            wrong.append((path, "ipBlock stands beside a selector: a peer is one or the other"))
        return Peer(block=_block(block, f"{path}.ipBlock", wrong))
    if pods is None and namespaces is None:
        wrong.append((path, "it is empty: a peer needs a podSelector, a namespaceSelector or an ipBlock"))
    where = None if namespaces is None else selectors.of(namespaces, f"{path}.namespaceSelector", wrong)
    return Peer(selectors.of(pods, f"{path}.podSelector", wrong), where)


def _block(shape: shapes.IPBlock, path: str, wrong: list[tuple[str, str]]) -> Block:
    try:
        whole = addresses.network(shape.cidr)
    except ValueError as error:
        wrong.append((f"{path}.cidr", f"{shape.cidr!r} is no CIDR: {error}"))
        return Block(shape.cidr, (), ())
    covers: intervals.Intervals = (whole,)
    for number, each in enumerate(shape.excluded or ()):
        covers = intervals.difference(covers, _excluded(each, whole, f"{path}.except[{number}]", wrong))
    return Block(shape.cidr, tuple(shape.excluded or ()), covers)


def _excluded(cidr: str, whole: tuple[int, int], path: str, wrong: list[tuple[str, str]]) -> intervals.Intervals:
    try:
        low, high = addresses.network(cidr)
    except ValueError as error:
        wrong.append((path, f"{cidr!r} is no CIDR: {error}"))
        return ()
    if not (whole[0] <= low and high <= whole[1]) or (low, high) == whole:
        wrong.append((path, f"{cidr} is not strictly inside the block"))
    return ((low, high),)


def _ports(shape: list[shapes.PolicyPort] | None, path: str, wrong: list[tuple[str, str]]) -> Ports:
    if not shape:
        return EVERY_PORT
    said = tuple([(each.protocol or "TCP", each.port, each.end_port) for each in shape])
    found, complaints = _known(said)
    if complaints:
        wrong.extend((f"{path}.ports{field}", why) for field, why in complaints)
    return found


Said = tuple[str, int | str | None, int | None]
"""Protocol, port and endPort as an entry of ports says them."""


@functools.lru_cache(maxsize=1 << 14)
def _known(said: tuple[Said, ...]) -> tuple[Ports, tuple[tuple[str, str], ...]]:
    """What entries of ports mean, and why the API server would refuse them; most rules say the same few."""
    numbers: list[tuple[int, int]] = []
    names: list[Named] = []
    wrong: list[tuple[str, str]] = []
    for i, each in enumerate(said):
        found = _port(each, f"[{i}]", wrong)
        if isinstance(found, Named):
            names.append(found)
        else:
            numbers.extend(found)
    return Ports(intervals.of(numbers), tuple(dict.fromkeys(names))), tuple(wrong)


def _port(said: Said, path: str, wrong: list[tuple[str, str]]) -> Named | intervals.Intervals:
    protocol, port, last = said
    if protocol not in connections.PROTOCOLS:
        wrong.append((f"{path}.protocol", f"{protocol!r} is none of TCP, UDP, SCTP"))
        return ()
    if isinstance(port, str):
        if last is not None:
            wrong.append((f"{path}.endPort", "a range needs a number in port, not a name"))
        return _named(port, protocol, path, wrong)
    if port is None:
        if last is not None:
            wrong.append((f"{path}.endPort", "it stands without port"))
        return connections.of(protocol)
    return _numbers(protocol, port, port if last is None else last, path, wrong)


def _named(name: str, protocol: str, path: str, wrong: list[tuple[str, str]]) -> Named:
    if name.isdigit():
        wrong.append((f"{path}.port", f'"{name}" is quoted, so it is a name, and no name is all digits: write {name}'))
    elif not _PORT_NAME.fullmatch(name) or len(name) > 15:
        wrong.append((f"{path}.port", f"{name!r} is no port name: at most 15 of a-z, 0-9 and -, with a letter"))
    return Named(name, protocol)


def _numbers(protocol: str, first: int, last: int, path: str, wrong: list[tuple[str, str]]) -> intervals.Intervals:
    if not 1 <= first <= connections.LAST:
        wrong.append((f"{path}.port", f"{first} is no port: ports are 1 to {connections.LAST}"))
        return ()
    if not first <= last <= connections.LAST:
        wrong.append((f"{path}.endPort", f"{last} is not between port {first} and {connections.LAST}"))
        return ()
    return connections.of(protocol, first, last)
