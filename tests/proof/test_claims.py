"""Claims: proved when they are all that is reachable, refuted with a witness when not."""

from __future__ import annotations

from typing import Any

import hypothesis
import yaml

from groundplan import proof
from groundplan.proof import claims
from groundplan.proof.compare import claimed
from groundplan.proof.reach import sides
from groundplan.proof.show import rows
from tests.proof import strategies, test_engine_laws

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {0}, namespace: shop, labels: {{app: {0}}}}}
spec: {{containers: []}}
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
EDGE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: edge, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]
  egress:
  - {to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}
  - {to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}
"""


def cluster(*more: str) -> proof.Cluster:
    texts = (*(POD.format(name) for name in ("web", "db", "cron")), DENY, EDGE, *more)
    return proof.Cluster.of(yaml.safe_load(text) for text in texts)


RIGHT = (
    claims.Claim("shop/web", "shop/db", "TCP 5432", "plan.py:1"),
    *(claims.Claim(name, "203.0.113.0/24", "TCP 443") for name in ("shop/web", "shop/db", "shop/cron")),
)


def told(found: claimed.Verdict) -> list[tuple[str, str, str, str, str]]:
    return [(each.kind, each.verdict, each.source, each.destination, each.ports) for each in found.differences]


def test_claims_that_are_all_that_is_reachable_are_proved() -> None:
    found = claimed.compare(cluster(), RIGHT)
    assert (found.verdict, found.differences, found.claims) == ("proved", (), 4)
    assert found.pairs > 0


def test_a_claim_that_is_blocked_says_where_it_was_declared_and_which_policy_is_in_the_way() -> None:
    found = claimed.compare(cluster(), (*RIGHT, claims.Claim("shop/cron", "shop/db", "TCP 5432", "plan.py:7")))
    assert told(found) == [("blocked", "refuted", "shop/cron[Pod]", "shop/db[Pod]", "TCP 5432")]
    assert found.differences[0].origin == "plan.py:7"
    assert "ingress of shop/db[Pod] allows nothing (shop/deny, shop/edge)" in found.differences[0].why


def test_a_connection_that_nobody_claims_is_told_with_the_rules_that_allow_it() -> None:
    found = claimed.compare(cluster(), RIGHT[1:])
    assert told(found) == [("undeclared", "refuted", "shop/web[Pod]", "shop/db[Pod]", "TCP 5432")]
    assert "shop/edge rule 0" in found.differences[0].why


def test_a_part_of_a_range_that_is_not_claimed_is_told_alone() -> None:
    half = claims.Claim("shop/cron", "203.0.113.0/25", "TCP 443")
    found = claimed.compare(cluster(), (*RIGHT[:3], half))
    assert told(found) == [("undeclared", "refuted", "shop/cron[Pod]", "203.0.113.128-203.0.113.255", "TCP 443")]


def test_a_claim_about_nobody_is_refuted() -> None:
    found = claimed.compare(cluster(), (*RIGHT, claims.Claim("shop/wep", "shop/db", "TCP 1", "plan.py:9")))
    assert [(each.kind, each.origin) for each in found.differences] == [("unknown", "plan.py:9")]


def test_what_a_node_may_do_is_not_decidable() -> None:
    agent = POD.format("agent").replace("containers", "hostNetwork: true, containers")
    found = claimed.compare(cluster(agent), RIGHT)
    assert found.verdict == "refuted"  # the agent is held by nothing, and reaches what is outside
    assert ("undeclared", "undecidable", "shop/agent[Pod]", "shop/db[Pod]") in [each[:4] for each in told(found)]


def test_an_empty_cluster_proves_nothing() -> None:
    found = claimed.compare(proof.Cluster.of([yaml.safe_load(DENY)]), ())
    assert found.verdict == "refuted"


@test_engine_laws.limited
@hypothesis.given(strategies.clusters(families=("none",)))
def test_what_reach_lists_is_what_claims_prove(documents: list[dict[str, Any]]) -> None:
    whole = proof.Cluster.of(documents)
    listed = rows.rows(whole.model, whole.reach())
    made = [claims.Claim(each.source, each.destination, each.connections) for each in listed]
    named = {each.title for one in whole.universe.classes for each in one.members}
    hypothesis.assume(named == {each.title for each in whole.model.workloads})
    found = claimed.compare(whole, made)
    assert [each for each in found.differences if each.verdict == "refuted"] == []
    # A doubt about a connection of a pod with itself is a doubt, and no connection that anybody could claim.
    fewest, most = (
        {(each.source, each.destination, each.connections) for each in rows.rows(whole.model, whole.reach(reading))}
        for reading in (sides.Reading.FEWEST, sides.Reading.MOST)
    )
    assert found.verdict == ("proved" if fewest == most else "undecidable")
    assert found.verdict == "proved" or whole.doubts()
