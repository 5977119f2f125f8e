"""CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies on layers 3 and 4."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.proof.drawing import words
from tests.proof.drawing.words import Document

NAMESPACE = "k8s:io.kubernetes.pod.namespace"


@st.composite
def policies(draw: st.DrawFn, name: str) -> Document:
    everywhere = draw(st.integers(0, 3)) == 0
    metadata = (
        {"name": name} if everywhere else {"name": name, "namespace": draw(st.sampled_from(words.LIKELY_NAMESPACES))}
    )
    kind = "CiliumClusterwideNetworkPolicy" if everywhere else "CiliumNetworkPolicy"
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": draw(specs())}


@st.composite
def specs(draw: st.DrawFn) -> Document:
    spec: Document = {
        "endpointSelector": draw(words.selectors(st.sampled_from(words.KEYS), st.sampled_from(words.VALUES)))
    }
    for section, prefix in (("ingress", "from"), ("egress", "to")):
        if draw(st.booleans()):
            spec[section] = draw(st.lists(words.often(rules(prefix), st.just({}), 6), max_size=2))
        if draw(st.integers(0, 3)) == 0:
            spec[f"{section}Deny"] = draw(st.lists(rules(prefix), min_size=1, max_size=1))
    if draw(st.integers(0, 5)) == 0:
        spec["enableDefaultDeny"] = {"ingress": draw(st.booleans()), "egress": draw(st.booleans())}
    return spec


@st.composite
def rules(draw: st.DrawFn, prefix: str) -> Document:
    """At least one member, so that a deny rule is never empty."""
    rule: Document = draw(st.one_of(endpoints(prefix), entities(prefix), blocks(prefix), st.just({})))
    if not rule or draw(st.booleans()):
        rule = {**rule, "toPorts": [{"ports": draw(st.lists(ports(), min_size=1, max_size=2))}]}
    return rule


def endpoints(prefix: str) -> st.SearchStrategy[Document]:
    own = words.selectors(st.sampled_from(words.KEYS), st.sampled_from(words.VALUES))
    away = st.tuples(st.sampled_from(words.LIKELY_NAMESPACES), words.labels())
    named = away.map(lambda pair: {"matchLabels": {**pair[1], NAMESPACE: pair[0]}})
    chosen = st.lists(st.one_of(own, named), min_size=1, max_size=2)
    return chosen.map(lambda selectors: {f"{prefix}Endpoints": selectors})


def entities(prefix: str) -> st.SearchStrategy[Document]:
    chosen = st.lists(st.sampled_from(("all", "world", "cluster")), min_size=1, max_size=2, unique=True)
    return chosen.map(lambda names: {f"{prefix}Entities": names})


def blocks(prefix: str) -> st.SearchStrategy[Document]:
    plain = st.lists(st.sampled_from(words.CIDRS), min_size=1, max_size=2).map(lambda some: {f"{prefix}CIDR": some})
    holed = st.lists(words.ip_blocks(), min_size=1, max_size=2).map(lambda some: {f"{prefix}CIDRSet": some})
    return st.one_of(plain, holed)


@st.composite
def ports(draw: st.DrawFn) -> Document:
    port: Document = {"port": draw(st.sampled_from((*map(str, words.PORTS), *words.PORT_NAMES)))}
    if draw(st.booleans()):
        port["protocol"] = draw(st.sampled_from((*words.PROTOCOLS, "ANY")))
    if port["port"].isdigit() and draw(st.integers(0, 3)) == 0:
        port["endPort"] = draw(st.sampled_from([other for other in words.PORTS if other >= int(port["port"])]))
    return port
