"""What a deploy would change, and how a platform is, against the double."""

from __future__ import annotations

import pytest

from groundplan.live import changes, difference, errors, inventory, status
from tests.kubernetes import worlds
from tests.live import runs, server
from tests.live.runs import NAMESPACE, OWN, deployment, job, made


@pytest.fixture
def api():
    with server.serving() as serving:
        yield serving


def diff(api, wanted, own=OWN) -> difference.Report:
    before = api.cluster.writes
    found = difference.of(server.connected(api), own, wanted)
    assert api.cluster.writes == before, "a diff changes nothing"
    return found


def told(found: difference.Report) -> list[tuple]:
    return [(each.kind, str(each.key), *each.details) for each in found.changes]


def policy(name: str, *ports: int):
    rules = [{"ports": [{"port": port} for port in ports]}] if ports else []
    selector = {"matchLabels": {"app.kubernetes.io/name": name}}
    spec = {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": rules}
    return made("networking.k8s.io/v1 NetworkPolicy", name, spec=spec)


def test_nothing_differs_after_a_deploy(api):
    wanted = [NAMESPACE, runs.settings(a="1"), deployment("web"), job("migrate"), policy("web", 80)]
    runs.run(api, wanted)
    assert not diff(api, wanted)


def test_each_change_is_told_by_what_it_means(api):
    role = "rbac.authorization.k8s.io/v1 Role"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    more = [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get"]}]
    runs.run(api, [NAMESPACE, runs.settings(a="1", b="1"), deployment("web"), deployment("same"), job("migrate"),
                   made(role, "reader", rules=rules), made("v1 ConfigMap", "old", data={})])  # fmt: skip
    found = diff(api, [NAMESPACE, runs.settings(a="1\n2", c="1"), deployment("web", "web:2", replicas=3),
                       deployment("same"), job("migrate", "web:2"), deployment("new"),
                       made(role, "reader", rules=more)])  # fmt: skip
    assert told(found) == [
        ("removes", "ConfigMap shop/old", "with --prune"),
        ("runs again", "Job shop/migrate", "spec.containers[migrate].image: web:1 → web:2"),
        ("restarts", "Deployment shop/web", "containers[web].image: web:1 → web:2"),
        ("scales", "Deployment shop/web", "2 → 3 replicas"),
        ("changes", "Role shop/reader", "may now get secrets"),
        ("changes", "ConfigMap shop/settings", "a changes: 1 lines more, 0 less", "b goes", "c appears"),
        ("creates", "Deployment shop/new"),
    ]
    assert {each.origin for each in found.changes if each.kind != "removes"} == {"plan.py:7"}


def test_a_change_that_waits_for_somebody_is_no_restart():
    (key, before), (_, after) = ((each.key, each.tree) for each in (deployment("vault"), deployment("vault", "web:2")))
    after["spec"]["updateStrategy"] = before["spec"]["updateStrategy"] = {"type": "OnDelete"}
    (found,) = changes.of(key._replace(kind="StatefulSet"), before, after)
    image = "containers[vault].image: web:1 → web:2"
    assert (found.kind, found.details) == ("changes", ("its pod takes this when somebody deletes it", image))


def test_traffic_that_newly_opens_is_told_pair_by_pair(api):
    runs.run(api, [NAMESPACE, deployment("web"), deployment("api"), policy("api", 8000), policy("web")])
    found = diff(api, [NAMESPACE, deployment("web"), deployment("api"), policy("api", 8000, 9000), policy("web")])
    pair = next(each for each in found.traffic if each.source == "shop/web[Deployment]")
    assert (pair.kind, pair.before, pair.after) == ("widened", "TCP 8000", "TCP 8000,9000")


def test_what_others_allow_counts_before_and_after(api):
    runs.run(api, [NAMESPACE, deployment("web"), deployment("api"), policy("api"), policy("web")])
    wide = policy("api", 9000)
    wide.tree["metadata"]["name"] = "of-others"
    api.cluster.put(wide.tree, "kubectl")
    found = diff(api, [NAMESPACE, deployment("web"), deployment("api"), policy("api", 9000), policy("web")])
    assert [each.key.name for each in found.changes] == ["api"]
    assert found.traffic == ()


def test_fields_of_others_are_told_as_conflicts(api):
    runs.run(api, [NAMESPACE, deployment("web")])
    api.cluster.put(deployment("web", replicas=7).tree, "kubectl-scale")
    found = diff(api, [NAMESPACE, deployment("web")])
    assert found.conflicts == ("Deployment shop/web: .spec.replicas is set by kubectl-scale",)
    assert told(found) == [("scales", "Deployment shop/web", "7 → 2 replicas")]


def test_the_payment_platform_against_an_empty_cluster_creates_everything(api):
    staging = worlds.payments_lowered()[1]
    own = inventory.Inventory("payments", "staging", "default")
    found = diff(api, staging.objects, own)
    assert {each.kind for each in found.changes} == {"creates"}
    assert len(found.changes) == len(staging.objects)
    assert len(found.traffic) > 20
    runs.run(api, staging.objects, own=own)
    assert not diff(api, staging.objects, own)
    report = status.of(server.connected(api), own, staging.objects)
    assert report.ok, report.drift


def test_status_tells_what_is_not_ready_and_what_is_not_as_planned(api):
    wanted = [NAMESPACE, runs.settings(a="1"), deployment("web"), deployment("gone"), job("migrate")]
    runs.run(api, wanted)
    assert status.of(server.connected(api), OWN, wanted).ok
    api.cluster.troubles["web"] = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
    api.cluster.put(deployment("web", replicas=7).tree, "kubectl-scale")
    pod = api.cluster.find("Pod", "web-0", "shop")["status"]["containerStatuses"][0]
    pod |= {"restartCount": 4, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "T"}}}
    client = server.connected(api)
    client.delete("/apis/apps/v1/namespaces/shop/deployments/gone", uid="")
    found = status.of(client, OWN, wanted)
    rows = {row.key.name: row for row in found.rows}
    assert not found.ok
    assert (rows["web"].ok, rows["web"].restarts, rows["web"].images) == (False, 4, ("web:1",))
    assert rows["web"].state.startswith(
        "0 of 7 ready: web-0: container web: CrashLoopBackOff: exit code 137 (OOMKilled)"
    )
    assert rows["web"].last_failure == "OOMKilled, exit code 137, T"
    assert (rows["gone"].state, rows["migrate"].state) == ("not there", "done")
    assert [(str(key), what) for key, what in found.drift] == [
        ("Deployment shop/gone", "not there"), ("Deployment shop/web", "spec.replicas is 7, planned 2")
    ]  # fmt: skip


