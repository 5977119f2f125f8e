"""``groundplan images`` with programs that write down what they are told: which one, with what, and how it ends."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

PLAN = """\
from groundplan import *
from groundplan.resources import *
plan = Platform("shop", version="2.1")
space = plan.namespace("services")
vault = space.add(Vault("vault"))
web = space.add(Service("web", python("shop.web"), http=8000, replicas=2))
plan.environment("live", host="shop.example.com", registry="registry.example.com", secrets=vault)
plan.environment("trial", host="trial.example.com", registry="trial.example.com", secrets=vault)
"""
ANSWERS = 'printf "%s\\n" "$0 $*" >> "$TOLD"\n'
NO_DAEMON = 'test "$1" != version\n'
FAILS = 'test "$1" = version\n'
WAITS = """\
test "$1" = version && exit
trap 'echo cleaned >> "$TOLD"; exit 130' INT
echo building >> "$TOLD"
while :; do sleep 0.1; done
"""


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "plan.py").write_text(PLAN)
    (folder / "requirements.txt").write_text("")
    subprocess.run([sys.executable, "-m", "groundplan", "build"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def machine(tmp_path):
    """Makes a machine with these programs, and starts `groundplan images` on it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for needed in ("sleep", "cat", "git"):
        (programs / needed).symlink_to(f"/usr/bin/{needed}")
    environment = {"PATH": str(programs), "TOLD": str(tmp_path / "told"), "HOME": str(tmp_path)}

    def start(folder: pathlib.Path, *arguments: str, **bodies: str) -> subprocess.Popen[str]:
        for name, body in bodies.items():
            (programs / name).write_text(f"#!/bin/sh\n{body}")
            (programs / name).chmod(0o755)
        command = [sys.executable, "-m", "groundplan", "images", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=folder, text=True, env=environment, stdout=pipe, stderr=pipe)

    start.told = tmp_path / "told"
    return start


def finished(started: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = started.communicate(timeout=60)
    return started.returncode, out, err


def test_the_first_that_answers_builds_under_every_environments_name_and_pushes(shop, machine):
    code, out, err = finished(machine(shop, "--push", docker=NO_DAEMON, podman=ANSWERS, buildah=ANSWERS))
    assert code == 0, err
    _, build, *pushes = [line.partition(" ")[2] for line in machine.told.read_text().splitlines()]
    assert build.startswith(f"build --file {shop}/deploy/Containerfile --tag registry.example.com/shop:2.1 --tag ")
    assert build.endswith(f" {shop}")
    assert pushes == ["push registry.example.com/shop:2.1", "push trial.example.com/shop:2.1"]
    assert out.splitlines() == ["pushed registry.example.com/shop:2.1", "pushed trial.example.com/shop:2.1"]


def test_another_program_base_and_name_can_be_asked_for(shop, machine):
    arguments = ("--with", "buildah", "--base", "localhost/base:1", "--tag", "localhost/mine:3", "--json")
    code, out, _ = finished(machine(shop, *arguments, podman=ANSWERS, buildah=ANSWERS))
    assert code == 0
    said = json.loads(out)
    assert said["images"] == ["localhost/mine:3"]
    assert said["built"] is True
    assert {"BASE=localhost/base:1", "--layers"} <= set(said["commands"][0])


def test_a_dry_run_prints_the_commands_and_runs_none(shop, machine):
    code, out, _ = finished(machine(shop, "--dry-run", podman=ANSWERS))
    assert code == 0
    assert out.startswith(f"podman build --file {shop}/deploy/Containerfile")
    assert not machine.told.exists()


@pytest.mark.parametrize(
    ("programs", "why"),
    [({}, "looked for docker, podman, buildah"), ({"docker": NO_DAEMON}, "docker is there, but no daemon answers")],
)
def test_a_machine_that_cannot_build_is_told_what_to_install(shop, machine, programs, why):
    code, _, err = finished(machine(shop, **programs))
    assert code == 1
    assert why in err
    assert "fix: " in err


def test_a_build_that_fails_is_a_failure_and_pushes_nothing(shop, machine):
    code, out, _ = finished(machine(shop, "--push", "--json", podman=ANSWERS + FAILS))
    assert code == 1
    assert json.loads(out)["error"]["kind"] == "NotBuilt"
    assert "push" not in machine.told.read_text()


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reaches_the_builder_which_is_waited_for(shop, machine, told, tmp_path):
    started = machine(shop, podman=WAITS)
    deadline = time.monotonic() + 30
    while not machine.told.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(started.pid, told)
    code, _, _ = finished(started)
    assert code == 130
    assert machine.told.read_text() == "building\ncleaned\n"


def test_without_a_containerfile_it_says_how_one_comes_about(shop, machine):
    (shop / "deploy" / "Containerfile").unlink()
    code, _, err = finished(machine(shop, podman=ANSWERS))
    assert code == 1
    assert "fix: groundplan build" in err
    (shop / "requirements.txt").unlink()
    code, _, err = finished(machine(shop, podman=ANSWERS))
    assert code == 1
    assert "requirements.txt" in err


def test_the_authors_own_containerfile_comes_first(shop, machine):
    (shop / "Containerfile").write_text("FROM scratch\n")
    _, out, _ = finished(machine(shop, "--dry-run", podman=ANSWERS))
    assert f"--file {shop}/Containerfile" in out


def test_a_platform_of_foreign_images_has_nothing_to_build(shop, machine):
    (shop / "plan.py").write_text(PLAN.replace('python("shop.web")', 'image("docker.io/library/nginx:1")'))
    code, _, err = finished(machine(shop, podman=ANSWERS))
    assert code == 2
    assert "all bring theirs" in err
