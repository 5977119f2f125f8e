"""Random clusters, rich in the corner cases, and questions that fall on their edges.

`clusters` draws lists of documents: namespaces with, without and beside their objects, workloads of every kind,
NetworkPolicies, and now and then one family of the kinds beside them. `questions` draws connections to ask about:
between pods, and with addresses at the ends of every block, on ports at the ends of every range.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.proof import naive
from tests.proof.drawing import cilium, istio, policies, tiers, words, workloads
from tests.proof.drawing.words import Document

FAMILIES = ("none", "none", "none", "none", "tiers", "older tiers", "cilium", "istio")
NUMBERS = ("port", "endPort", "number", "start", "end", "containerPort")


@st.composite
def clusters(draw: st.DrawFn, families: tuple[str, ...] = FAMILIES) -> list[Document]:
    """Documents in any order; `families` says which kinds beside NetworkPolicy v1 may be drawn."""
    family = draw(st.sampled_from(families))
    documents = draw(workloads.namespaces(mesh=family == "istio"))
    documents += [draw(workloads.workloads(f"w{number}")) for number in range(draw(st.integers(2, 4)))]
    documents += [draw(policies.policies(f"p{number}")) for number in range(draw(st.integers(1, 5)))]
    documents += [policies.closing(home) for home in words.NAMESPACES if draw(st.integers(0, 3)) == 0]
    documents += draw(beside(family))
    if draw(st.integers(0, 3)) == 0:
        documents.append(draw(workloads.services("w0")))
    return list(draw(st.permutations(documents)))


@st.composite
def beside(draw: st.DrawFn, family: str) -> list[Document]:
    kinds = {"tiers": tiers.newer, "older tiers": tiers.older, "cilium": cilium.policies, "istio": istio.policies}
    if family not in kinds:
        return []
    found = [draw(kinds[family](f"x{number}")) for number in range(draw(st.integers(1, 3)))]
    if family == "older tiers" and draw(st.booleans()):
        found.append(draw(tiers.baseline()))
    return found


def questions(documents: list[Document]) -> st.SearchStrategy[naive.Question]:
    """One connection with a pod at an end, at least."""
    pods = st.sampled_from(naive.pods(documents))
    ends = words.often(pods, st.sampled_from(addresses(documents)), 2)
    pairs = st.one_of(st.tuples(pods, ends), st.tuples(ends, pods))
    asked = st.tuples(st.sampled_from(words.PROTOCOLS), st.sampled_from(ports(documents)))
    return st.tuples(pairs, asked).map(lambda both: (*both[0], *both[1]))


@st.composite
def clusters_and_questions(
    draw: st.DrawFn, count: int = 20, families: tuple[str, ...] = FAMILIES
) -> tuple[list[Document], list[naive.Question]]:
    """A cluster, and `count` questions about it."""
    documents = draw(clusters(families))
    return documents, draw(st.lists(questions(documents), min_size=count, max_size=count))


def ports(documents: Iterable[Any]) -> list[int]:
    """Every port number that is written, its neighbours, and the ends of the universe."""
    written = {int(value) for key, value in leaves(documents) if key in NUMBERS and str(value).isdigit()}
    near = {port + step for port in written for step in (-1, 0, 1)} | {1, 65535}
    return sorted(port for port in near if 1 <= port <= 65535)


def addresses(documents: Iterable[Any]) -> list[str]:
    """The first and last address of every block that is written, their neighbours, and one in each family."""
    found = {"198.51.100.7", "2001:db8:ffff::7"}
    for _, value in leaves(documents):
        found.update(edges(value))
    return sorted(found)


def edges(value: Any) -> Iterator[str]:
    try:
        block = ipaddress.ip_network(value) if isinstance(value, str) and "/" in value else None
    except ValueError:
        return
    if block is None:
        return
    kind, top = type(block[0]), 2**block.max_prefixlen - 1
    for number in (int(block[0]) - 1, int(block[0]), int(block[-1]), int(block[-1]) + 1):
        if 0 <= number <= top:
            yield str(kind(number))


def leaves(thing: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar, with the key it stands under."""
    if isinstance(thing, dict):
        for name, inner in thing.items():
            yield from leaves(inner, str(name))
    elif isinstance(thing, list | tuple):
        for inner in thing:
            yield from leaves(inner, key)
    else:
        yield key, thing
