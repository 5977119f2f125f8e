"""A dump of a running cluster is what was applied to it: what controllers made of that is not counted again."""

from __future__ import annotations

import copy
import json
import pathlib
from typing import Any

import pytest

from groundplan import proof
from groundplan.proof import certificate, verdict
from groundplan.proof.show import rows
from tests.proof import naive

Document = dict[str, Any]
SPEC = {"containers": [{"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 80}]}]}


def made(kind: str, name: str, owner: Document | None, labels: dict[str, str], **more: Any) -> Document:
    """As `kubectl get -o yaml` has it."""
    metadata: Document = {
        "name": name,
        "namespace": "shop",
        "uid": f"{kind}-{name}",
        "managedFields": [{"manager": "m"}],
    }
    if owner is not None:
        by = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
        metadata["ownerReferences"] = [{**by, "uid": owner["metadata"]["uid"], "controller": True}]
    version = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}.get(kind, "apps/v1")
    if kind == "Pod":
        pod = {
            "metadata": {**metadata, "labels": labels},
            "spec": SPEC,
            "status": {"phase": "Running", "podIP": "10.0.0.7"},
        }
        return {"apiVersion": version, "kind": kind, **copy.deepcopy(pod), **more}
    spec: Document = {"template": {"metadata": {"labels": labels}, "spec": copy.deepcopy(SPEC)}}
    if kind == "CronJob":
        spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": spec}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {**spec, **more}, "status": {}}


WEB = {"app": "web"}
HASHED = {**WEB, "pod-template-hash": "5d"}
DEPLOYMENT = made("Deployment", "web", None, WEB, replicas=2, selector={"matchLabels": WEB})
REPLICAS = made("ReplicaSet", "web-5d", DEPLOYMENT, HASHED, replicas=2, selector={"matchLabels": HASHED})
PODS = [made("Pod", f"web-5d-{each}", REPLICAS, HASHED) for each in "ab"]
POLICY = {
    "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"podSelector": {"matchLabels": WEB}},
}  # fmt: skip


def workloads(*documents: Document) -> list[str]:
    return sorted(each.title for each in proof.Cluster.of(copy.deepcopy(documents)).model.workloads)


def changed(document: Document, **labels: str) -> Document:
    found = copy.deepcopy(document)
    found["metadata"]["labels"] |= labels
    return found


def test_a_deployment_its_replicas_and_their_pods_are_one_workload() -> None:
    assert workloads(DEPLOYMENT, REPLICAS, *PODS, POLICY) == ["shop/web[Deployment]"]
    whole = proof.Cluster.of([*PODS, REPLICAS, DEPLOYMENT, POLICY])
    assert any("left out: 3 objects" in each for each in verdict.assumptions(whole))
    assert not [each for each in verdict.check(whole).findings if each.code == "GP515"]


def test_pods_are_their_deployment_s_when_the_dump_has_no_replica_sets() -> None:
    assert workloads(DEPLOYMENT, *PODS) == ["shop/web[Deployment]"]


def test_jobs_and_pods_of_a_schedule_are_one_workload() -> None:
    schedule = made("CronJob", "report", None, {"app": "report"})
    job = made("Job", "report-1", schedule, {"app": "report"})
    uid = job["metadata"]["uid"]
    labels = {"job-name": "report-1", "controller-uid": uid, "app": "report"}
    labels |= {"batch.kubernetes.io/job-name": "report-1", "batch.kubernetes.io/controller-uid": uid}
    assert workloads(schedule, job, made("Pod", "report-1-x", job, labels)) == ["shop/report[CronJob]"]


def test_a_pod_of_a_stateful_set_is_no_end_of_its_own() -> None:
    database = made("StatefulSet", "db", None, {"app": "db"}, serviceName="db", selector={"matchLabels": {"app": "db"}})
    names = {"statefulset.kubernetes.io/pod-name": "db-0", "apps.kubernetes.io/pod-index": "0"}
    pod = made("Pod", "db-0", database, {"app": "db", "controller-revision-hash": "db-7", **names})
    assert workloads(database, pod) == ["shop/db[StatefulSet]"]


@pytest.mark.parametrize(
    "pod",
    [
        changed(PODS[0], version="old"),
        {**PODS[0], "spec": {**SPEC, "hostNetwork": True}},
        {**PODS[0], "spec": {"containers": [*SPEC["containers"], {"name": "x", "ports": [{"containerPort": 9}]}]}},
        {**PODS[0], "spec": {**SPEC, "serviceAccountName": "other"}},
    ],
    ids=["labels", "network", "ports", "account"],
)
def test_a_pod_that_a_policy_could_tell_from_its_template_stays(pod: Document) -> None:
    assert workloads(DEPLOYMENT, REPLICAS, pod, PODS[1]) == ["shop/web-5d-a[Pod]", "shop/web[Deployment]"]


def test_what_a_controller_made_that_is_not_there_stays() -> None:
    assert workloads(*PODS) == ["shop/web-5d-a[Pod]", "shop/web-5d-b[Pod]"]
    recreated = copy.deepcopy(DEPLOYMENT)
    recreated["metadata"]["uid"] = "another"
    assert workloads(recreated, REPLICAS) == ["shop/web-5d[ReplicaSet]", "shop/web[Deployment]"]
    elsewhere = copy.deepcopy(DEPLOYMENT)
    elsewhere["metadata"]["namespace"] = "other"
    assert workloads(elsewhere, REPLICAS) == ["other/web[Deployment]", "shop/web-5d[ReplicaSet]"]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_no_end(phase: str) -> None:
    done = {**made("Pod", "once", None, {"app": "once"}), "status": {"phase": phase}}
    assert workloads(done, DEPLOYMENT) == ["shop/web[Deployment]"]
    assert workloads({**done, "status": {"phase": "Pending"}}) == ["shop/once[Pod]"]


def test_a_dump_reaches_what_its_manifests_reach() -> None:
    applied, dumped = (proof.Cluster.of(each) for each in ([DEPLOYMENT, POLICY], [DEPLOYMENT, REPLICAS, *PODS, POLICY]))
    assert [*rows.rows(applied.model, applied.reach())] == [*rows.rows(dumped.model, dumped.reach())]
    # The evaluator that was written from the rules knows nothing of owners: for it every pod is one.
    pod = ("shop", "web-5d-a", "Pod", 0)
    questions = [(pod, "192.0.2.1", "TCP", 80), ("192.0.2.1", pod, "TCP", 80)]
    right = list(naive.verdicts([DEPLOYMENT, REPLICAS, *PODS, POLICY], questions))
    assert right == ["allowed", "denied"]
    assert [str(bool(dumped.reachable(*each, 80))) for each in (("web", "192.0.2.1"), ("192.0.2.1", "web"))] == [
        "True",
        "False",
    ]


def test_a_dump_gets_no_certificate_since_the_checker_counts_every_pod() -> None:
    with pytest.raises(certificate.NoCertificate, match="3 objects were left out"):
        certificate.certificate(proof.Cluster.of([DEPLOYMENT, REPLICAS, *PODS, POLICY]))


@pytest.mark.parametrize("wrong", [5, "x", [5], [{"controller": True}], [{"controller": True, "kind": []}], {"a": 1}])
def test_an_owner_that_nobody_understands_owns_nothing(wrong: Any) -> None:
    pod = copy.deepcopy(PODS[0])
    pod["metadata"]["ownerReferences"] = wrong
    assert workloads(DEPLOYMENT, pod) == ["shop/web-5d-a[Pod]", "shop/web[Deployment]"]


def test_values_of_json_one_after_another_are_documents(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "all.json"
    file.write_text(json.dumps(DEPLOYMENT) + "\n" + json.dumps(POLICY, indent=2) + "\n\n" + json.dumps(PODS[0]) + "\n")
    whole = proof.Cluster.read(file)
    assert [each.line for each in whole.model.everything] == [1, 2]
    assert [each.place("spec").line for each in whole.model.everything] == [1, 9]
    file.write_text(json.dumps(DEPLOYMENT) + "\n" + json.dumps(POLICY)[:-5])
    with pytest.raises(proof.Unusable, match="cannot be read"):
        proof.Cluster.read(file)


@pytest.mark.parametrize(("most", "several"), [(9, True), (1, False), ("9", False)])
def test_what_an_autoscaler_may_double_has_replicas_that_reach_each_other(most: Any, several: bool) -> None:
    single = copy.deepcopy(DEPLOYMENT)
    del single["spec"]["replicas"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"maxReplicas": most, "scaleTargetRef": target},
    }  # fmt: skip
    for documents in ([single, scaler], [scaler, single]):
        whole = proof.Cluster.of(documents)
        assert any(each.replicas for each in rows.rows(whole.model, whole.reach())) == several


@pytest.mark.parametrize("replicas", [2**31 - 1, 10**30])
def test_more_replicas_than_any_cluster_holds_are_refused_before_anybody_counts_them(replicas: int) -> None:
    many = copy.deepcopy(DEPLOYMENT)
    many["spec"]["replicas"] = replicas
    with pytest.raises(proof.Unusable, match="more than any cluster holds"):
        proof.Cluster.of([many])


def test_a_list_that_holds_no_list_is_refused() -> None:
    for wrong in ({"a": DEPLOYMENT}, "all", 5):
        with pytest.raises(proof.Unusable, match="a List holds no list"):
            proof.Cluster.of([DEPLOYMENT, {"apiVersion": "v1", "kind": "List", "items": wrong}])


def test_rows_to_an_end_are_about_no_other() -> None:
    whole = proof.Cluster.of([DEPLOYMENT])
    assert any(each.replicas for each in rows.rows(whole.model, whole.reach()))
    found = rows.rows(whole.model, whole.reach(), rows.Wanted(destination="192.0.2.0/24"))
    assert {each.destination for each in found} == {"192.0.2.0-192.0.2.255"}
