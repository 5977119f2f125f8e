"""Deploying, against the double of `tests.live.cluster`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from groundplan.live import errors, inventory
from groundplan.shapes import objects
from tests import strategies
from tests.kubernetes import worlds
from tests.live import paths, runs, server
from tests.live.runs import NAMESPACE, deployment, job, made


@pytest.fixture
def api():
    with server.serving() as serving:
        yield serving


def test_a_first_deploy_makes_everything_and_a_second_changes_nothing(api):
    wanted = [NAMESPACE, runs.settings(a="1"), deployment("web"), job("migrate")]
    first = runs.run(api, wanted)
    assert set(runs.verbs(first).values()) == {"created"}
    before = api.cluster.writes
    second = runs.run(api, wanted)
    assert set(runs.verbs(second).values()) == {"unchanged"}
    assert api.cluster.writes == before


def test_objects_go_in_waves_and_policies_stand_before_anything_runs(api):
    policy = made("networking.k8s.io/v1 NetworkPolicy", "web", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
    runs.run(api, [deployment("web", wave=2), job("migrate", wave=1), policy, NAMESPACE])
    made_here = [each for each in api.cluster.order if "Lease" not in each and "groundplan" not in each]
    assert made_here == ["create Namespace default", "create Namespace shop", "create NetworkPolicy web",
                         "create Job migrate", "create Deployment web"]  # fmt: skip


def test_a_wave_does_not_begin_before_the_one_before_it_is_done(api):
    api.cluster.troubles["migrate"] = {"failed": "Job has reached the specified backoff limit"}
    with pytest.raises(errors.Unfinished, match="failed: Job shop/migrate") as caught:
        runs.run(api, [NAMESPACE, job("migrate"), deployment("web", wave=1)])
    assert "backoff limit" in caught.value.why
    assert api.cluster.find("Deployment", "web", "shop") is None


def test_a_migration_that_failed_runs_again_with_the_next_deploy(api):
    wanted = [NAMESPACE, job("migrate"), deployment("web", wave=1)]
    api.cluster.troubles["migrate"] = {"failed": "no"}
    with pytest.raises(errors.Unfinished):
        runs.run(api, wanted)
    del api.cluster.troubles["migrate"]
    assert runs.verbs(runs.run(api, wanted))["Job shop/migrate"] == "replaced"


def test_a_migration_runs_again_when_its_image_changed_and_only_then(api):
    runs.run(api, [NAMESPACE, job("migrate")])
    uid = api.cluster.find("Job", "migrate", "shop")["metadata"]["uid"]
    assert runs.verbs(runs.run(api, [NAMESPACE, job("migrate")]))["Job shop/migrate"] == "unchanged"
    assert api.cluster.find("Job", "migrate", "shop")["metadata"]["uid"] == uid
    report = runs.run(api, [NAMESPACE, job("migrate", "web:2")])
    assert runs.verbs(report)["Job shop/migrate"] == "replaced"
    now = api.cluster.find("Job", "migrate", "shop")
    assert now["metadata"]["uid"] != uid
    assert now["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"


def test_a_rollback_waits_suspended_and_waits_again_after_it_ran(api):
    wanted = [NAMESPACE, job("rollback", suspend=True)]
    runs.run(api, wanted)  # nothing waits for it
    api.cluster.find("Job", "rollback", "shop")["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert runs.verbs(runs.run(api, wanted))["Job shop/rollback"] == "replaced"


def test_a_field_of_somebody_elses_is_told_with_its_owner_and_taken_only_when_asked(api):
    runs.run(api, [NAMESPACE, deployment("web", "web:1")])
    api.cluster.put(deployment("web", "web:hotfix").tree, "kubectl-edit")
    with pytest.raises(errors.Conflict) as caught:
        runs.run(api, [NAMESPACE, deployment("web", "web:2")])
    assert '.spec.template.spec.containers[name="web"].image is set by kubectl-edit' in caught.value.why
    assert "plan.py:7" in caught.value.why
    assert "--force-conflicts" in caught.value.fix
    runs.run(api, [NAMESPACE, deployment("web", "web:2")], force=True)
    assert "web:2" in str(api.cluster.find("Deployment", "web", "shop"))


def test_every_mistake_of_a_wave_is_told_and_the_first_is_the_error(api):
    def refuse(method, place, tree):
        if place.kind == "ConfigMap" and place.namespace == "shop":
            causes = [{"reason": "FieldValueInvalid", "field": "data", "message": f"bad {place.name}"}]
            return paths.Answer(422, "Invalid", "no", causes)
        return None

    api.cluster.refuse = refuse
    told = runs.Told()
    one, two = (made("v1 ConfigMap", name, data={}) for name in ("one", "two"))
    with pytest.raises(errors.Refused, match="ConfigMap shop/one") as caught:
        runs.run(api, [NAMESPACE, one, two, deployment("web", wave=1)], told=told)
    assert "data: bad one" in caught.value.why
    assert [error.what for error in told.errors] == [
        "ConfigMap shop/one: the API server refuses it", "ConfigMap shop/two: the API server refuses it"
    ]  # fmt: skip
    assert api.cluster.find("Deployment", "web", "shop") is None


def test_pod_security_and_missing_rights_are_told_in_words(api):
    text = 'pods "web" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
    api.cluster.refuse = lambda method, place, tree: (
        paths.Answer(403, "Forbidden", text) if place.kind == "Deployment" else None
    )
    with pytest.raises(errors.Refused, match="Pod Security restricted:latest does not admit it") as caught:
        runs.run(api, [NAMESPACE, deployment("web")])
    assert "runAsNonRoot" in caught.value.why
    api.cluster.denied = {("patch", "deployments")}
    with pytest.raises(errors.Forbidden, match="jane may not patch deployments in shop") as caught:
        runs.run(api, [NAMESPACE, deployment("web")])
    assert 'apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]' in caught.value.fix


def test_what_keeps_a_workload_is_told_and_told_again_at_the_end(api):
    api.cluster.troubles["web"] = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling web:1"}}
    told = runs.Told()
    with pytest.raises(errors.Unfinished, match="not ready after 30 s") as caught:
        runs.run(api, [NAMESPACE, deployment("web")], told=told, timeout=30)
    said = "Deployment shop/web: 0 of 2 ready: web-0: container web: ImagePullBackOff: Back-off pulling web:1"
    assert told.waiting == [said]
    assert caught.value.why == said


def test_a_sealed_vault_is_called_sealed(api):
    api.cluster.troubles["vault"] = {}
    vault = deployment("vault", replicas=1)
    probe = {"httpGet": {"path": "/v1/sys/health?standbyok=true", "port": 8200}}
    vault.tree["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe
    for code, words in (("503", "sealed (503)"), ("501", "not initialised (501)")):
        api.cluster.warnings["vault-0"] = (
            f"Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: {code}"
        )
        with pytest.raises(errors.Unfinished) as caught:
            runs.run(api, [NAMESPACE, vault], timeout=10)
        assert f"vault-0: Vault is {words}: run `groundplan vault bootstrap`" in caught.value.why


def test_what_others_made_is_not_touched_unless_asked(api):
    api.cluster.put(NAMESPACE.tree, "kubectl")
    api.cluster.put(runs.settings(theirs="1").tree, "helm")
    with pytest.raises(errors.Foreign, match="1 objects") as caught:
        runs.run(api, [NAMESPACE, runs.settings(ours="1")])
    assert caught.value.why == "ConfigMap shop/settings, by helm"
    assert api.cluster.find("ConfigMap", "settings", "shop")["data"] == {"theirs": "1"}
    runs.run(api, [NAMESPACE, runs.settings(ours="1")], adopt=True)
    assert api.cluster.find("ConfigMap", "settings", "shop")["data"] == {"theirs": "1", "ours": "1"}


def test_what_the_plan_no_longer_has_is_listed_and_deleted_only_when_asked(api):
    runs.run(api, [NAMESPACE, runs.settings(a="1"), deployment("web")])
    api.cluster.put(made("v1 ConfigMap", "of-others", data={}).tree, "helm")
    report = runs.run(api, [NAMESPACE, deployment("web")])
    assert [str(key) for key in report.leftovers] == ["ConfigMap shop/settings"]
    assert api.cluster.find("ConfigMap", "settings", "shop")
    report = runs.run(api, [NAMESPACE, deployment("web")], prune=True)
    assert runs.verbs(report)["ConfigMap shop/settings"] == "deleted"
    assert api.cluster.find("ConfigMap", "settings", "shop") is None
    assert api.cluster.find("ConfigMap", "of-others", "shop")


def test_namespaces_and_claims_are_never_deleted(api):
    claim = made("v1 PersistentVolumeClaim", "data", spec={"accessModes": ["ReadWriteOnce"]})
    runs.run(api, [NAMESPACE, claim, deployment("web")])
    report = runs.run(api, [made("v1 Namespace", "other", namespace="")], prune=True)
    assert {str(key) for key in report.leftovers} == {"Namespace shop", "PersistentVolumeClaim shop/data"}
    assert api.cluster.find("PersistentVolumeClaim", "data", "shop")
    again = runs.run(api, [made("v1 Namespace", "other", namespace="")], prune=True)
    assert again.leftovers == report.leftovers  # and they are not forgotten


def test_the_cluster_of_another_environment_is_refused(api):
    runs.run(api, [NAMESPACE])
    staging = inventory.Inventory("shop", "staging", "default")
    with pytest.raises(errors.Foreign, match="holds shop in production, not in staging"):
        runs.run(api, [NAMESPACE], own=staging)


def test_an_autoscaler_that_takes_over_keeps_the_replicas_there_are(api):
    runs.run(api, [NAMESPACE, deployment("web", replicas=5)])
    scaler = made("autoscaling/v2 HorizontalPodAutoscaler", "web", spec={"minReplicas": 2, "maxReplicas": 9})
    runs.run(api, [NAMESPACE, deployment("web", replicas=None), scaler])
    assert api.cluster.find("Deployment", "web", "shop")["spec"]["replicas"] == 5
    runs.run(api, [NAMESPACE, deployment("web", replicas=3)])
    assert api.cluster.find("Deployment", "web", "shop")["spec"]["replicas"] == 3


def test_a_namespace_that_is_being_deleted_is_waited_for(api):
    wanted = [NAMESPACE, runs.settings(a="1")]
    runs.run(api, wanted)
    client = server.connected(api)
    client.delete("/api/v1/namespaces/shop", uid=api.cluster.find("Namespace", "shop")["metadata"]["uid"])
    told = runs.Told()
    runs.run(api, wanted, told=told)
    assert api.cluster.find("ConfigMap", "settings", "shop")


def test_kinds_that_the_cluster_does_not_know_are_listed_before_anything_is_made(api):
    strange = [made("example.com/v1 Strange", "a", spec={}), made("example.com/v1 Other", "b", spec={})]
    with pytest.raises(errors.UnknownKinds, match=r"Other \(example.com/v1\), Strange \(example.com/v1\)"):
        runs.run(api, [NAMESPACE, *strange])
    assert api.cluster.find("Namespace", "shop") is None
    report = runs.run(api, [NAMESPACE, *strange], skip_unknown=True)
    assert runs.verbs(report) == {"Namespace shop": "created", "Strange shop/a": "skipped", "Other shop/b": "skipped"}


def test_a_dry_run_changes_nothing_and_copes_with_namespaces_that_are_not_there_yet(api):
    report = runs.run(api, [NAMESPACE, runs.settings(a="1")], dry_run=True)
    assert runs.verbs(report) == {"Namespace shop": "created", "ConfigMap shop/settings": "created"}
    assert list(api.cluster.held) == [("Namespace", "", "default")]
    runs.run(api, [NAMESPACE, runs.settings(a="1"), job("migrate")])
    before = api.cluster.writes
    wanted = [NAMESPACE, runs.settings(a="2"), job("migrate", "web:2")]
    assert runs.verbs(runs.run(api, wanted, dry_run=True)) == {
        "Namespace shop": "unchanged", "ConfigMap shop/settings": "changed", "Job shop/migrate": "replaced"
    }  # fmt: skip
    assert api.cluster.writes == before


def lease(**spec: str) -> dict:
    return made("coordination.k8s.io/v1 Lease", "shop-groundplan", "default", spec=spec).tree


def test_two_deploys_at_once_are_one_too_many(api):
    runs.run(api, [NAMESPACE])
    clock = server.Clock()
    api.cluster.put(lease(holderIdentity="bob"), "bob")

    class Told(runs.Told):
        def waits(self, subject, why):
            assert "bob" in why
            api.cluster.put(lease(holderIdentity="bob", renewTime="later"), "bob")

    with pytest.raises(errors.Locked, match="another deploy is at work: bob"):
        runs.run(api, [NAMESPACE], told=Told(), clock=clock)


def test_the_lock_of_a_deploy_that_died_is_taken_over_when_it_runs_out(api):
    api.cluster.put(lease(holderIdentity="dead"), "dead")
    clock = server.Clock()
    runs.run(api, [NAMESPACE], clock=clock)
    assert 15 <= clock.time < 20
    assert api.cluster.find("Lease", "shop-groundplan", "default")["spec"]["holderIdentity"] == ""


WANTED = [
    NAMESPACE, runs.settings(a="2"), job("migrate", "web:2", wave=1), deployment("web", "web:2", wave=2),
    made("v1 ConfigMap", "new", data={"b": "1"}, wave=2),
]  # fmt: skip
EARLIER = [
    NAMESPACE, runs.settings(a="1"), job("migrate", "web:1", wave=1), deployment("web", "web:1", wave=2),
    made("v1 ConfigMap", "old", data={"b": "1"}, wave=2),
]  # fmt: skip


def ended() -> tuple[dict, int]:
    """What an undisturbed upgrade comes to, and how many requests it takes."""
    with server.serving() as api:
        runs.run(api, EARLIER)
        before = api.count
        runs.run(api, WANTED, prune=True)
        return api.cluster.final(), api.count - before


def cut_short(drops, number: int) -> dict:
    """What an upgrade comes to where `drops` says what becomes of the requests from `number` on."""
    with server.serving() as api:
        runs.run(api, EARLIER)
        first = api.count + number
        api.drops = lambda count: drops(count - first)
        try:
            runs.run(api, WANTED, prune=True)
        except errors.Unreachable:
            api.drops = lambda count: ""
            runs.run(api, WANTED, prune=True)
        return api.cluster.final()


def laws(numbers: range, final: dict) -> None:
    for number in numbers:
        for when in ("before", "after"):
            dropped = cut_short(lambda after, when=when: when if after == 0 else "", number)
            assert dropped == final, f"the connection drops {when} request {number}"
            killed = cut_short(lambda after, when=when: when if after == 0 else "before" if after > 0 else "", number)
            assert killed == final, f"the deploy ends {when} request {number}"


def test_wherever_a_connection_drops_or_a_deploy_ends_the_next_one_comes_to_the_same():
    final, requests = ended()
    laws(range(1, requests + 1, 9), final)


@pytest.mark.slow
def test_wherever_at_all_a_connection_drops_or_a_deploy_ends_the_next_one_comes_to_the_same():
    final, requests = ended()
    laws(range(1, requests + 1), final)


def held(api) -> set[objects.Key]:
    return {objects.Object(each, "", "").key for each in api.cluster.final().values()}


ANY = inventory.Inventory("random", "one", "default")


def idempotence(drawing: strategies.Drawing) -> None:
    one, _ = worlds.lowered(worlds.drawn(drawing))
    with server.serving() as api:
        runs.run(api, one.objects, own=ANY)
        assert {each.key for each in one.objects} <= held(api)
        before = api.cluster.writes
        runs.run(api, one.objects, own=ANY)
        assert api.cluster.writes == before


def succession(drawing: strategies.Drawing, random) -> None:
    one, two = worlds.lowered(worlds.drawn(drawing))
    # What a StatefulSet keeps where can never change, and that is the author's business.
    some = [each for each in one.objects if each.key.kind != "StatefulSet"]
    earlier = [each for each in some if each.key.kind == "Namespace" or random.random() < 0.7]
    with server.serving() as api, server.serving() as fresh:
        runs.run(api, earlier, own=ANY)
        runs.run(api, two.objects, own=ANY, prune=True, force=True)
        runs.run(fresh, two.objects, own=ANY)
        assert api.cluster.final() == fresh.cluster.final()


def several(number: int):
    return settings(max_examples=number, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])


@several(2)
@given(strategies.drawings())
def test_any_platform_deploys_from_nothing_and_a_second_time_changes_nothing(drawing):
    idempotence(drawing)


@several(2)
@given(strategies.drawings(), st.randoms(use_true_random=False))
def test_another_plan_over_a_first_one_comes_to_what_it_alone_would(drawing, random):
    succession(drawing, random)


@pytest.mark.slow
@several(25)
@given(strategies.drawings(), st.randoms(use_true_random=False))
def test_many_platforms_deploy_again_and_over_each_other(drawing, random):
    idempotence(drawing)
    succession(drawing, random)
