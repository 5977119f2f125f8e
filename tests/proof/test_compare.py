"""Comparing: every connection that differs is named once, and nothing else is."""

from __future__ import annotations

from typing import Any

import hypothesis

from groundplan import proof
from groundplan.proof.compare import pairs
from tests.proof import strategies, test_engine_laws


def pod(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "main:1"}]},
    }  # fmt: skip


def policy(*rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": list(rules)},
    }  # fmt: skip


def rule(peer: dict[str, Any], *ports: int) -> dict[str, Any]:
    return {"from": [peer], "ports": [{"port": port} for port in ports]}


def test_each_kind_of_difference_is_named() -> None:
    app, block = lambda name: {"podSelector": {"matchLabels": {"app": name}}}, lambda cidr: {"ipBlock": {"cidr": cidr}}
    pods = [pod(name) for name in ("db", "web", "cron", "job")]
    old = proof.Cluster.of([*pods, policy(rule(app("web"), 1), rule(app("cron"), 1, 2), rule(block("10.0.0.0/8"), 1))])
    new = proof.Cluster.of([*pods, policy(rule(app("web"), 1, 2), rule(app("job"), 1), rule(block("10.0.0.0/9"), 1))])
    assert [(each.kind, each.source, each.before, each.after) for each in pairs.differences(old, new)] == [
        ("added", "shop/job[Pod]", "No connections", "TCP 1"),
        ("removed", "10.128.0.0-10.255.255.255", "TCP 1", "No connections"),
        ("removed", "shop/cron[Pod]", "TCP 1-2", "No connections"),
        ("widened", "shop/web[Pod]", "TCP 1", "TCP 1-2"),
    ]


def test_a_workload_that_is_new_brings_its_connections() -> None:
    old, new = proof.Cluster.of([pod("db"), policy()]), proof.Cluster.of([pod("db"), pod("web"), policy()])
    found = {(each.kind, each.source, each.destination) for each in pairs.differences(old, new)}
    assert ("added", "shop/db[Pod]", "shop/web[Pod]") in found
    assert ("added", "shop/web[Pod]", "shop/db[Pod]") not in found


@test_engine_laws.limited
@hypothesis.given(strategies.clusters(families=("none",)))
def test_manifests_do_not_differ_from_themselves_in_another_order(documents: list[dict[str, Any]]) -> None:
    old, new = proof.Cluster.of(documents), proof.Cluster.of(documents[::-1])
    assert list(pairs.differences(old, new)) == []
