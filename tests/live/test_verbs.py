"""The verbs that ask a cluster, as programs of their own, against the double."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from tests.live import server

PLAN = """
from groundplan import Platform, Service, command
from groundplan.resources import Vault

plan = Platform("shop")
space = plan.namespace("shop")
vault = space.add(Vault("vault"))
web = space.add(Service("web", command(["serve"]), http=8000, replicas={replicas}))
{more}
plan.environment("production", host="shop.example.com", registry="registry.example.com", secrets=vault)
"""


@pytest.fixture
def api():
    with server.serving() as serving:
        yield serving


class Shop:
    """A platform in a directory of its own, and a kubeconfig beside it."""

    def __init__(self, folder, url: str) -> None:
        self.folder, self.config = folder, folder / "config"
        self.write()
        self.config.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "double",
            "contexts": [{"name": "double", "context": {"cluster": "double", "user": "jane"}}],
            "clusters": [{"name": "double", "cluster": {"server": url}}],
            "users": [{"name": "jane", "user": {"token": "t0k3n"}}],
        }))  # fmt: skip

    def write(self, replicas: int = 2, more: str = "") -> None:
        (self.folder / "plan.py").write_text(PLAN.format(replicas=replicas, more=more))

    def start(self, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "groundplan", *words, "--environment", "production"],
            cwd=self.folder, env={**os.environ, "KUBECONFIG": str(self.config)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, str]:
        ran = self.start(*words)
        out, err = ran.communicate(timeout=60)
        return ran.returncode, out + err

    def build(self) -> None:
        subprocess.run([sys.executable, "-m", "groundplan", "build"], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture
def shop(tmp_path, api):
    return Shop(tmp_path, api.url)


def test_only_what_was_built_is_deployed(shop, api):
    code, said = shop.run("deploy")
    assert (code, "differs from the plan" in said) == (2, True), said
    assert api.count == 0
    shop.build()
    code, said = shop.run("deploy")
    assert code == 0, said
    assert "context double" in said
    assert "created   Deployment shop/web" in said
    assert api.seen[0]["Authorization"] == "Bearer t0k3n"
    code, said = shop.run("deploy", "--json")
    assert {each["verb"] for each in json.loads(said)["objects"]} == {"unchanged"}


def test_an_interrupt_ends_it_with_130_and_leaves_no_lock(shop, api):
    api.cluster.troubles["web"] = {"waiting": {"reason": "ImagePullBackOff"}}
    ran = shop.start("deploy", "--from-plan")
    waited(api, "pods")
    ran.send_signal(signal.SIGINT)
    _, said = ran.communicate(timeout=30)
    assert (ran.returncode, "run this again" in said) == (130, True), said
    assert api.cluster.find("Lease", "shop-groundplan", "default")["spec"]["holderIdentity"] == ""


@pytest.mark.slow
def test_what_a_killed_deploy_left_the_next_one_ends_after_its_lock_ran_out(shop, api):
    api.cluster.troubles["web"] = {"waiting": {"reason": "ImagePullBackOff"}}
    ran = shop.start("deploy", "--from-plan")
    waited(api, "pods")
    ran.kill()
    ran.communicate(timeout=30)
    del api.cluster.troubles["web"]
    api.cluster.settle()
    code, said = shop.run("deploy", "--from-plan")
    assert code == 0, said
    assert "waiting for the lock" in said


@pytest.mark.slow
def test_a_second_deploy_at_once_ends_and_says_who_is_at_work(shop, api):
    api.cluster.troubles["web"] = {"waiting": {"reason": "ImagePullBackOff"}}
    first = shop.start("deploy", "--from-plan")
    waited(api, "pods")
    code, said = shop.run("deploy", "--from-plan")
    assert (code, "another deploy is at work" in said) == (1, True), said
    del api.cluster.troubles["web"]
    api.cluster.settle()
    assert first.communicate(timeout=30) and first.returncode == 0


def waited(api, part: str) -> None:
    """Until the cluster was asked for something."""
    for _ in range(300):
        if any(part in path for _, path in api.cluster.requests):
            return
        time.sleep(0.1)
    raise AssertionError(f"nobody asked for {part}")


def test_a_cluster_that_is_not_there_and_rights_that_are_not_there_are_told(shop, api):
    code, said = shop.run("deploy", "--from-plan", "--context", "other")
    assert (code, "there is no context 'other'" in said, "there are: double" in said) == (2, True, True), said
    api.cluster.denied = {("patch", "deployments")}
    code, said = shop.run("deploy", "--from-plan", "--json")
    error = json.loads(said)["error"]
    assert (code, error["kind"]) == (1, "Forbidden")
    assert "have this rule bound to jane" in error["fix"]
    shop.config.write_text(shop.config.read_text().replace(api.url, "http://127.0.0.1:9"))
    code, said = shop.run("deploy", "--from-plan")
    assert (code, "no answer from http://127.0.0.1:9 (context double)" in said) == (1, True), said


def test_leftovers_are_listed_and_deleted_when_asked(shop, api):
    shop.write(more='other = space.add(Service("other", command(["serve"]), http=8000))')
    assert shop.run("deploy", "--from-plan")[0] == 0
    shop.write()
    code, said = shop.run("deploy", "--from-plan")
    assert (code, "Deployment shop/other" in said, "--prune deletes them" in said) == (0, True, True)
    code, said = shop.run("deploy", "--from-plan", "--prune")
    assert (code, "deleted   Deployment shop/other" in said) == (0, True), said
    assert api.cluster.find("Deployment", "other", "shop") is None


def test_diff_and_status_answer_by_their_exit_codes(shop, api):
    code, said = shop.run("diff")
    assert (code, "creates" in said, "Deployment shop/web    plan.py:8" in said) == (1, True, True), said
    assert shop.run("status")[0] == 1
    assert shop.run("deploy", "--from-plan")[0] == 0
    code, said = shop.run("diff")
    assert (code, "no difference" in said) == (0, True), said
    code, said = shop.run("status")
    assert (code, "2 of 2 ready" in said) == (0, True), said
    shop.write(replicas=3)
    code, said = shop.run("diff", "--json")
    assert (code, json.loads(said)["changes"][0]["details"]) == (1, ["2 → 3 replicas"])
    shop.config.write_text(shop.config.read_text().replace(api.url, "http://127.0.0.1:9"))
    assert [shop.run(verb)[0] for verb in ("diff", "status")] == [2, 2]
