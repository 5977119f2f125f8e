"""Terraform: figures follow from the plan, and what is written beside it can be read, is whole, and is documented."""

from __future__ import annotations

import json
import math
import pathlib
import re

import hcl2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundplan.delivery import deploy, terraform
from tests.kubernetes import worlds

FOLDER = worlds.PAYMENTS.parent / "terraform"
FILES = sorted(FOLDER.glob("*.tf"))
TEXT = "\n".join(path.read_text() for path in FILES)
CODE = re.sub(r"^\s*#.*$", "", TEXT, flags=re.M)


def blocks(kind: str) -> list[dict]:
    return [block for path in FILES for block in hcl2.loads(path.read_text()).get(kind, [])]


def bare(text: str) -> str:
    return text.strip('"')


def declared() -> dict[str, dict]:
    return {bare(name): body for block in blocks("variable") for name, body in block.items()}


def given_by_the_plan() -> dict[str, dict[str, object]]:
    made = deploy.of(worlds.payments())
    found = {pathlib.Path(path).stem: text for path, text in made.files.items() if path.endswith(".tfvars")}
    return {name: hcl2.loads(text) for name, text in found.items()}


def test_every_environment_gets_its_figures_and_only_variables_that_there_are():
    given = given_by_the_plan()
    assert sorted(given) == ["development", "production", "staging"]
    for said in given.values():
        assert set(said) <= set(declared())


def test_whatever_the_plan_does_not_say_has_a_default_or_is_asked_of_the_account():
    asked = {name for name, body in declared().items() if "default" not in body}
    assert asked - set(given_by_the_plan()["production"]) == {"dns_zone", "api_server_cidrs", "administrators"}


def test_sums_are_those_of_the_pods_at_the_top_of_their_range():
    production = next(each for each in worlds.payments_lowered() if each.environment == "production")
    said = given_by_the_plan()["production"]
    quotas = [each.tree["spec"]["hard"] for each in production.objects if each.key.kind == "ResourceQuota"]
    assert said["pods"] == sum(int(each.get("pods", "0")) for each in quotas) > 20
    scale = {"m": 1, "": 1000}
    cpu = sum(
        int(number) * scale[unit]
        for each in quotas
        if "requests.cpu" in each
        for number, unit in re.findall(r"^(\d+)(m?)$", each["requests.cpu"])
    )
    assert said["requests_cpu_millicores"] == cpu
    assert said["zones"] == 3
    assert said["node_ports"] == {'"80"': 30080, '"443"': 30443}


@pytest.mark.parametrize("body", declared().values(), ids=declared().keys())
def test_every_variable_has_a_type_and_a_description(body):
    assert "type" in body
    assert bare(body["description"]).endswith(".")


def test_the_readme_lists_every_variable_and_output_as_it_is_declared():
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", (FOLDER / "README.md").read_text(), re.M)
    outputs = {bare(name): bare(body["description"]) for block in blocks("output") for name, body in block.items()}
    assert dict(rows) == {name: bare(body["description"]) for name, body in declared().items()} | outputs


def test_every_variable_is_used_and_every_one_that_is_used_is_declared():
    assert set(re.findall(r"\bvar\.(\w+)", CODE)) == set(declared())


def test_every_reference_leads_to_something_declared():
    there = {
        f"{prefix}{bare(kind)}.{bare(name)}"
        for prefix, what in (("", "resource"), ("data.", "data"))
        for block in blocks(what)
        for kind, named in block.items()
        for name in named
    }
    used = set(re.findall(r"(?<![\w.:/\"-])((?:data\.)?aws_\w+\.\w+)", CODE))
    assert used <= there
    assert len(used) > 20
    names = {name for block in blocks("locals") for name in block if not name.startswith("__")}
    assert set(re.findall(r"\blocal\.(\w+)", CODE)) <= names


def test_what_is_installed_is_pinned():
    said = blocks("terraform")[0]
    provider = said["required_providers"][0]["aws"]
    assert re.fullmatch(r'"~> \d+\.\d+"', provider["version"])
    assert "<" in said["required_version"]


def test_what_must_be_closed_is():
    by_kind = {bare(kind): named for block in blocks("resource") for kind, named in block.items()}
    closed = next(iter(by_kind["aws_s3_bucket_public_access_block"].values()))
    assert all(closed[name] is True for name in closed if name.startswith(("block", "ignore", "restrict")))
    cluster = next(iter(by_kind["aws_eks_cluster"].values()))
    assert cluster["encryption_config"][0]["resources"] == ['"secrets"']
    assert '!contains(var.api_server_cidrs, "0.0.0.0/0")' in CODE
    assert 'enableNetworkPolicy = "true"' in CODE  # without it, EKS would not enforce a single policy of the plan


def test_the_cluster_has_what_claims_and_autoscalers_of_the_plan_take_for_granted():
    production = next(each for each in worlds.payments_lowered() if each.environment == "production")
    kinds = {each.key.kind for each in production.objects}
    claims = [
        claim["spec"]
        for each in production.objects
        for claim in each.tree.get("spec", {}).get("volumeClaimTemplates", ())
    ]
    assert "HorizontalPodAutoscaler" in kinds and '"metrics-server"' in CODE
    assert claims and not any("storageClassName" in claim for claim in claims)
    assert "defaultStorageClass = { enabled = true }" in CODE


def test_nothing_is_written_where_no_terraform_is(tmp_path):
    class Plan:
        file = tmp_path / "plan.py"

    assert terraform.files(Plan, ()) == {}


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_any_text_is_a_string_that_hcl_reads_back(text):
    said = terraform._value(text)
    assert json.loads(said.replace("$${", "${").replace("%%{", "%{")) == text
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", said)


def test_the_zones_that_are_left_carry_everything_when_one_is_gone():
    said, node = given_by_the_plan()["production"], {"millicores": 2000, "mebibytes": 8192, "pods": 29}
    shares = (
        said["requests_cpu_millicores"] / node["millicores"],
        said["requests_memory_mebibytes"] / node["mebibytes"],
        said["pods"] / node["pods"],
    )
    left = math.ceil(math.ceil(1.6 * max(shares)) / (said["zones"] - 1)) * (said["zones"] - 1)
    assert all(left >= 1.6 * share for share in shares)
