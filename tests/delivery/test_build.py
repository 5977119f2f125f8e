"""``groundplan build``: writes what the plan says, checks what is committed, and says what is wrong."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from groundplan.delivery import deploy, tree
from tests.kubernetes import worlds

PLAN = """\
from groundplan import *
from groundplan.resources import *
plan = Platform("shop")
space = plan.namespace("services")
vault = space.add(Vault("vault"))
web = space.add(Service("web", python("shop.web"), http=8000, replicas=2))
plan.environment("live", host="shop.example.com", registry="registry.example.com", secrets=vault)
"""


def build(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "groundplan", "build", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "plan.py").write_text(PLAN)
    return tmp_path


def test_what_is_committed_is_what_the_plan_says():
    made = deploy.of(worlds.payments())
    assert tree.compare(made.folder, made.files) == tree.Changes((), (), ()), "run: groundplan build payments"


def test_it_writes_base_and_overlays_beside_the_plan(shop):
    done = build(shop)
    assert done.returncode == 0, done.stderr
    assert "live" in done.stdout
    assert (shop / "deploy" / "overlays" / "live" / "kustomization.yaml").is_file()
    assert build(shop, "--check").returncode == 0


def test_checking_lists_what_differs_and_writes_nothing(shop):
    assert build(shop, "--check").returncode == 1
    assert not (shop / "deploy").exists()
    build(shop)
    changed = shop / "deploy" / "base" / "services" / "web.yaml"
    changed.write_text(changed.read_text() + "# by hand\n")
    done = build(shop, "--check")
    assert done.returncode == 1
    assert "change  deploy/base/services/web.yaml" in done.stdout
    assert "fix: groundplan build" in done.stdout


def test_it_answers_in_json(shop):
    answer = json.loads(build(shop, "--json").stdout)
    assert answer["written"] is True
    assert answer["environments"]["live"] > 10
    assert len(answer["changes"]["added"]) == answer["files"]
    again = json.loads(build(shop, "--check", "--json").stdout)
    assert again["changes"] == {"added": [], "changed": [], "removed": []}


def test_findings_end_it_with_two_and_write_nothing(shop):
    (shop / "plan.py").write_text(PLAN.replace('registry="registry.example.com", ', ""))
    done = build(shop)
    assert done.returncode == 2
    assert "GP303" in done.stderr
    assert "plan.py:7" in done.stderr
    assert not (shop / "deploy").exists()


def test_a_file_of_the_users_own_is_not_overwritten(shop):
    build(shop)
    own = shop / "deploy" / "base" / "services" / "web.yaml"
    own.write_text("mine: true\n")
    done = build(shop)
    assert done.returncode != 0
    assert "web.yaml" in done.stderr
    assert own.read_text() == "mine: true\n"


def test_the_same_plan_gives_the_same_bytes_in_another_process_and_place(shop, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    shutil.copy(shop / "plan.py", other / "plan.py")
    build(shop)
    build(other)
    assert contents(shop / "deploy") == contents(other / "deploy")


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
