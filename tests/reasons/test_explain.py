"""`explain` of a platform's things: the plan's line, the pass, the edge, and never a secret's text."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from groundplan import cli
from groundplan.cli import output
from groundplan.model import service
from groundplan.reasons import components, subjects, things, variables
from tests.kubernetes import worlds


@pytest.fixture(scope="module")
def world() -> subjects.World:
    return subjects.World(worlds.payments(), worlds.payments_lowered())


def test_every_object_of_every_cluster_can_be_explained(world: subjects.World) -> None:
    names = things.names(world.lowered)
    assert len(names) > 100
    for name in names:
        found = things.of(name, world.plan, world.lowered)
        assert ":" in found.origin and found.by and found.environments
        assert set(found.environments) | set(found.missing) == {"development", "production", "staging"}


def test_every_variable_is_given_by_an_edge_or_the_plan_and_names_its_line(world: subjects.World) -> None:
    for name in variables.names(world.plan):
        found = variables.of(name, world.plan)
        assert isinstance(found, variables.Variable) and found.holders
        for each in found.holders:
            assert re.search(r"plan\.py:\d+", each.origin)
            assert each.values.keys() <= {"local", "development", "staging", "production"}
            assert not each.secret or all("a file at" in value for value in each.values.values())


def test_what_a_pod_finds_is_what_is_explained(world: subjects.World) -> None:
    production = next(one for one in world.lowered if one.environment == "production")
    found = {made.key.name: made.tree for made in production.objects if made.key.kind == "Deployment"}
    compared = 0
    for program in world.plan.programs:
        if isinstance(program, service.Job):
            continue
        (container,) = found[program.name]["spec"]["template"]["spec"]["containers"]
        env = {each["name"]: each.get("value") for each in container["env"]}
        for name in variables.given(program, world.plan):
            (holder,) = [each for each in variables.of(name, world.plan).holders if each.program == program.name]
            if not holder.secret:
                assert holder.values["production"] == env[name]
                compared += 1
    assert compared > 30


def test_a_secret_is_blotted_and_its_path_is_told(world: subjects.World) -> None:
    found = variables.of("DATABASE_DSN", world.plan)
    (auth,) = [each for each in found.holders if each.program == "auth-service"]
    assert "auth_service:•••@127.0.0.1" in auth.values["local"]
    assert "•••database/postgres-auth-service-password•••@postgres.databases:5432" in auth.values["production"]
    assert "\0" not in json.dumps([each.values for each in found.holders])


def test_a_policy_names_the_edge_of_each_rule(world: subjects.World) -> None:
    found = subjects.explain("netpol/postgres", world)
    assert isinstance(found, things.Thing)
    assert any(each.side == "in" and each.other == "services/auth-service" for each in found.connections)
    assert all(re.search(r"plan\.py:\d+", each.origin) for each in found.connections)


def test_a_component_lists_what_is_made_of_it(world: subjects.World) -> None:
    found = subjects.explain("auth-service", world)
    assert isinstance(found, components.Component)
    assert {"workloads", "services", "identity", "network"} <= {each.by for each in found.objects}
    assert any(each.what.startswith("api-gateway: auth-service:grpc (Validate") for each in found.needed)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("auth-servise", "auth-service"), ("AUTH_SERVICE_URI", "AUTH_SERVICE_URL"), ("deploy/auth", "no deploy/auth"),
        ("deployment/auth-servic", "deployment/auth-service"), ("nothing-like-it", "KIND/NAME"), ("/", "no /"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_with_a_suggestion(word: str, hint: str, world: subjects.World) -> None:
    with pytest.raises(subjects.Unknown, match=re.escape(hint)):
        subjects.explain(word, world)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def verb(*words: str) -> tuple[int, str]:
        monkeypatch.chdir(worlds.ROOT)
        monkeypatch.setattr(sys, "argv", ["groundplan", *words])
        code = output.guarded(cli.groundplan)
        return code, capsys.readouterr().out

    return verb


@pytest.mark.parametrize(
    "word", ["auth-service", "AUTH_SERVICE_URL", "deployment/auth-service", "networkpolicy/postgres"]
)
def test_it_is_told_in_words_and_in_json(word: str, run: Any) -> None:
    code, out = run("explain", word, "--in", "payments")
    assert code == 0 and "platforms/payments/plan.py:" in out
    assert "plan.py:" in json.dumps(json.loads(run("explain", word, "--in", "payments", "--json")[1]))


def test_a_connection_names_the_edge_that_drew_it(run: Any) -> None:
    code, out = run("explain", "api-gateway", "auth-service", "8001", "--in", "payments")
    assert code == 0 and re.search(r"drawn: TCP 8001: api-gateway → auth-service:http    platforms/.*plan.py:\d+", out)
    code, out = run("explain", "webhook-sender", "auth-service", "8001", "--in", "payments", "--environment", "staging")
    assert code == 1 and "drawn: nothing from services/webhook-sender" in out
    assert run("explain", "webhook-sender", "auth-service", "--in", "payments", "--environment", "nowhere")[0] == 2
    assert run("explain", "webhook-sender")[0] == 2


def test_reach_and_compare_take_a_platform(run: Any) -> None:
    code, out = run("reach", "payments", "--from", "gateway/api-gateway", "--to", "services/auth-service")
    assert code == 0 and "TCP 8001,50051" in out
    code, out = run("compare", "platforms/payments/deploy/overlays/staging", "payments", "--environment", "production")
    assert code == 1 and "internal/transaction-service" in out
    assert run("reach", "platforms/payments/deploy/overlays/staging", "--environment", "staging")[0] == 2
