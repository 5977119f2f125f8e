"""The engine agrees with the naive evaluator on random clusters, and its ways to an answer agree with each other."""

from __future__ import annotations

import random
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from groundplan import proof
from groundplan.proof import connections, intervals
from groundplan.proof.explain import pairs
from groundplan.proof.reach import bits, join, sides
from tests.proof import naive, strategies, test_engine_specimens

Drawn = tuple[list[dict[str, Any]], list[naive.Question]]
OPTIONS = st.fixed_dictionaries(
    {
        "ipblock_matches_pods": st.booleans(),
        "pod_ranges": st.sampled_from(((), ("10.0.0.0/16",))),
        "node_ranges": st.sampled_from(((), ("10.240.0.0/16",))),
    }
)
limited = hypothesis.settings(
    max_examples=60,
    deadline=None,
    # A cluster shrinks for minutes; the message names the one connection that is wrong.
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate),
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)


def agreed(drawing: Drawn, options: dict[str, Any]) -> None:
    documents, questions = drawing
    right = naive.verdicts(documents, questions, **options)
    for question, verdict in zip(questions, right, strict=True):
        said = test_engine_specimens.verdict(documents, *question, options)
        assert said == verdict, f"{question}: the engine says {said}, the rules say {verdict}"


@limited
@hypothesis.given(strategies.clusters_and_questions(families=("none",)), OPTIONS)
def test_the_engine_agrees_with_the_rules_of_network_policies(drawing: Drawn, options: dict[str, Any]) -> None:
    agreed(drawing, options)


@limited
@hypothesis.given(strategies.clusters_and_questions(families=("tiers", "older tiers", "cilium", "istio")), OPTIONS)
def test_the_engine_agrees_with_the_rules_of_kinds_beside(drawing: Drawn, options: dict[str, Any]) -> None:
    documents, questions = drawing
    right = naive.verdicts(documents, questions, **options)
    for question, verdict in zip(questions, right, strict=True):
        said = test_engine_specimens.verdict(documents, *question, options)
        if verdict == "undecidable" != said:
            # The rules stop at the first thing unknown; the engine goes on, and may find that it does not matter.
            # Then nothing that can become known may say otherwise.
            assert known(documents, question, options) <= {said, "undecidable"}, (question, said)
        else:
            assert said == verdict, f"{question}: the engine says {said}, the rules say {verdict}"


def known(documents: list[dict[str, Any]], question: naive.Question, options: dict[str, Any]) -> set[str]:
    """What the rules say once it is known where pods and nodes are, be it anywhere."""
    found: set[str] = set()
    for address in ("10.0.0.7", "10.1.0.7", "10.1.2.3", "10.1.2.200", "10.200.0.1", "192.0.2.9", "172.16.0.1"):
        sure = {**options, "pod_ranges": options["pod_ranges"] or (f"{address}/32",)}
        found |= set(naive.verdicts(documents, [question], **sure))
    return found


def cluster(documents: list[dict[str, Any]], options: dict[str, Any]) -> proof.Cluster:
    return proof.Cluster.of(documents, options=proof.Options(**options))


@limited
@hypothesis.given(strategies.clusters_and_questions(families=("none",)), OPTIONS)
def test_an_explanation_gives_the_answer_of_the_engine(drawing: Drawn, options: dict[str, Any]) -> None:
    documents, questions = drawing
    whole = cluster(documents, options)
    for source, destination, protocol, port in questions:
        pair = [test_engine_specimens.end(whole, each) for each in (source, destination)]
        ports = connections.of(protocol, port, port)
        found = pairs.explain(whole, pair[0], pair[1], ports)
        assert found.answer == whole.between(pair[0], pair[1], ports), (source, destination, protocol, port)


@limited
@hypothesis.given(strategies.clusters(), st.sampled_from(sides.Reading))
def test_rows_are_what_is_between_each_pair(documents: list[dict[str, Any]], reading: sides.Reading) -> None:
    reach = cluster(documents, {}).reach(reading)
    found = dict(reach.rows())
    count = len(reach.universe.classes) + len(reach.universe.cuts)
    for source in range(count):
        rest = dict(found.get(source, ()))
        for destination in range(count):
            ports = [ports for some, ports in rest.items() if some >> destination & 1]
            assert (ports or [intervals.NONE]) == [reach.between(source, destination)]


@limited
@hypothesis.given(strategies.clusters())
def test_sets_of_many_and_of_few_are_walked_alike(documents: list[dict[str, Any]]) -> None:
    """Random clusters are small: with another idea of few, the way for large ones is taken too."""
    usual = dict(cluster(documents, {}).reach().rows())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bits, "FEW", 0)
        assert dict(cluster(documents, {}).reach().rows()) == usual


@limited
@hypothesis.given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_a_set_is_its_parts_by_namespace(sizes: list[int], draw: random.Random) -> None:
    last = sum(sizes)
    some = draw.getrandbits(last) & draw.choice([draw.getrandbits(last), ~0, 1 << draw.randrange(last)])
    half = join.Half(0, 0, some or 1, some or 1)
    spaces = [sum(sizes[:number]) for number in range(len(sizes))]
    parts = join.Parts([half], spaces, last)
    together = [part << space for space, held in zip(spaces, parts.peers, strict=True) for part in held]
    assert sum(together) == half.peers
    assert all(part < 1 << size for size, held in zip(sizes, parts.peers, strict=True) for part in held)


@limited
@hypothesis.given(st.sets(st.integers(0, 300)))
def test_a_set_of_numbers_is_its_members(numbers: set[int]) -> None:
    assert list(bits.members(bits.of(numbers))) == sorted(numbers)


@limited
@hypothesis.given(*(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6))) for _ in range(2)))
def test_interval_sets_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    left, right = (intervals.of((low, low + size) for low, size in some) for some in (one, other))
    sets = [{number for low, high in some for number in range(low, high + 1)} for some in (left, right)]
    for made, meant in (
        (intervals.union(left, right), sets[0] | sets[1]),
        (intervals.intersection(left, right), sets[0] & sets[1]),
        (intervals.difference(left, right), sets[0] - sets[1]),
    ):
        assert made == intervals.of((number, number) for number in meant)


@hypothesis.settings(limited, max_examples=20)
@hypothesis.given(strategies.clusters_and_questions())
def test_a_cluster_without_doubts_leaves_no_question_open(drawing: Drawn) -> None:
    documents, questions = drawing
    cluster = proof.Cluster.of(documents)
    if not cluster.doubts():
        said = {test_engine_specimens.verdict(documents, *question, {}) for question in questions}
        assert "undecidable" not in said
