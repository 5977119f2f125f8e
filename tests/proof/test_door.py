"""The library door: read a path, ask a question."""

from __future__ import annotations

import pathlib

import pytest

from groundplan import proof

MANIFESTS = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 2
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: "db:1"}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 5432}]
"""


@pytest.fixture
def cluster(tmp_path: pathlib.Path) -> proof.Cluster:
    file = tmp_path / "all.yaml"
    file.write_text(MANIFESTS)
    return proof.Cluster.read(file)


def test_an_allowed_port_is_reachable_and_another_is_not(cluster: proof.Cluster) -> None:
    assert cluster.reachable("web", "shop/db", 5432)
    assert not cluster.reachable("web", "shop/db", 80)
    assert not cluster.reachable("web", "shop/db[StatefulSet]", "5432/UDP")


def test_without_a_port_the_answer_says_all_that_passes(cluster: proof.Cluster) -> None:
    assert cluster.reachable("web", "db").connections == "TCP 5432"
    assert cluster.reachable("db", "web").connections == "All"


def test_replicas_are_different_pods_and_a_pod_reaches_itself(cluster: proof.Cluster) -> None:
    assert not cluster.reachable("db", "db", 5432)
    assert cluster.reachable("shop/db#0", "shop/db#0", 5432)
    assert not cluster.reachable("shop/db#0", "shop/db#1", 5432)


def test_addresses_outside_are_ends_too(cluster: proof.Cluster) -> None:
    assert cluster.reachable("192.0.2.1", "web", 80)
    assert not cluster.reachable("192.0.2.0/24", "db", 5432)


def test_a_name_that_is_none_is_answered_with_the_closest(cluster: proof.Cluster) -> None:
    with pytest.raises(proof.UnknownEnd, match="did you mean web"):
        cluster.reachable("webb", "db")


def test_an_undecidable_answer_is_neither_true_nor_false() -> None:
    agent = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent", "namespace": "shop"},
             "spec": {"hostNetwork": True, "containers": []}}  # fmt: skip
    web = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    deny = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "deny", "namespace": "shop"}, "spec": {}}  # fmt: skip
    answer = proof.Cluster.of([agent, web, deny]).reachable("agent", "web", 80)
    assert answer.verdict == "undecidable"
    with pytest.raises(proof.Undecidable, match="node"):
        bool(answer)


TWICE = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers:
  - {name: web, image: "web:1", ports: [{name: metrics, containerPort: 9090}]}
  - {name: side, image: "side:1", ports: [{name: metrics, containerPort: 9091}]}
---
apiVersion: v1
kind: Pod
metadata: {name: scraper, namespace: shop}
spec: {containers: [{name: scraper, image: "scraper:1"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: metrics}]}]}
"""


def test_what_keeps_an_answer_open_is_said_of_the_whole_too(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(TWICE)
    cluster = proof.Cluster.read(file)
    assert cluster.reachable("scraper", "web", 9091).verdict == "undecidable"
    assert cluster.doubts() == (
        "shop/web[Pod]: one port name stands for two numbers, and plugins differ on which is meant",
    )
