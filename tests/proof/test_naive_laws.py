"""What holds of reachability whatever the cluster, so that the judge is judged too."""

from __future__ import annotations

import json
import random
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.proof import naive, strategies

Drawn = tuple[list[dict[str, Any]], list[naive.Question]]
EVERYBODY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
NOBODY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

drawn = hypothesis.given(strategies.clusters_and_questions())
plain = hypothesis.given(strategies.clusters_and_questions(families=("none",)))
limited = hypothesis.settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)


def added(documents: list[dict[str, Any]], spec: dict[str, Any]) -> list[dict[str, Any]]:
    """`documents` and one more NetworkPolicy in every namespace."""
    homes = {str(document["metadata"].get("namespace") or "") for document in documents} - {""}
    more = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "added", "namespace": home},
            "spec": spec,
        }
        for home in sorted(homes)
    ]
    return documents + more


def compared(before: list[dict[str, Any]], after: list[dict[str, Any]], questions: list[naive.Question]) -> list[Any]:
    return list(zip(naive.verdicts(before, questions), naive.verdicts(after, questions), questions, strict=True))


@limited
@drawn
def test_random_clusters_are_valid_and_plain(drawing: Drawn) -> None:
    documents, questions = drawing
    assert json.loads(json.dumps(documents)) == documents
    assert "invalid" not in naive.verdicts(documents, questions)


@limited
@hypothesis.given(strategies.clusters_and_questions(), st.integers(0, 9))
def test_the_order_of_documents_never_matters(drawing: Drawn, seed: int) -> None:
    documents, questions = drawing
    shuffled = random.Random(seed).sample(documents, len(documents))
    assert all(one == other for one, other, _ in compared(documents, shuffled, questions))


@limited
@plain
def test_a_policy_for_everybody_takes_nothing_away(drawing: Drawn) -> None:
    documents, questions = drawing
    for before, after, question in compared(documents, added(documents, EVERYBODY), questions):
        assert before != "allowed" or after == "allowed", question


@limited
@plain
def test_a_policy_for_nobody_allows_nothing_more(drawing: Drawn) -> None:
    documents, questions = drawing
    for before, after, question in compared(documents, added(documents, NOBODY), questions):
        assert after != "allowed" or before == "allowed", question


@limited
@plain
def test_under_default_deny_dropping_a_policy_allows_nothing_more(drawing: Drawn) -> None:
    documents, questions = drawing
    closed = added(documents, NOBODY)
    fewer = [one for one in closed if one["kind"] != "NetworkPolicy" or one["metadata"]["name"] == "added"]
    for before, after, question in compared(closed, fewer, questions):
        assert after != "allowed" or before == "allowed", question


@limited
@plain
def test_a_policy_may_be_split_rule_by_rule(drawing: Drawn) -> None:
    documents, questions = drawing
    split = [part for document in documents for part in parts(document)]
    assert all(one == other for one, other, _ in compared(documents, split, questions))


def parts(document: dict[str, Any]) -> list[dict[str, Any]]:
    """A NetworkPolicy as several of one rule each, and one of none that isolates alike."""
    if document["kind"] != "NetworkPolicy":
        return [document]
    spec, name = document["spec"], document["metadata"]["name"]
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    head = {"podSelector": spec.get("podSelector"), "policyTypes": types}
    bodies = [{direction: [rule]} for direction in ("ingress", "egress") for rule in spec.get(direction) or []]
    named = enumerate([{}, *bodies])
    return [
        {**document, "metadata": {**document["metadata"], "name": f"{name}-{number}"}, "spec": {**head, **body}}
        for number, body in named
    ]


@limited
@hypothesis.given(strategies.clusters_and_questions(families=("istio",)))
def test_the_mesh_only_narrows(drawing: Drawn) -> None:
    documents, questions = drawing
    bare = [one for one in documents if one["kind"] != "AuthorizationPolicy"]
    for before, after, question in compared(bare, documents, questions):
        assert after != "allowed" or before == "allowed", question
        assert before != "denied" or after == "denied", question


@pytest.mark.parametrize("verdict", ["allowed", "denied", "undecidable"])
@pytest.mark.parametrize("family", sorted(set(strategies.FAMILIES)))
def test_random_clusters_reach_every_verdict(family: str, verdict: str) -> None:
    """A search that fails to find one raises `NoSuchExample`."""
    hypothesis.find(
        strategies.clusters_and_questions(count=10, families=(family,)),
        lambda drawing: verdict in naive.verdicts(*drawing),
        settings=hypothesis.settings(
            max_examples=500, phases=[hypothesis.Phase.generate], derandomize=True, database=None
        ),
    )
