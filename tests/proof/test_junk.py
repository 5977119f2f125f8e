"""Fields of the wrong kind are refused or passed over with a finding; they never stop the program."""

from __future__ import annotations

import copy
import itertools
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from groundplan import proof
from groundplan.proof import ends, verdict
from groundplan.proof.explain import pairs
from groundplan.proof.show import explained
from tests.proof import strategies, test_engine_laws

CLEAN = list(yaml.safe_load_all((pathlib.Path(__file__).parent / "lint" / "clean.yaml").read_text()))
ORDERED = [
    *CLEAN,
    *yaml.safe_load_all((pathlib.Path(__file__).parent / "schema" / "kinds.yaml").read_text()),
    *yaml.safe_load_all("""
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  namespace: shop
  annotations:
    argocd.argoproj.io/hook: "PreSync,Skip"
    argocd.argoproj.io/sync-wave: "-5"
    argocd.argoproj.io/hook-delete-policy: HookSucceeded
    helm.sh/hook: pre-install
    groundplan/accept: "GP541: it is short"
spec:
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - name: wait
        image: "a:1"
        env: [{name: HOST, value: db}]
        command: [sh, -c, "until nc -z $HOST 5432; do sleep 1; done"]
      containers: [{name: migrate, image: "a:1", args: [--password, "x"], envFrom: [{secretRef: {name: web}}]}]
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: shop, namespace: ingress}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: "", kind: Service}]
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: web, namespace: shop}
spec:
  namespaceSelector: {matchNames: [shop]}
  selector: {matchLabels: {app: web}}
  podMetricsEndpoints: [{port: http}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"], nonResourceURLs: ["*"]}]
"""),
]
"""With what orders, routes, monitors and grants besides."""
JUNK = (
    None, [], {}, "x", 5, True, [None], [5], {"a": 5}, [[]], 1.5, ["x"], "", {"": ""}, -1, 10**30, "10%",
    "99999999999%", "*", "\\", "(", "${X}", "1e9999999", "\0", {5: 5}, float("inf"), float("nan"), "*/0",
    [{"name": []}],
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))


def spoiled(documents: list[dict[str, Any]], draw: random.Random) -> list[dict[str, Any]]:
    """With one field of one document replaced."""
    made = copy.deepcopy(documents)
    chosen: Any = draw.choice(made)
    *steps, last = draw.choice([path for path in places(chosen) if path and path[0] not in ("apiVersion", "kind")])
    for step in steps:
        chosen = chosen[step]
    chosen[last] = draw.choice(JUNK)
    return made


def survive(documents: list[dict[str, Any]]) -> None:
    try:
        whole = proof.Cluster.of(documents)
    except proof.Unusable as error:
        assert all(each.what and each.said for each in error.findings)
        return
    assert verdict.check(whole).verdict in ("proved", "refuted", "undecidable")
    for one, other in itertools.pairwise(whole.model.workloads):
        assert list(explained.lines(pairs.explain(whole, ends.End(one), ends.End(other), None)))


@pytest.mark.parametrize("seed", range(200))
def test_a_spoiled_application_never_stops_the_program(seed: int) -> None:
    survive(spoiled(CLEAN, random.Random(seed)))


@pytest.mark.parametrize("seed", range(150))
def test_spoiled_objects_of_the_kinds_that_lints_read_never_stop_the_program(seed: int) -> None:
    draw = random.Random(seed)
    made = spoiled(ORDERED, draw)
    survive(spoiled(made, draw))


@test_engine_laws.limited
@hypothesis.given(strategies.clusters(), st.randoms(use_true_random=False))
def test_a_spoiled_cluster_never_stops_the_program(documents: list[dict[str, Any]], draw: random.Random) -> None:
    survive(spoiled(documents, draw))


def test_a_schema_that_holds_itself_is_not_followed_for_ever() -> None:
    schema: dict[str, Any] = {"type": "object"}
    value: dict[str, Any] = {}
    for _ in range(900):
        schema, value = {"type": "object", "properties": {"a": schema}}, {"a": value}
    definition = copy.deepcopy(next(each for each in CLEAN if each["kind"] == "CustomResourceDefinition"))
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema
    tea = {"apiVersion": "shop.example.com/v1", "kind": "Tea", "metadata": {"name": "t", "namespace": "shop"}, **value}
    said = verdict.check(proof.Cluster.of([definition, tea])).findings
    assert any("nested too deep" in each.what for each in said)


def test_variables_of_variables_do_not_grow() -> None:
    made = copy.deepcopy(ORDERED)
    job = next(each for each in made if each["metadata"]["name"] == "migrate")
    variables = [{"name": f"V{number}", "value": f"$(V{number + 1})$(V{number + 1})"} for number in range(60)]
    job["spec"]["template"]["spec"]["initContainers"][0].update(env=variables, command=["nc", "$(V0)"])
    survive(made)
