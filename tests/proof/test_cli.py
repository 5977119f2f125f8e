"""The verbs that read manifests: what they print, and how they end."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import pytest

from groundplan import cli
from groundplan.cli import output
from tests.proof import test_door

APPS = pathlib.Path(__file__).parent / "apps"


@pytest.fixture
def place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all.yaml").write_text(test_door.MANIFESTS)
    return tmp_path


@pytest.fixture
def run(place: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def verb(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["groundplan", *words])
        code = output.guarded(cli.groundplan)
        said = capsys.readouterr()
        return code, said.out, said.err

    return verb


def test_reach_lists_rows_without_pods_themselves(run: Any) -> None:
    code, out, _ = run("reach", "all.yaml", "--from", "shop/*", "--json")
    rows = json.loads(out)
    assert code == 0
    assert {"source": "shop/web[Pod]", "destination": "shop/db[StatefulSet]", "connections": "TCP 5432"} in rows
    assert {(row["source"], row["destination"]) for row in rows} == {
        ("shop/web[Pod]", "shop/db[StatefulSet]"), ("shop/db[StatefulSet]", "shop/web[Pod]"),
        *((f"shop/{name}", everywhere) for name in ("web[Pod]", "db[StatefulSet]") for everywhere in (
            "0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
    }  # fmt: skip


def test_reach_between_pods_and_narrowed_to_a_port(run: Any) -> None:
    code, out, _ = run("reach", "all.yaml", "--pods", "--to", "db", "--port", "5432")
    assert code == 0
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["shop/web[Pod]", f"shop/db[StatefulSet]#{number}", "TCP", "5432"] for number in (0, 1)
    ]


def test_reach_tells_replicas_that_reach_each_other_in_a_row_of_their_own(run: Any, place: pathlib.Path) -> None:
    policy = "kind: NetworkPolicy"
    (place / "open.yaml").write_text(test_door.MANIFESTS.replace("app: web}}}]", "app: db}}}]"))
    assert policy in test_door.MANIFESTS
    _, out, _ = run("reach", "open.yaml", "--json")
    assert [row for row in json.loads(out) if row.get("replicas")] == [
        {"source": "shop/db[StatefulSet]", "destination": "shop/db[StatefulSet]", "connections": "TCP 5432",
         "replicas": True},
    ]  # fmt: skip


@pytest.mark.parametrize(("form", "begins"), [("dot", "digraph"), ("mermaid", "flowchart"), ("svg", "<svg")])
def test_reach_draws(run: Any, form: str, begins: str) -> None:
    code, out, _ = run("reach", "all.yaml", "--format", form)
    assert code == 0 and out.startswith(begins) and "5432" in out


def test_reach_says_what_is_not_decidable_and_ends_with_3(run: Any, place: pathlib.Path) -> None:
    text = test_door.MANIFESTS.replace(
        "spec: {containers: [{name: web", "spec: {hostNetwork: true, containers: [{name: web"
    )
    (place / "host.yaml").write_text(text)
    code, _, err = run("reach", "host.yaml")
    assert code == 3 and "shop/web[Pod]: on the node's network" in err


@pytest.mark.parametrize("verb", ["reach", "check"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ broken", "GP501"), ("a: 1\na: 2\n", "GP502"), ("- list\n", "GP503"), ("# nothing\n", "GP504"),
        (test_door.MANIFESTS.replace("port: 5432", 'port: "5432"'), "GP401"),
        (test_door.MANIFESTS.replace("ingress:", "policyTypes: [ingress]\n  ingress:"), "GP401"),
        (f"{test_door.MANIFESTS}---{test_door.MANIFESTS}", "GP402"),
        (test_door.MANIFESTS.replace("name: web, namespace: shop", "name: web"), "GP403"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_never_passed_over(
    run: Any, place: pathlib.Path, verb: str, text: str, code: str
) -> None:
    (place / "bad.yaml").write_text(text)
    ended, out, err = run(verb, "bad.yaml")
    assert (ended, out) == (2, "") and code in err
    ended, out, _ = run(verb, "bad.yaml", "--json")
    assert ended == 2 and code in [each["code"] for each in json.loads(out)["findings"]]


def test_explain_says_what_allowed_it_and_what_would(run: Any) -> None:
    code, out, _ = run("explain", "web", "db", "5432", "--in", "all.yaml")
    assert code == 0 and "rule 0: TCP 5432; shop/web[Pod] matches app=web    all.yaml:20" in out
    code, out, _ = run("explain", "web", "db", "80", "--in", "all.yaml")
    assert (
        code == 1
        and "add to spec.ingress[0].ports of NetworkPolicy shop/db" in out
        and "{protocol: TCP, port: 80}" in out
    )


def test_explain_in_json_has_every_rule(run: Any) -> None:
    _, out, _ = run("explain", "web", "db", "--in", "all.yaml", "--json")
    found = json.loads(out)
    assert (found["verdict"], found["connections"]) == ("allowed", "TCP 5432")
    assert found["sides"][1]["policies"][0]["rules"][0]["matches"] is True


def test_compare_ends_with_1_where_anything_differs(run: Any, place: pathlib.Path) -> None:
    (place / "new.yaml").write_text(test_door.MANIFESTS.replace("port: 5432", "port: 5433"))
    assert run("compare", "all.yaml", "all.yaml")[0] == 0
    code, out, _ = run("compare", "all.yaml", "new.yaml")
    assert code == 1 and "shop/web[Pod] → shop/db[StatefulSet]: TCP 5432 → TCP 5433" in out


def test_compare_tells_findings_that_are_added_and_fixed(run: Any, place: pathlib.Path) -> None:
    (place / "new.yaml").write_text(test_door.MANIFESTS.replace('"web:1"', '"web"'))
    code, out, _ = run("compare", "all.yaml", "new.yaml")
    assert code == 1 and "findings added (1)" in out and "GP543" in out
    code, out, _ = run("compare", "new.yaml", "all.yaml", "--json")
    found = json.loads(out)
    assert (code, found["connections"]) == (0, [])
    assert [each["code"] for each in found["findings"]["fixed"]] == ["GP543"]


@pytest.mark.parametrize("name", ["bookshop", "streaming", "webshop"])
def test_check_of_a_published_application_is_a_page_to_act_on(
    name: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(APPS)
    code, out, _ = run("check", f"{name}.yaml")
    assert code == 1
    assert out == (APPS / f"{name}.txt").read_text()


def test_check_in_sarif_names_rules_and_lines(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(APPS)
    code, out, _ = run("check", "bookshop.yaml", "--sarif")
    (found,) = json.loads(out)["runs"]
    places = [each["locations"][0]["physicalLocation"] for each in found["results"]]
    assert code == 1 and all(each["region"]["startLine"] > 0 for each in places)
    assert {each["ruleId"] for each in found["results"]} == {each["id"] for each in found["tool"]["driver"]["rules"]}


def test_check_writes_a_certificate(run: Any, place: pathlib.Path) -> None:
    run("check", "all.yaml", "--certificate", "it.json")
    assert json.loads((place / "it.json").read_text())["surely"]
