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
KINDS = list(yaml.safe_load_all((pathlib.Path(__file__).parent / "schema" / "kinds.yaml").read_text()))
NAMED = {(each["kind"], each["metadata"]["name"]) for each in CLEAN}
ORDERED = [
    *CLEAN,
    *(each for each in KINDS if (each["kind"], each["metadata"]["name"]) not in NAMED),
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
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: scoped, namespace: shop}
spec:
  hard: {pods: 9, cpu: 1, requests.storage: 1Gi, count/configmaps: 5, services.nodeports: 0, count/jobs.batch: 1}
  scopes: [NotTerminating]
  scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: objects, namespace: shop}
spec: {hard: {requests.storage: 1Gi, fast.storageclass.storage.k8s.io/requests.storage: 1, count/configmaps: 5}}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.shop.example.com}
spec: {service: {name: web, namespace: shop, port: 443}, group: shop.example.com, version: v1}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: files, namespace: shop}
spec:
  selector: {matchLabels: {app: files}}
  template:
    metadata: {labels: {app: files}}
    spec:
      activeDeadlineSeconds: 5
      priorityClassName: high
      affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, namespaces: [b]}]}}
      volumes:
      - {name: files, persistentVolumeClaim: {claimName: files}}
      - {name: all, projected: {sources: [{secret: {name: web, items: [{key: dsn, path: dsn}]}}]}}
      - {name: own, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}}
      containers: [{name: files, image: "a:1", resources: {limits: {example.com/gpu: 1}}}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  updateStrategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 0}}
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: agent, image: "a:1"}]}}
"""),
]
BESIDE = [
    *CLEAN,
    *yaml.safe_load_all("""
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: one}
spec:
  tier: Admin
  priority: 5
  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}}
  ingress:
  - {action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 5432}}}]}
  - {action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {}}}]}
  egress: [{action: Accept, to: [{networks: [0.0.0.0/0]}]}]
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: two}
spec: {priority: 5, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: three, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingressDeny:
  - {fromEndpoints: [{matchLabels: {app: web}}], toPorts: [{ports: [{port: "5432"}]}]}
  - {fromCIDR: [10.0.0.0/8]}
  ingress: [{fromEntities: [world]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: four, namespace: shop}
spec:
  action: DENY
  rules: [{from: [{source: {namespaces: [shop]}}], to: [{operation: {ports: ["5432"]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: five, namespace: shop}
spec: {selector: {matchLabels: {app: db}}, rules: [{from: [{source: {namespaces: [ingress]}}]}]}
"""),
]
"""With policies of all kinds."""
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


@pytest.mark.parametrize("documents", [CLEAN, ORDERED, BESIDE], ids=["clean", "ordered", "beside"])
def test_nothing_stands_in_the_way_of_judging_them_before_they_are_spoiled(documents: list[dict[str, Any]]) -> None:
    assert verdict.check(proof.Cluster.of(documents)).examined.workloads >= 5


@pytest.mark.parametrize("seed", range(200))
def test_a_spoiled_application_never_stops_the_program(seed: int) -> None:
    survive(spoiled(CLEAN, random.Random(seed)))


@pytest.mark.parametrize("seed", range(150))
def test_spoiled_objects_of_the_kinds_that_lints_read_never_stop_the_program(seed: int) -> None:
    draw = random.Random(seed)
    made = spoiled(ORDERED, draw)
    survive(spoiled(made, draw))


@pytest.mark.parametrize("seed", range(100))
def test_spoiled_policies_of_all_kinds_never_stop_the_program(seed: int) -> None:
    survive(spoiled(BESIDE, random.Random(seed)))


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
