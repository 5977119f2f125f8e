"""NetworkPolicies in every spelling that an API server takes."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.proof.drawing import words
from tests.proof.drawing.words import Document


@st.composite
def policies(draw: st.DrawFn, name: str) -> Document:
    spec: Document = {}
    if draw(st.integers(0, 7)):
        spec["podSelector"] = draw(words.often(words.pod_selectors(), st.none(), 15))
    if draw(st.integers(0, 2)):
        spec["policyTypes"] = draw(types())
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        if draw(st.integers(0, 2)):
            spec[direction] = draw(words.often(st.lists(rules(peers), max_size=3), st.none(), 9))
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": draw(st.sampled_from(words.LIKELY_NAMESPACES))},
        "spec": spec,
    }


def closing(home: str) -> Document:
    """What the well-advised have in every namespace."""
    metadata = {"name": "closing", "namespace": home}
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def types() -> st.SearchStrategy[list[str] | None]:
    both = [["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Egress", "Ingress"]]
    return words.often(st.sampled_from(both), st.sampled_from(([], None)), 5)


@st.composite
def rules(draw: st.DrawFn, peers: str) -> Document:
    rule: Document = {}
    if draw(st.integers(0, 9)):
        rule[peers] = draw(words.often(st.lists(peer(), min_size=1, max_size=2), st.sampled_from(([], None)), 12))
    if draw(st.integers(0, 3)):
        rule["ports"] = draw(words.often(st.lists(entries(), min_size=1, max_size=2), st.sampled_from(([], None)), 6))
    return rule


def peer() -> st.SearchStrategy[Document]:
    pods, spaces = words.pod_selectors(), words.namespace_selectors()
    return st.one_of(
        pods.map(lambda selector: {"podSelector": selector}),
        spaces.map(lambda selector: {"namespaceSelector": selector}),
        st.tuples(pods, spaces).map(lambda pair: {"podSelector": pair[0], "namespaceSelector": pair[1]}),
        st.tuples(pods).map(lambda one: {"podSelector": one[0], "namespaceSelector": None}),
        words.ip_blocks().map(lambda block: {"ipBlock": block}),
    )


@st.composite
def entries(draw: st.DrawFn) -> Document:
    """A number, a range, a name, or a protocol alone; the protocol given, null or left out."""
    entry: Document = draw(
        st.one_of(
            st.just({}),
            st.sampled_from(words.PORTS).map(lambda port: {"port": port}),
            ranges(),
            st.sampled_from((*words.PORT_NAMES, "unknown")).map(lambda name: {"port": name}),
        )
    )
    if draw(st.booleans()):
        entry = {**entry, "protocol": draw(st.sampled_from((*words.PROTOCOLS, None)))}
    return entry


def ranges() -> st.SearchStrategy[Document]:
    ends = st.tuples(st.sampled_from(words.PORTS), st.sampled_from(words.PORTS))
    return ends.map(sorted).map(lambda pair: {"port": pair[0], "endPort": pair[1]})
