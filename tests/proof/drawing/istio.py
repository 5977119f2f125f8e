"""Istio's AuthorizationPolicies, as far as they are about connections."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.proof.drawing import words
from tests.proof.drawing.words import Document


@st.composite
def policies(draw: st.DrawFn, name: str) -> Document:
    home = draw(words.often(st.sampled_from(words.LIKELY_NAMESPACES), st.just("istio-system"), 5))
    spec: Document = {}
    if draw(st.booleans()):
        spec["selector"] = {"matchLabels": draw(words.labels())}
    if draw(st.booleans()):
        spec["action"] = draw(st.sampled_from(("ALLOW", "DENY", "AUDIT")))
    if draw(st.integers(0, 4)):
        spec["rules"] = draw(st.lists(rules(), max_size=2))
    metadata = {"name": name, "namespace": home}
    return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": metadata, "spec": spec}


@st.composite
def rules(draw: st.DrawFn) -> Document:
    rule: Document = {}
    if draw(st.integers(0, 2)):
        rule["from"] = [{"source": draw(sources())} for _ in range(draw(st.integers(1, 2)))]
    if draw(st.booleans()):
        key = draw(st.sampled_from(("ports", "notPorts")))
        rule["to"] = [
            {"operation": {key: draw(st.lists(st.sampled_from(words.PORTS).map(str), min_size=1, max_size=2))}}
        ]
    return rule


def sources() -> st.SearchStrategy[Document]:
    spaces = st.lists(st.sampled_from((*words.NAMESPACES, "a*", "*a", "*")), min_size=1, max_size=2)
    accounts = st.sampled_from((*words.NAMESPACES,)).map(lambda name: [f"cluster.local/ns/{name}/sa/*"])
    return st.one_of(
        st.tuples(st.sampled_from(("namespaces", "notNamespaces")), spaces).map(lambda pair: dict([pair])),
        st.tuples(st.sampled_from(("principals", "notPrincipals")), accounts).map(lambda pair: dict([pair])),
        st.lists(st.sampled_from(words.CIDRS), min_size=1, max_size=2).map(lambda cidrs: {"ipBlocks": cidrs}),
    )
