"""ClusterNetworkPolicies, and AdminNetworkPolicies with their baseline."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.proof.drawing import words
from tests.proof.drawing.words import Document

GROUP = "policy.networking.k8s.io"


@st.composite
def newer(draw: st.DrawFn, name: str) -> Document:
    spec = {"tier": draw(st.sampled_from(("Admin", "Baseline"))), "priority": draw(st.integers(0, 2))}
    inner = draw(directions(("Accept", "Deny", "Pass"), "protocols", protocols()))
    return made("v1alpha2", "ClusterNetworkPolicy", name, {**spec, **inner})


@st.composite
def older(draw: st.DrawFn, name: str) -> Document:
    inner = draw(directions(("Allow", "Deny", "Pass"), "ports", admin_ports()))
    return made("v1alpha1", "AdminNetworkPolicy", name, {"priority": draw(st.integers(0, 2)), **inner})


def baseline() -> st.SearchStrategy[Document]:
    inner = directions(("Allow", "Deny"), "ports", admin_ports())
    return inner.map(lambda spec: made("v1alpha1", "BaselineAdminNetworkPolicy", "default", spec))


def made(version: str, kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": {"name": name}, "spec": spec}


@st.composite
def directions(draw: st.DrawFn, actions: tuple[str, ...], key: str, entries: st.SearchStrategy[Document]) -> Document:
    spec: Document = {"subject": draw(pods())}
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        if draw(st.integers(0, 3)):
            spec[direction] = draw(st.lists(rules(peers, actions, key, entries), max_size=3))
    return spec


@st.composite
def rules(
    draw: st.DrawFn, peers: str, actions: tuple[str, ...], key: str, entries: st.SearchStrategy[Document]
) -> Document:
    outside = draw(st.booleans()) and peers == "to"
    peer = networks() if outside else pods()
    rule: Document = {"action": draw(st.sampled_from(actions)), peers: draw(st.lists(peer, min_size=1, max_size=2))}
    if draw(st.booleans()):
        listed = draw(st.lists(entries, min_size=1, max_size=2))
        numeric = [entry for entry in listed if not {"destinationNamedPort", "namedPort"} & set(entry)]
        rule.update({key: chosen} if (chosen := numeric if outside else listed) else {})
    return rule


def pods() -> st.SearchStrategy[Document]:
    by_both = st.tuples(words.namespace_selectors(), words.pod_selectors())
    return st.one_of(
        words.namespace_selectors().map(lambda selector: {"namespaces": selector}),
        by_both.map(lambda pair: {"pods": {"namespaceSelector": pair[0], "podSelector": pair[1]}}),
    )


def networks() -> st.SearchStrategy[Document]:
    blocks = st.lists(st.sampled_from(words.CIDRS), min_size=1, max_size=2, unique=True)
    return blocks.map(lambda cidrs: {"networks": cidrs})


def protocols() -> st.SearchStrategy[Document]:
    numbered = st.tuples(st.sampled_from(("tcp", "udp", "sctp")), numbers())
    return st.one_of(
        numbered.map(lambda pair: {pair[0]: {"destinationPort": pair[1]}}),
        st.sampled_from(words.PORT_NAMES).map(lambda name: {"destinationNamedPort": name}),
    )


def numbers() -> st.SearchStrategy[Document]:
    number = st.sampled_from(words.PORTS).map(lambda port: {"number": port})
    return st.one_of(number, spans().map(lambda span: {"range": span}))


def spans() -> st.SearchStrategy[Document]:
    ends = st.lists(st.sampled_from(words.PORTS), min_size=2, max_size=2, unique=True)
    return ends.map(sorted).map(lambda pair: {"start": pair[0], "end": pair[1]})


def admin_ports() -> st.SearchStrategy[Document]:
    protocol = st.sampled_from(words.PROTOCOLS)
    return st.one_of(
        st.tuples(protocol, st.sampled_from(words.PORTS)).map(
            lambda pair: {"portNumber": {"protocol": pair[0], "port": pair[1]}}
        ),
        st.tuples(protocol, spans()).map(lambda pair: {"portRange": {"protocol": pair[0], **pair[1]}}),
        st.sampled_from(words.PORT_NAMES).map(lambda name: {"namedPort": name}),
    )
