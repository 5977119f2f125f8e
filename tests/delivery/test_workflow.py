"""The workflow for GitHub Actions: valid by GitHub's schema, with the least rights, and every command of it exists."""

from __future__ import annotations

import importlib.resources
import json
import re
import subprocess

import click
import jsonschema_rs
import pytest
import yaml

from groundplan import cli
from groundplan.delivery import workflow
from tests.kubernetes import worlds

COMMITTED = worlds.ROOT / ".github" / "workflows" / "payments.yml"
TEXT = workflow.text(worlds.payments())
TREE = yaml.load(TEXT, yaml.BaseLoader)  # YAML 1.1 would read the key `on` as a boolean
STEPS = [(name, step) for name, job in TREE["jobs"].items() for step in job["steps"]]
RUNS = [(name, step["run"]) for name, step in STEPS if "run" in step]


def schema() -> dict:
    vendored = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
    return json.loads(vendored.read_text())


def validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema())


def typed() -> dict:
    tree = yaml.safe_load(TEXT)
    tree["on"] = tree.pop(True)
    return tree


def test_what_is_committed_is_what_is_printed():
    assert COMMITTED.read_text() == TEXT, "run: groundplan workflow payments > .github/workflows/payments.yml"


def test_it_is_valid_by_githubs_schema():
    assert [error.message for error in validator().iter_errors(typed())] == []


def test_the_schema_would_catch_a_mistake():
    tree = typed()
    tree["jobs"]["plan"]["permission"] = {}
    assert list(validator().iter_errors(tree))


def test_everything_that_was_written_from_the_plan_is_held_to_it():
    held = {words for name, script in RUNS if name == "plan" for words in re.findall(r"groundplan (.*)", script)}
    assert held == {"build payments --check", "docs payments --check", "check payments"}


def test_nobody_may_do_anything_that_his_job_does_not_need():
    assert TREE["permissions"] == {}
    rights = {name: job["permissions"] for name, job in TREE["jobs"].items()}
    assert rights == {
        "plan": {"contents": "read"},
        "terraform": {"contents": "read"},
        "image": {"contents": "read", "id-token": "write"},
        "release": {"contents": "write", "pull-requests": "write"},
    }


def test_jobs_that_see_secrets_run_for_tags_alone_and_after_everything_was_tested():
    secret = {name for name, job in TREE["jobs"].items() if "secrets." in json.dumps(job)}
    assert secret == {"image", "release"}
    assert TREE["jobs"]["image"]["if"] == "startsWith(github.ref, 'refs/tags/payments-v')"
    assert TREE["jobs"]["image"]["needs"] == ["plan", "terraform"]
    assert TREE["jobs"]["release"]["needs"] == "image"


def test_an_action_is_pinned_to_a_commit_or_says_why_not():
    lines = [line for line in TEXT.splitlines() if "uses:" in line]
    for line in lines:
        assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$|@v\d+\.\d+\.\d+ # by its tag: ", line), line
    assert len(lines) >= 9


@pytest.mark.parametrize(("job", "script"), RUNS)
def test_every_script_is_one_for_a_shell_and_puts_nothing_of_others_into_it(job, script):
    # What an expression fills in is code by then: it goes through variables instead.
    assert "${{" not in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(("job", "script"), [each for each in RUNS if "groundplan " in each[1]])
def test_every_verb_and_flag_of_it_exists(job, script):
    for words in re.findall(r"groundplan ([a-z].*?)(?:$|\||\))", script, re.M):
        command: click.Command = cli.groundplan
        rest = words.split()
        while isinstance(command, click.Group):
            command = command.commands[rest.pop(0)]
        known = {option for each in command.params for option in each.opts}
        assert {word for word in rest if word.startswith("--")} <= known, words


def test_a_platform_without_terraform_and_make_gets_neither(tmp_path):
    (tmp_path / "requirements.txt").write_text("")

    class Plan:
        file = tmp_path / "plan.py"
        name = "shop"

    tree = yaml.load(workflow.text(Plan), yaml.BaseLoader)
    assert sorted(tree["jobs"]) == ["image", "plan", "release"]
    assert tree["jobs"]["image"]["needs"] == "plan"
    scripts = [step.get("run", "") for step in tree["jobs"]["plan"]["steps"]]
    assert "python -m pip install --requirement requirements.txt" in "".join(scripts)
    assert not any("make " in script or "groundplan docs" in script for script in scripts)
    assert not re.search(r"@[A-Z]+@", workflow.text(Plan))
