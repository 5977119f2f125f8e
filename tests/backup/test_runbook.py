"""The runbook: every command names what exists, with flags that the real program has, and says what it needs."""

from __future__ import annotations

import functools
import re
import shlex
import shutil
import subprocess

import pytest

from groundplan import cli
from groundplan.backup import estimates, runbook
from tests import debian
from tests.kubernetes import worlds

ENVIRONMENTS = [env.name for env in worlds.payments().environments if not env.local]
KINDS = {"cronjob": "CronJob", "deployment": "Deployment", "deploy": "Deployment", "statefulset": "StatefulSet"}
GLOBAL = {"-n", "-"}


def page(name: str) -> str:
    plan = worlds.payments()
    return runbook.page(plan, next(env for env in plan.environments if env.name == name))


def blocks(text: str) -> list[list[str]]:
    found = re.findall(r"```sh\n(.*?)```", text, re.S)
    return [block.replace("\\\n", "").splitlines() for block in found]


def commands(text: str) -> list[list[str]]:
    lines = [line for block in blocks(text) for line in block if not line.startswith("#")]
    plain = [line.removeprefix("until ").partition(";")[0] if line.startswith("until ") else line for line in lines]
    return [shlex.split(part) for line in plain for part in line.split(" | ")]


@functools.cache
def kubectl() -> str:
    """The machine's own, or Debian's, which is old: what it knows every kubectl in use knows."""
    folder = debian.unpacked("kubectl", ("kubernetes-client",))
    return shutil.which("kubectl") or str(folder / "usr" / "bin" / "kubectl")


@functools.cache
def flags(*verb: str) -> set[str]:
    said = subprocess.run([kubectl(), *verb, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    return set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", said))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_block_says_what_it_needs(name: str) -> None:
    assert blocks(page(name))
    assert [block[0] for block in blocks(page(name)) if not block[0].startswith("# needs: ")] == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_flag_of_every_command_is_one_that_the_program_has(name: str) -> None:
    asked = 0
    for words in commands(page(name)):
        given = {word.split("=")[0] for word in words[: words.index("--") if "--" in words else None] if word[0] == "-"}
        if words[0] == "kubectl":
            plain = [word for word in words[1:] if not word.startswith("-") and word not in _values(words)]
            two = plain[:2] in (["create", "job"], ["create", "secret"], ["set", "env"], ["rollout", "status"])
            verb = (*plain[:2], "generic") if plain[:2] == ["create", "secret"] else plain[: 2 if two else 1]
            assert given - GLOBAL <= flags(*verb), words
            asked += 1
        elif words[0] == "groundplan":
            known = {"--help"}.union(*(option.opts for option in cli.groundplan.commands[words[1]].params))
            assert given <= known, words
            asked += 1
        else:
            assert words[0] in ("argocd", "umask", "rm", "python3")
    assert asked > 1


def _values(words: list[str]) -> set[str]:
    return {words[place + 1] for place, word in enumerate(words) if word == "-n"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_object_of_every_command_is_one_that_the_environment_has(name: str) -> None:
    one = next(each for each in worlds.payments_lowered() if each.environment == name)
    known = {(made.key.namespace, made.key.kind, made.key.name) for made in one.objects}
    for words in commands(page(name)):
        if words[0] != "kubectl" or "-n" not in words:
            continue
        space, text = words[words.index("-n") + 1], " ".join(words)
        for kind, found in re.findall(r"\b(cronjob|deployment|deploy|statefulset)/([a-z0-9-]+)", text):
            assert (space, KINDS[kind], found) in known, text
        scaled = re.search(
            r"scale (deployment|statefulset)((?: [a-z][a-z0-9-]*)*) --replicas=\d+((?: [a-z0-9-]+)*)", text
        )
        for found in (scaled[2] + scaled[3]).split() if scaled else ():
            assert (space, KINDS[scaled[1]], found) in known, text


def test_an_older_backup_is_chosen_by_a_variable_that_the_real_kubectl_sets(tmp_path) -> None:
    one = next(each for each in worlds.payments_lowered() if each.environment == "production")
    tree = next(made.tree for made in one.objects if made.key.name == "postgres-restore" and made.key.kind == "CronJob")
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "now"},
        "spec": tree["spec"]["jobTemplate"]["spec"],
    }
    import json

    words = next(words for words in commands(page("production")) if words[1:3] == ["set", "env"])
    done = subprocess.run(
        [kubectl(), *words[1:-1], "json"], input=json.dumps(job), capture_output=True, text=True, check=True, timeout=60
    )
    made = json.loads(done.stdout)["spec"]["template"]["spec"]
    fetch = next(each for each in made["initContainers"] if each["name"] == "fetch")
    assert [each["value"] for each in fetch["env"] if each["name"] == "BACKUP_AT"] == ["2026-11-21T03:00Z"]


def test_without_backups_the_page_says_why_and_restores_nothing() -> None:
    text = page("development")
    assert "| postgres | never | – | test data, made anew by the story |" in text
    assert "restore-now" not in text


def test_estimates_agree_with_themselves() -> None:
    for seconds in (120.0, 600.0, 3600.0):
        assert estimates.restore(estimates.fits(seconds)) == pytest.approx(seconds)
    assert estimates.fits(1.0) == 0
