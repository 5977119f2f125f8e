"""Explanations where other kinds of policies hold too: what decided is what the engine says, and changes do open."""

from __future__ import annotations

import functools
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from groundplan import proof
from groundplan.proof import connections, intervals
from groundplan.proof.explain import layers, pairs
from groundplan.proof.show import explained
from tests.proof import naive, strategies, test_engine_laws, test_engine_specimens

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


@hypothesis.settings(few, max_examples=4)
@pytest.mark.parametrize("family", ("none", *KINDS))
@hypothesis.given(st.data())
def test_what_is_to_be_changed_allows_the_connection_and_nothing_that_is_not_said(
    family: str, data: st.DataObject
) -> None:
    documents, questions = data.draw(strategies.clusters_and_questions(families=(family,)))
    whole = proof.Cluster.of(documents)
    before = list(naive.verdicts(documents, questions))
    for question in questions[:6]:
        if any(isinstance(each, tuple) and each[2] in ("StatefulSet", "Job", "CronJob") for each in question[:2]):
            continue  # one pod of several may be meant, which no label of the template tells apart
        found, ports = asked(whole, question)
        if not found.changes or not all(each.yaml for each in found.changes):
            continue
        after = changed(documents, found)
        again = proof.Cluster.of(after)
        ends = [test_engine_specimens.end(again, each) for each in question[:2]]
        assert again.between(ends[0], ends[1], ports).verdict != "denied", (question, found.changes)
        for one, other, connection in zip(before, naive.verdicts(after, questions), questions, strict=True):
            if (one, other) == ("denied", "allowed"):
                assert said(found, question, connection), (question, connection, found.changes)


def changed(documents: list[dict[str, Any]], found: pairs.Explanation) -> list[dict[str, Any]]:
    """The documents with all changes made, last items first, so that the others keep their numbers."""
    after: list[dict[str, Any]] = yaml.safe_load(yaml.safe_dump(documents))
    for each in sorted(found.changes, key=lambda one: str(one.path), reverse=True):
        applied(after, each)
    return after


def said(found: pairs.Explanation, question: Any, connection: Any) -> bool:
    """Is a connection the one asked for, or between others that the changes say they open for?"""
    also = {each for one in found.changes for each in (*one.subjects, *one.peers)}
    if question[2:] != connection[2:]:
        return False
    ends = zip(question[:2], connection[:2], strict=True)
    return "everybody" in also or all(mine == its or title(its) in {title(mine), *also} for mine, its in ends)


def title(end: Any) -> str:
    """As a workload's."""
    return end if isinstance(end, str) else f"{end[0]}/{end[1]}[{end[2]}]"


def told(question: Any, found: pairs.Explanation) -> str:
    """For a failure's message."""
    return "\n".join([str(question), *explained.lines(found)])


def applied(documents: list[dict[str, Any]], change: Any) -> None:
    """Does to the documents what a change says."""
    addition = yaml.safe_load(change.yaml)
    if not change.path:
        documents.append(addition)
        return
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
    if change.instead:
        place[last : last + 1] = addition
        return
    held = list(place.get(last) or [])
    at = len(held) if change.at is None else change.at
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


PLAIN = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


@pytest.mark.parametrize(
    ("policy", "decided", "whats"),
    [
        (TIER, "+ ClusterNetworkPolicy guard spec.ingress[1] (deny): decides All",
         ["add ClusterNetworkPolicy db-from-web"]),
        (TIER.replace("priority: 5", "priority: 0"), "+ ClusterNetworkPolicy guard spec.ingress[1] (deny): decides All",
         ["add to spec.ingress, before item 1, of ClusterNetworkPolicy guard"]),
        (CILIUM, "- allowed by no policy of those that isolate it: All",
         ["add to spec.ingress of CiliumNetworkPolicy shop/db"]),
        (DENY, "+ CiliumNetworkPolicy shop/db spec.ingressDeny[0] (deny): decides All",
         ["write in place of spec.ingressDeny[0] of CiliumNetworkPolicy shop/db",
          "add to spec.ingress of CiliumNetworkPolicy shop/db"]),
        (CILIUM.replace("{app: db}", "{}"), "- allowed by no policy of those that isolate it: All",
         ["add CiliumNetworkPolicy shop/db-from-web"]),
        (ISTIO, "- named by no AuthorizationPolicy that allows: TCP 1-65535",
         ["add to spec.rules of AuthorizationPolicy shop/db"]),
        (ISTIO.replace("selector: {matchLabels: {app: db}}, ", ""),
         "- named by no AuthorizationPolicy that allows: TCP 1-65535",
         ["add AuthorizationPolicy shop/db-from-web"]),
        (ISTIO.replace("spec: {", "spec: {action: DENY, ").replace("[ops]", "[shop]"),
         "+ AuthorizationPolicy shop/db spec.rules[0] (deny): decides TCP 1-65535",
         ["write in place of spec.rules[0] of AuthorizationPolicy shop/db"]),
        (PLAIN, "has no rule: it allows nothing", ["add NetworkPolicy shop/db-from-web"]),
        (PLAIN.replace("podSelector: {}", "podSelector: {matchLabels: {app: db}}"), "it allows nothing",
         ["add to spec.ingress of NetworkPolicy shop/default"]),
    ],
    ids=["a tier", "the first tier", "cilium", "cilium denies", "cilium for all", "istio", "istio for all",
         "istio denies", "a default", "one of its own"],
)  # fmt: skip
def test_what_decided_and_what_would_allow_it_is_said(policy: str, decided: str, whats: list[str]) -> None:
    documents = [*yaml.safe_load_all(SHOP), yaml.safe_load(policy)]
    found, _ = asked(proof.Cluster.of(documents), (("shop", "web", "Pod", 0), ("shop", "db", "Pod", 0), "TCP", 5432))
    assert any(decided in line for line in explained.lines(found)), list(explained.lines(found))
    assert (found.answer.verdict, [each.what for each in found.changes]) == ("denied", whats)
    assert all(each.yaml and "&id" not in each.yaml for each in found.changes)
    assert proof.Cluster.of(changed(documents, found)).reachable("web", "db", 5432)


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


def test_what_the_last_tier_passes_on_is_said_to_pass() -> None:
    """Behind the Baseline tier nothing is asked any more, so a Pass there decides as much as no rule does."""
    passing = TIER.replace("tier: Admin", "tier: Baseline").replace("action: Accept", "action: Pass")
    documents = [*yaml.safe_load_all(SHOP), yaml.safe_load(passing.replace("app: ops", "app: web"))]
    found, _ = asked(proof.Cluster.of(documents), (("shop", "web", "Pod", 0), ("shop", "db", "Pod", 0), "TCP", 5432))
    assert found.answer.verdict == "allowed"
    (side,) = [each for each in found.layers if each.direction == "Ingress"]
    assert layers.allowed(side) == connections.ALL
