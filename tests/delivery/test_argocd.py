"""Argo CD: its projects permit what is emitted and no more, and every environment syncs as it was told to."""

from __future__ import annotations

import fnmatch
import functools
import pathlib
import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from groundplan import Platform, Service, image
from groundplan.delivery import argocd, deploy, tree
from groundplan.kubernetes import lower, waves
from groundplan.model import findings, platform
from groundplan.resources import Vault
from tests import strategies
from tests.delivery import kustomizes
from tests.kubernetes import schemas, worlds

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RUN = ("Deployment", "StatefulSet", "Job")
REPOSITORY = "https://git.example.com/team/random.git"


def trees(plan: platform.Platform, one: lower.Lowered) -> list[dict]:
    """Everything that Argo CD is told of an environment but the list of its files."""
    found = argocd.files(plan, [one])
    return [yaml.safe_load(text) for path, text in found.items() if not path.endswith("kustomization.yaml")]


@functools.cache
def payments(environment: str) -> dict[str, dict]:
    """Objects by kind and name."""
    (one,) = (one for one in worlds.payments_lowered() if one.environment == environment)
    found = trees(worlds.payments(), one)
    return {f"{tree['kind']} {tree['metadata']['name']}": tree for tree in found}


def drawn(drawing: strategies.Drawing) -> platform.Platform:
    plan = worlds.drawn(drawing)
    plan.gitops(REPOSITORY, folder="somewhere/deploy")
    plan.environments[-1].defaults |= {"sync": "approved", "revision": "two", "cluster": "cluster-two"}
    return plan


@FEW
@given(strategies.drawings())
def test_argo_cd_knows_every_field_and_every_object_fits_its_project(drawing):
    plan = drawn(drawing)
    for one in worlds.lowered(plan):
        found = trees(plan, one)
        assert [said for each in found for said in schemas.complaints(each)] == []
        projects = {each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "AppProject"}
        applications = [each for each in found if each["kind"] == "Application"]
        assert len(applications) == 2 + len(one.releases)
        for each in applications:
            spec = each["spec"]
            if spec["project"] == "default":  # the application of applications
                continue
            permitted = projects[spec["project"]]
            assert spec["destination"] in permitted["destinations"]
            assert any(fnmatch.fnmatchcase(spec["source"]["repoURL"], each) for each in permitted["sourceRepos"])


@FEW
@given(strategies.drawings())
def test_the_projects_permit_exactly_what_is_emitted(drawing):
    plan = drawn(drawing)
    for one in worlds.lowered(plan):
        found = {f"{each['kind']} {each['metadata']['name']}": each["spec"] for each in trees(plan, one)}
        project = found[f"AppProject random-{one.environment}"]
        keys = [made.key for made in one.objects]
        wide, inside = project["clusterResourceWhitelist"], project["namespaceResourceWhitelist"]
        assert {(each["group"], each["kind"]) for each in wide} == {(k.group, k.kind) for k in keys if not k.namespace}
        assert {(each["group"], each["kind"]) for each in inside} == {(k.group, k.kind) for k in keys if k.namespace}
        spaces = {each["namespace"] for each in project["destinations"]}
        assert spaces == {space.name for space in plan.namespaces}
        assert "*" not in str(project)


@pytest.mark.parametrize(
    ("environment", "automated", "confirmed", "revision"),
    [
        ("development", None, False, "HEAD"),
        ("staging", {"prune": True, "selfHeal": True}, False, "HEAD"),
        ("production", {"prune": True, "selfHeal": True}, True, "production"),
    ],
)
def test_each_environment_syncs_as_the_table_says(environment, automated, confirmed, revision):
    found = [tree for name, tree in payments(environment).items() if name.startswith("Application ")]
    assert len(found) in (4, 5)
    for each in found:
        policy = each["spec"]["syncPolicy"]
        assert policy.get("automated") == automated
        assert ("Prune=confirm" in policy["syncOptions"]) is confirmed
        assert "ServerSideApply=true" in policy["syncOptions"]
        # A namespace that came about by the way would have no Pod Security labels.
        assert not any(option.startswith("CreateNamespace") for option in policy["syncOptions"])
        source = each["spec"]["source"]
        assert "chart" in source or source["targetRevision"] == revision
        assert "finalizers" not in each["metadata"]


def test_each_chart_says_what_is_assumed_of_its_pods():
    charts = [tree for tree in payments("production").values() if "chart" in tree["spec"].get("source", {})]
    assert len(charts) == 3
    for each in charts:
        lines = each["metadata"]["annotations"][argocd.ASSUMES].splitlines()
        assert [line.partition(": ")[0] for line in lines] == ["namespace", "labels", "ports"]
        assert f"namespace: {each['spec']['destination']['namespace']}" == lines[0]


def test_grafana_is_not_started_anew_for_each_password_that_its_chart_draws():
    spec = payments("production")["Application payments-production-prometheus"]["spec"]
    assert "RespectIgnoreDifferences=true" in spec["syncPolicy"]["syncOptions"]
    found = {(each["kind"], each["name"]): each["jsonPointers"] for each in spec["ignoreDifferences"]}
    assert found == {
        ("Secret", "prometheus-grafana"): ["/data/admin-password"],
        ("Deployment", "prometheus-grafana"): ["/spec/template/metadata/annotations/checksum~1secret"],
    }


