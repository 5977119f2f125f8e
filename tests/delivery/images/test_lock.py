"""``groundplan images lock``: what registries say goes into images.lock, and from there into what is built."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml

from tests.delivery.images import registries

PLAN = """\
from groundplan import *
from groundplan.resources import *
plan = Platform("shop", version="2.1")
space = plan.namespace("services")
vault = space.add(Vault("vault"))
web = space.add(Service("web", python("shop.web"), http=8000, replicas=2))
proxy = space.add(Service("proxy", image("HOST/team/proxy:3"), http=8000, replicas=2))
fixed = space.add(Service("fixed", image("HOST/team/fixed@sha256:DIGITS"), http=8000, replicas=2))
plan.environment("live", host="shop.example.com", registry="HOST", secrets=vault)
"""
ELSEWHERE = "docker.io/hashicorp/vault"


def run(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "groundplan", *arguments]
    # Whatever lies beyond this machine is not there: its proxy refuses.
    away = {"https_proxy": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=away)


@pytest.fixture
def double():
    with registries.serving(registries.Double()) as served:
        yield served


@pytest.fixture
def shop(tmp_path, double):
    (tmp_path / "plan.py").write_text(PLAN.replace("HOST", double.host).replace("DIGITS", "0" * 64))
    return tmp_path


def locked(folder: pathlib.Path) -> dict[str, str]:
    lines = (folder / "images.lock").read_text().splitlines()[1:]
    return dict(line.split(" ") for line in lines)


def test_what_is_known_is_written_and_what_is_not_stays_a_tag(shop, double):
    done = run(shop, "images", "lock")
    assert done.returncode == 1, done.stderr
    assert locked(shop) == {
        f"{double.host}/shop:2.1": registries.DIGEST,
        f"{double.host}/team/proxy:3": registries.DIGEST,
    }
    assert f"tag only {ELSEWHERE}" in done.stdout
    assert "images.lock: 2 of 3 images by digest" in done.stdout


def test_an_image_that_the_plan_names_by_digest_is_not_asked_for(shop, double):
    run(shop, "images", "lock")
    assert not any("fixed" in each.path for each in double.asked)


def test_what_is_locked_is_built_by_digest(shop, double):
    run(shop, "images", "lock")
    assert run(shop, "build").returncode == 0
    found = {
        container["image"]
        for path in (shop / "deploy" / "base").rglob("*.yaml")
        for tree in yaml.safe_load_all(path.read_text())
        if tree["kind"] == "Deployment"
        for container in tree["spec"]["template"]["spec"]["containers"]
    }
    assert found == {
        f"{double.host}/shop:2.1@{registries.DIGEST}",
        f"{double.host}/team/proxy:3@{registries.DIGEST}",
        f"{double.host}/team/fixed@sha256:{'0' * 64}",
    }


def test_a_registry_that_is_gone_takes_nothing_of_what_is_known(shop, double):
    run(shop, "images", "lock")
    before = (shop / "images.lock").read_bytes()
    double.tells = lambda asked: registries.Answer(404)
    done = run(shop, "images", "lock")
    assert done.returncode == 1
    assert f"kept     {double.host}/shop:2.1  {registries.DIGEST}" in done.stdout
    assert (shop / "images.lock").read_bytes() == before


def test_a_tag_that_moved_is_said_and_one_that_did_not_is_not_pulled(shop, double):
    run(shop, "images", "lock")
    other = registries.manifest(b'{"schemaVersion": 2}')
    double.tells = lambda asked: other if "proxy" in asked.path else registries.manifest()
    double.asked.clear()
    done = run(shop, "images", "lock", "--json")
    said = {each["image"]: each for each in json.loads(done.stdout)["images"]}
    moved = said[f"{double.host}/team/proxy:3"]
    assert (moved["before"], moved["digest"]) == (registries.DIGEST, other.headers["Docker-Content-Digest"])
    assert [each.path for each in double.asked if each.method == "GET"] == [
        f"/v2/team/proxy/manifests/{other.headers['Docker-Content-Digest']}"
    ]


def test_an_image_that_the_plan_no_longer_has_leaves_the_lock(shop, double):
    run(shop, "images", "lock")
    plan = shop / "plan.py"
    plan.write_text("".join(line for line in plan.read_text().splitlines(keepends=True) if "proxy" not in line))
    run(shop, "images", "lock")
    assert list(locked(shop)) == [f"{double.host}/shop:2.1"]


@pytest.mark.parametrize(
    "line", ["redis:7", "redis:7 sha256:1", "<<<<<<< ours", f"redis:7  sha256:{'0' * 64}", "\udcff"]
)
def test_a_lock_that_cannot_be_read_is_a_finding_and_nothing_is_built(shop, line):
    (shop / "images.lock").write_bytes(f"# fine\n{line}\n".encode(errors="surrogateescape"))
    for verb in (["build"], ["images", "lock"]):
        done = run(shop, *verb)
        assert done.returncode == 2, done.stdout
        assert "GP003" in done.stderr
        assert "images.lock" in done.stderr
    assert not (shop / "deploy").exists()


def test_two_digests_for_one_image_are_a_finding(shop):
    (shop / "images.lock").write_text("".join(f"redis:7 sha256:{sign * 64}\n" for sign in "01"))
    done = run(shop, "build")
    assert done.returncode == 2
    assert "images.lock:2" in done.stderr