def test_the_server_writes_amounts_and_empty_lists_its_own_way():
    wanted = {"resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}}, "ingress": [], "name": "a"}
    live = {"resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}, "name": "a", "more": 1}
    assert list(changes.drift(wanted, live)) == []
    assert list(changes.drift({"name": "0.5"}, {"name": "500m"})) == [changes.Field("name", "500m", "0.5")]


def test_a_diff_without_rights_says_which(api):
    runs.run(api, [NAMESPACE, deployment("web")])
    api.cluster.denied = {("patch", "deployments")}
    with pytest.raises(errors.Forbidden, match="jane may not patch deployments in shop"):
        diff(api, [NAMESPACE, deployment("web")])


def test_what_a_secret_holds_is_not_told(api):
    runs.run(api, [NAMESPACE, made("v1 Secret", "keys", data={"one": "b25l", "two": "dHdv"})])
    found = diff(api, [NAMESPACE, made("v1 Secret", "keys", data={"one": "bmV3", "three": "dGhyZWU="})])
    assert told(found) == [("changes", "Secret shop/keys", "one changes", "two goes", "three appears")]


def test_a_schedule_whose_last_run_failed_is_not_well(api):
    spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": runs.pods("backup")}}}
    wanted = [NAMESPACE, made("batch/v1 CronJob", "backup", spec=spec)]
    runs.run(api, wanted)
    began, before, after = "2026-02-02T03:00:00Z", "2026-02-01T03:01:00Z", "2026-02-02T03:01:00Z"
    known = [{}, *({"lastScheduleTime": began, "lastSuccessfulTime": done} for done in (before, after))]
    live, told = api.cluster.find("CronJob", "backup", "shop"), []
    for times in known:
        live["status"] = times
        row = status.of(server.connected(api), OWN, wanted).rows[0]
        told.append((row.ok, row.state.partition(", last done ")[2]))
    assert told == [
        (True, "never"),
        (False, f"{before}, the run of {began} failed"),
        (True, after),
    ]