def test_projects_come_before_the_applications_that_name_them():
    found = payments("production").values()
    assert {waves.of(each) for each in found if each["kind"] == "AppProject"} == {-1}
    # All in one wave: a platform may wait for a chart, and a chart for the platform's namespaces.
    assert {waves.of(each) for each in found if each["kind"] == "Application"} == {0}


def test_the_real_kustomize_builds_what_is_handed_over(tmp_path):
    made = deploy.of(worlds.payments())
    tree.write(tmp_path, made.files)
    root = payments("production")["Application payments-production-applications"]["spec"]["source"]
    built = kustomizes.build(tmp_path / pathlib.PurePosixPath(root["path"]).relative_to("platforms/payments/deploy"))
    said = {f"{tree['kind']} {tree['metadata']['name']}": tree for tree in built}
    assert said == {name: tree for name, tree in payments("production").items() if "-applications" not in name}
    overlay = said["Application payments-production"]["spec"]["source"]["path"]
    assert (tmp_path / pathlib.PurePosixPath(overlay).relative_to("platforms/payments/deploy")).is_dir()


def small(**words: object) -> platform.Platform:
    plan = Platform("shop")
    space = plan.namespace("space")
    vault = space.add(Vault("vault"))
    space.add(Service("app", image("registry.example.com/app:1"), http=8000))
    plan.environment("live", secrets=vault, **words)
    return plan


@pytest.mark.parametrize("name", ["project", "charts", "kustomization", "argocd"])
def test_a_platform_may_be_called_as_one_of_the_files(name):
    plan = small(sync="automated")
    plan.name = name
    plan.gitops(REPOSITORY)
    found = [yaml.safe_load(text) for path, text in deploy.of(plan).files.items() if path.startswith("argocd/")]
    assert sorted(each["kind"] for each in found) == ["AppProject", "Application", "Application", "Kustomization"]


def test_without_a_repository_there_is_nothing_for_argo_cd():
    assert not [path for path in deploy.of(small()).files if path.startswith(argocd.FOLDER)]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ({"sync": "automated"}, "plan.gitops("),
        ({"revision": "main"}, "plan.gitops("),
        ({"cluster": "live"}, "plan.gitops("),
    ],
)
def test_syncing_from_nowhere_is_a_finding(words, remedy):
    with pytest.raises(findings.PlanError) as raised:
        deploy.of(small(**words))
    (found,) = raised.value.findings
    assert (found.code, remedy in found.remedy) == ("GP303", True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ({"sync": "automatic"}, "GP105", "automated"),
        ({"sync": "approved"}, "GP303", 'revision="live"'),
        ({"sync": True}, "GP302", "give sync=<str>"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_a_finding(words, code, said):
    plan = small(**words)
    plan.gitops(REPOSITORY)
    with pytest.raises(findings.PlanError) as raised:
        deploy.of(plan)
    (found,) = raised.value.findings
    assert (found.code, said in found.remedy) == (code, True)


def test_two_environments_on_one_revision_cannot_be_approved_apart():
    plan = small(sync="approved", revision="main")
    plan.gitops(REPOSITORY)
    plan.environment("other", revision="main", secrets=plan.environments[0].defaults["secrets"])
    with pytest.raises(findings.PlanError) as raised:
        deploy.of(plan)
    assert ["other follows main too" in found.why for found in raised.value.findings] == [True]


@pytest.mark.parametrize("repository", ["", "shop", "/srv/git/shop", "https://", "https://host", None, "a b@c:d e"])
def test_what_is_no_repository_is_a_finding(repository):
    plan = Platform("shop")
    plan.gitops(repository)
    assert ([found.code for found in plan.sheet.findings], plan.synced) == (["GP105"], None)


@pytest.mark.parametrize("folder", ["/deploy", "../deploy", "a/../../b", "", None])
def test_a_folder_outside_the_repository_is_a_finding(folder):
    plan = Platform("shop")
    plan.gitops("git@git.example.com:team/shop.git", folder=folder)
    assert [found.code for found in plan.sheet.findings] == ["GP105"]


def test_a_namespace_that_no_argo_cd_runs_in_is_a_finding():
    plan = Platform("shop")
    plan.gitops(REPOSITORY, namespace="Argo CD")
    assert ([found.code for found in plan.sheet.findings], plan.synced) == (["GP101"], None)


def test_the_waves_on_the_page_are_those_of_payments():
    page = (worlds.ROOT / "docs" / "gitops.md").read_text()
    rows = re.findall(r"^\| (\d) \| (.*) \|$", page, re.M)
    assert [int(number) for number, _ in rows] == [1, 2, 3, 4, 5, 6]
    for one in worlds.payments_lowered():
        known = {made.key.name: waves.of(made.tree) for made in one.objects if made.key.kind in RUN}
        late = {waves.of(made.tree) for made in one.objects if made.key.kind in ("Ingress", "CronJob")}
        assert late == {6}
        for number, what in rows:
            for name in re.findall(r"`([a-z-]+)`", what):
                assert known[name] == int(number), name
