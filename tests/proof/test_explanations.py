"""Explanations where other kinds of policies hold too: what decided is what the engine says, and changes do open."""

from __future__ import annotations

import functools
from typing import Any

import hypothesis
import pytest
import yaml

from groundplan import proof
from groundplan.proof import connections, intervals
from groundplan.proof.explain import layers, pairs
from groundplan.proof.show import explained
from tests.proof import strategies, test_engine_laws, test_engine_specimens

few = hypothesis.settings(test_engine_laws.limited, max_examples=20)
KINDS = ("tiers", "older tiers", "cilium", "istio")


def asked(whole: proof.Cluster, question: Any) -> tuple[pairs.Explanation, Any]:
    source, destination, protocol, port = question
    pair = [test_engine_specimens.end(whole, each) for each in (source, destination)]
    ports = connections.of(protocol, port, port)
    return pairs.explain(whole, pair[0], pair[1], ports), ports


@few
@hypothesis.given(strategies.clusters_and_questions(families=KINDS))
def test_where_every_rule_surely_matches_or_not_the_steps_give_the_answer(drawing: test_engine_laws.Drawn) -> None:
    documents, questions = drawing
    whole = proof.Cluster.of(documents)
    for question in questions:
        found, ports = asked(whole, question)
        assert list(explained.lines(found)) and explained.data(found)
        if (
            question[0] != question[1]
            and found.layers
            and all(side.sure for side in found.layers)
            and found.answer.verdict != "undecidable"
        ):
            both = [layers.allowed(side) for side in found.layers]
            passes = functools.reduce(intervals.intersection, both, connections.ALL)
            allowed = not intervals.difference(ports, passes)
            assert found.answer.verdict == ("allowed" if allowed else "denied"), told(question, found)


@few
@hypothesis.given(strategies.clusters_and_questions(families=KINDS))
def test_what_is_to_be_added_allows_the_connection(drawing: test_engine_laws.Drawn) -> None:
    documents, questions = drawing
    whole = proof.Cluster.of(documents)
    for question in questions:
        if any(isinstance(each, tuple) and each[2] in ("StatefulSet", "Job", "CronJob") for each in question[:2]):
            continue  # one pod of several may be meant, which no label of the template tells apart
        found, ports = asked(whole, question)
        if not found.changes or not all(each.yaml for each in found.changes):
            continue
        after = yaml.safe_load(yaml.safe_dump(documents))
        for each in found.changes:
            applied(after, each)
        again = proof.Cluster.of(after)
        ends = [test_engine_specimens.end(again, each) for each in question[:2]]
        assert again.between(ends[0], ends[1], ports).verdict != "denied", (question, found.changes)


def told(question: Any, found: pairs.Explanation) -> str:
    """For a failure's message."""
    return "\n".join([str(question), *explained.lines(found)])


def applied(documents: list[dict[str, Any]], change: Any) -> None:
    """Does to the documents what a change says."""
    namespace, _, name = change.policy.rpartition("/")
    (policy,) = [
        each
        for each in documents
        if (each["kind"], each["metadata"]["name"]) == (change.kind, name)
        and each["metadata"].get("namespace", "") == namespace
    ]
    *steps, last = change.path
    place: Any = policy
    for step in steps:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    held = list(place.get(last) or [])
    at = len(held) if change.at is None else change.at
    addition = yaml.safe_load(change.yaml)
    place[last] = [*held[:at], *(addition if isinstance(addition, list) else [addition]), *held[at:]]


SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db, image: "db:1", ports: [{containerPort: 5432}]}]}
"""
TIER = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: Admin
  priority: 5
  subject: {namespaces: {}}
  ingress:
  - {action: Accept, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: ops}}}}]}
  - {action: Deny, from: [{namespaces: {}}]}
"""
CILIUM = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingress: [{fromEndpoints: [{matchLabels: {app: ops}}]}]
"""
DENY = CILIUM.replace("ingress: [{fromEndpoints: [{matchLabels: {app: ops}}]}]", "ingressDeny: [{fromEndpoints: [{}]}]")
ISTIO = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: db, namespace: shop}
spec: {selector: {matchLabels: {app: db}}, rules: [{from: [{source: {namespaces: [ops]}}]}]}
"""


@pytest.mark.parametrize(
    ("policy", "decided", "what"),
    [
        (TIER, "+ ClusterNetworkPolicy guard spec.ingress[1] (deny): decides All",
         "add to spec.ingress, before item 1, of ClusterNetworkPolicy guard"),
        (CILIUM, "- allowed by no policy of those that isolate it: All",
         "add to spec.ingress of CiliumNetworkPolicy shop/db"),
        (DENY, "+ CiliumNetworkPolicy shop/db spec.ingressDeny[0] (deny): decides All",
         "remove spec.ingressDeny[0] of CiliumNetworkPolicy shop/db, or let it match less"),
        (ISTIO, "- named by no AuthorizationPolicy that allows: TCP 1-65535",
         "add to spec.rules of AuthorizationPolicy shop/db"),
    ],
    ids=["a tier", "cilium", "cilium denies", "istio"],
)  # fmt: skip
def test_what_decided_and_what_would_allow_it_is_said(policy: str, decided: str, what: str) -> None:
    documents = [*yaml.safe_load_all(SHOP), yaml.safe_load(policy)]
    found, _ = asked(proof.Cluster.of(documents), (("shop", "web", "Pod", 0), ("shop", "db", "Pod", 0), "TCP", 5432))
    assert any(decided in line for line in explained.lines(found)), list(explained.lines(found))
    (change,) = found.changes
    assert (found.answer.verdict, change.what) == ("denied", what)
    if change.yaml:
        applied(documents, change)
        assert proof.Cluster.of(documents).reachable("web", "db", 5432)


CROWD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: data, labels: {app: db}}
spec: {containers: [{name: db, image: db}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: data}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from:
    - {podSelector: {matchLabels: {app: first}}}
    - {podSelector: {matchLabels: {app: second}}}
    - {podSelector: {matchLabels: {app: third}}}
"""


def test_a_reason_that_many_peers_share_is_said_once() -> None:
    whole = proof.Cluster.of(list(yaml.safe_load_all(CROWD)))
    found, _ = asked(whole, (("shop", "web", "Pod", 0), ("data", "db", "Pod", 0), "TCP", 5432))
    said = "\n".join(explained.lines(found))
    assert said.count("it is for pods of namespace data") == 1, said


def test_a_policy_of_istios_that_names_nobody_is_told_whom_to_name():
    nobody = ISTIO.replace("rules: [{from: [{source: {namespaces: [ops]}}]}]", "rules: []")
    whole = proof.Cluster.of(list(yaml.safe_load_all(f"{SHOP}---{nobody}")))
    found, _ = asked(whole, (("shop", "web", "Pod", 0), ("shop", "db", "Pod", 0), "TCP", 5432))
    assert found.answer.verdict == "denied"
    assert [(each.kind, each.policy) for each in found.changes] == [("AuthorizationPolicy", "shop/db")]
