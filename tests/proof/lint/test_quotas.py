"""A quota counts what its scopes say and nothing else, and what nobody can count is said by name."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from groundplan import proof
from groundplan.proof.lint import codes, facts, quotas, usage

PODS = """
{apiVersion: v1, kind: Pod, metadata: {name: idle, namespace: a}, spec: {containers: [{name: c, image: c}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: asking, namespace: a}
spec: {priorityClassName: high, containers: [{name: c, image: c, resources: {requests: {cpu: 100m}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: started, namespace: a}
spec: {initContainers: [{name: i, image: c, resources: {limits: {memory: 1Mi}}}], containers: [{name: c, image: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: whole, namespace: a}
spec: {resources: {limits: {memory: 1Mi}}, containers: [{name: c, image: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nothing, namespace: a}
spec: {containers: [{name: c, image: c, resources: {requests: {cpu: 0, ephemeral-storage: 1Gi}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: timed, namespace: a}
spec: {activeDeadlineSeconds: 5, containers: [{name: c, image: c}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job, namespace: a}
spec: {activeDeadlineSeconds: 5, template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: near, namespace: a}
spec:
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 1, podAffinityTerm: {topologyKey: x, namespaceSelector: {}}}
  containers: [{name: c, image: c}]
---
apiVersion: v1
kind: Pod
metadata: {name: local, namespace: a}
spec:
  affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: x, labelSelector: {}}]}}
  containers: [{name: c, image: c}]
---
{apiVersion: v1, kind: Pod, metadata: {name: foreign, namespace: b}, spec: {containers: [{name: c, image: c}]}}
"""
ALL = {"idle", "asking", "started", "whole", "nothing", "timed", "job", "near", "local"}
USUAL = """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: usual}
value: 1
globalDefault: true
"""
FILLED = """
apiVersion: v1
kind: LimitRange
metadata: {name: l, namespace: a}
spec: {limits: [{type: Container, default: {cpu: 1}}]}
"""


def whole(*more: str) -> list[dict[str, Any]]:
    return [each for text in (PODS, *more) for each in yaml.safe_load_all(text)]


def quota(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "a"}, "spec": spec}


def known(documents: list[dict[str, Any]]) -> tuple[facts.Facts, usage.Counter]:
    found = facts.Facts(proof.Cluster.of(documents))
    return found, usage.Counter(found, next(found.of("ResourceQuota")))


def classes(operator: str, *values: str) -> dict[str, Any]:
    one = {"scopeName": "PriorityClass", "operator": operator, **({"values": list(values)} if values else {})}
    return {"scopeSelector": {"matchExpressions": [one]}}


@pytest.mark.parametrize(
    ("spec", "more", "counted"),
    [
        ({}, (), ALL),
        ({"scopes": ["BestEffort"]}, (), ALL - {"asking", "started", "whole"}),
        ({"scopes": ["NotBestEffort"]}, (), {"asking", "started", "whole"}),
        ({"scopes": ["BestEffort"]}, (FILLED,), set()),
        ({"scopes": ["Terminating"]}, (), {"timed"}),
        ({"scopes": ["NotTerminating"]}, (), ALL - {"timed"}),
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, (), {"asking", "started", "whole"}),
        ({"scopes": ["CrossNamespacePodAffinity"]}, (), {"near"}),
        ({"scopes": ["PriorityClass"]}, (), {"asking"}),
        ({"scopes": ["PriorityClass"]}, (USUAL,), ALL),
        (classes("In", "high", "higher"), (), {"asking"}),
        (classes("In", "usual"), (USUAL,), ALL - {"asking"}),
        (classes("NotIn", "high"), (), ALL - {"asking"}),
        (classes("DoesNotExist"), (), ALL - {"asking"}),
        ({"scopes": ["Terminating"], **classes("Exists")}, (), set()),
    ],
)
def test_a_scope_counts_its_pods(spec: dict[str, Any], more: tuple[str, ...], counted: set[str]) -> None:
    _, counter = known([*whole(*more), quota(hard={"pods": "9"}, **spec)])
    assert {each.document.name for each in counter.pods} == counted


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"scopes": ["BestEffort", "NotBestEffort"]}, "spec.scopes"),
        ({"scopes": ["Besteffort"]}, "spec.scopes[0]"),
        ({"scopes": ["BestEffort"], "hard": {"cpu": 1}}, "spec.scopes[0]"),
        ({"scopes": ["VolumeAttributesClass"], "hard": {"pods": 1}}, "spec.scopes[0]"),
        (classes("In"), "spec.scopeSelector.matchExpressions[0]"),
        (classes("Exists", "high"), "spec.scopeSelector.matchExpressions[0]"),
        (
            {"scopeSelector": {"matchExpressions": [{"scopeName": "Terminating", "operator": "DoesNotExist"}]}},
            "spec.scopeSelector.matchExpressions[0]",
        ),
    ],
)
def test_what_the_api_server_refuses_is_said(spec: dict[str, Any], field: str) -> None:
    found, _ = known([*whole(), quota(**{"hard": {"pods": "9"}, **spec})])
    assert [(each.code, each.field) for each in quotas.quotas(found)] == [("GP548", field)]


OBJECTS = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: a}
spec:
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: c, image: c, resources: {limits: {example.com/gpu: 2, hugepages-2Mi: 4Mi}}}]
      volumes: [{name: t, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {storageClassName: fast, volumeAttributesClassName: gold, resources: {requests: {storage: 10Gi}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: own, namespace: a}
spec: {storageClassName: slow, resources: {requests: {storage: 5Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: lb, namespace: a}
spec: {type: LoadBalancer, ports: [{name: a, port: 1}, {name: b, port: 2}]}
---
apiVersion: v1
kind: Service
metadata: {name: bare, namespace: a}
spec:
  type: LoadBalancer
  allocateLoadBalancerNodePorts: false
  ports: [{name: a, port: 1}, {name: b, port: 2, nodePort: 30001}]
---
{apiVersion: v1, kind: Service, metadata: {name: np, namespace: a}, spec: {type: NodePort, ports: [{port: 3}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: a}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: a}}
---
{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: t, namespace: a}, spec: {}}
---
{apiVersion: tea.example.com/v1, kind: Leaf, metadata: {name: l, namespace: a}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: leaves.tea.example.com}
spec: {group: tea.example.com, scope: Namespaced, names: {kind: Leaf, plural: leaves}, versions: []}
"""


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("persistentvolumeclaims", 7), ("count/persistentvolumeclaims", 7), ("requests.storage", (3 * 11 + 5) << 30),
        ("fast.storageclass.storage.k8s.io/requests.storage", 30 << 30),
        ("slow.storageclass.storage.k8s.io/persistentvolumeclaims", 1),
        ("requests.example.com/gpu", 6), ("requests.hugepages-2Mi", 12 << 20),
        ("services", 3), ("services.loadbalancers", 2), ("services.nodeports", 4),
        ("configmaps", 2), ("count/secrets", 2), ("count/statefulsets.apps", 1), ("count/deployments.apps", 0),
        ("count/leaves.tea.example.com", 1), ("count/jobs.batch", None), ("count/widgets.example.com", None),
    ],
)  # fmt: skip
def test_what_is_counted_beside_pods_is_added_up(name: str, used: int | None) -> None:
    _, counter = known([*whole(OBJECTS), quota(hard={name: 1})])
    shares = counter.shares(name)
    assert (None if shares is None else sum(each.least for each in shares)) == used


def test_a_class_of_volumes_is_counted_by_its_scope() -> None:
    gold = {"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}
    hard = {"persistentvolumeclaims": 2, "requests.storage": "40Gi"}
    found, _ = known([*whole(OBJECTS), quota(hard=hard, scopeSelector={"matchExpressions": [gold]})])
    (said,) = quotas.quotas(found)
    assert (said.code, said.field) == ("GP544", "spec.hard.persistentvolumeclaims")
    assert said.what == "ResourceQuota a/q allows persistentvolumeclaims 2, and 3 is asked for"


AGENT = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: a}
spec: {selector: {}, template: {spec: {containers: [{name: c, image: c}]}}}
"""


def test_what_nobody_can_count_is_said_by_name_and_the_rest_is_judged() -> None:
    hard = {"count/replicasets.apps": 1, "pods": 7, "limits.ephemeral-storage": "1Gi"}
    found, _ = known([*whole(AGENT), quota(hard=hard)])
    said = [(each.code, each.what) for each in quotas.quotas(found)]
    assert said == [
        ("GP544", "ResourceQuota a/q allows pods 7, and 8 is asked for"),
        ("GP549", "ResourceQuota a/q counts count/replicasets.apps, which was not added up"),
        ("GP549", "ResourceQuota a/q also counts the pods of DaemonSet a/agent, which were not added up"),
    ]
    assert all(codes.CODES[code][0] for code, _ in said)


def test_storage_that_comes_and_goes_need_not_be_said() -> None:
    found, _ = known(
        [*whole(), quota(hard={"requests.ephemeral-storage": "2Gi", "limits.cpu": 9}, scopes=["Terminating"])]
    )
    assert [each.code for each in quotas.quotas(found)] == ["GP548"]
    found, _ = known([*whole(), quota(hard={"limits.cpu": 9}, scopes=["Terminating"])])
    assert [(each.code, each.subject) for each in quotas.quotas(found)] == [("GP545", "Pod a/timed")]
    found, _ = known([*whole(), quota(hard={"limits.ephemeral-storage": "2Gi"})])
    assert list(quotas.quotas(found)) == []
