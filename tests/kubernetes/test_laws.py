"""Laws of what a platform becomes in a cluster, over random platforms."""

from __future__ import annotations

import json
import posixpath
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundplan.delivery import kustomize
from groundplan.kubernetes import clusters, containers, lower, names
from groundplan.local.plan import lower as local_lower
from groundplan.local.plan import units
from groundplan.model import platform, service
from groundplan.resources import Postgres
from groundplan_runtime import contract
from tests import sites, strategies
from tests.kubernetes import apiserver, go_templates, worlds

FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(strategies.drawings())
def test_the_same_plan_gives_the_same_bytes(drawing):
    plan = worlds.drawn(drawing)
    assert kustomize.files(worlds.lowered(plan)) == kustomize.files(worlds.lowered(worlds.drawn(drawing)))


@FEW
@given(strategies.drawings(), st.integers(1, 10**6))
def test_the_order_of_declaration_never_matters(drawing, seed):
    one, other = (worlds.lowered(worlds.drawn(each)) for each in (drawing, drawing.shuffled(seed)))
    assert kustomize.files(one) == kustomize.files(other)


def stems(name: str) -> set[str]:
    """`name` without its suffixes: ``db-bootstrap-files``, ``db-bootstrap`` and ``db``."""
    shorter = {name.removesuffix(suffix) for suffix in names.SUFFIXES} - {name}
    return {name}.union(*(stems(each) for each in shorter))


@FEW
@given(strategies.drawings())
def test_every_name_is_the_authors_with_a_suffix_of_the_list(drawing):
    plan = worlds.drawn(drawing)
    said = {plan.name, *(each.name for each in plan.components), *(space.name for space in plan.namespaces)}
    servers = [each for each in plan.resources if isinstance(each, Postgres)]
    said |= {each.name.replace("_", "-") for server in servers for each in server.databases}
    said |= {env.defaults["issuer"] for env in plan.environments if "issuer" in env.defaults}
    for one in worlds.lowered(plan):
        for made in one.objects:
            assert stems(made.key.name) & said, made.key


def running(plan: platform.Platform) -> dict[str, units.Unit]:
    return {unit.name: unit for unit in local_lower.lower(sites.imagined(plan)).units}


def variables_here(unit: units.Unit) -> dict[str, str]:
    instance = unit.instances[0] if isinstance(unit, units.Daemon) else unit
    return dict(instance.command.environment)


def pod_of(one: lower.Lowered, name: str) -> dict:
    found = (made.tree for made in one.objects if made.key.name == name)
    return next(template for tree in found if (template := apiserver.template_of(tree)))


def config_map(one: lower.Lowered, name: str) -> dict[str, str]:
    made = next(
        (each for each in one.objects if (each.key.kind, each.key.name) == ("ConfigMap", f"{name}-files")), None
    )
    return made.tree["data"] if made else {}


def files_there(one: lower.Lowered, name: str) -> set[str]:
    """Paths of the files that the main container finds: rendered, mounted as they are, or projected tokens."""
    agent = config_map(one, name).get("agent.hcl", "")
    found = set(re.findall(r'destination = "(.*)"', agent))
    spec = pod_of(one, name)["spec"]
    where = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    for volume in spec.get("volumes", ()):
        items = volume.get("configMap", {}).get("items", ())
        found |= {posixpath.join(where[volume["name"]], item["path"]) for item in items}
        if volume["name"] == "tokens":
            sources = volume["projected"]["sources"]
            found |= {posixpath.join(where["tokens"], each["serviceAccountToken"]["path"]) for each in sources}
    return found


@FEW
@given(strategies.drawings())
def test_laptop_and_cluster_give_each_service_the_same_variables_and_files(drawing):
    plan = worlds.drawn(drawing)
    here = running(plan)
    for program in plan.programs:
        unit, local = here[program.name], variables_here(here[program.name])
        files = [*unit.files, *(unit.instances[0].files if isinstance(unit, units.Daemon) else ())]
        root = f"/root-of-data/files/{program.name}"
        for one in worlds.lowered(plan):
            given_there = pod_of(one, program.name)["spec"]["containers"][0]["env"]
            there = {each["name"]: each.get("value") for each in given_there}
            assert set(there) == set(local) - {"PYTHONPATH"}
            for name, value in local.items():
                if value.startswith("file://"):
                    assert there[name] == "file://" + value.removeprefix(f"file://{root}"), name
            assert files_there(one, program.name) == {file.path.removeprefix(root) for file in files}


ACTION = re.compile(r"\{\{ with secret .*?\{\{ end \}\}")


@FEW
@given(strategies.drawings())
def test_laptop_and_cluster_let_the_same_callers_in(drawing):
    plan = worlds.drawn(drawing)
    here = running(plan)
    for program in plan.programs:
        written = next((file for file in here[program.name].files if file.path.endswith("callers.json")), None)
        for one in worlds.lowered(plan):
            there = config_map(one, program.name).get("config_callers.json")
            assert (there is None) == (written is None)
            if there is not None:
                filled = ACTION.sub("{}", there)
                mine, local = json.loads(filled), json.loads(written.content)
                assert {**mine, "issuer": "", "jwks": {}} == {**local, "issuer": "", "jwks": {}}


@FEW
@given(strategies.drawings())
def test_a_workload_may_read_exactly_the_paths_that_its_templates_name(drawing):
    for one in worlds.lowered(worlds.drawn(drawing)):
        access = next(made.tree["data"] for made in one.objects if made.key.name == "the-own-vault-access")
        holders = set()
        running = {made.key.name: made.key.namespace for made in one.objects if apiserver.template_of(made.tree)}
        running |= {f"{each.component}-alertmanager": each.namespace for each in one.releases}
        for name, namespace in running.items():
            text = "\n".join(config_map(one, name).values())
            wanted = set(re.findall(r'with secret "([^"]+)"', text))
            allowed = set(re.findall(r'path "([^"]+)"', access.get(f"policy.{name}.hcl", "")))
            assert wanted == allowed
            if wanted:
                holders.add(name)
                role = json.loads(access[f"role.{name}.json"])
                assert role["bound_service_account_names"] == [name]
                assert role["bound_service_account_namespaces"] == [namespace]
                assert role["token_ttl"] == "24h"
        # Who takes snapshots of the Vault has a role of its own for that.
        saving = {f"{name}.snapshot" for name in running if name == "the-own-vault-backup"}
        assert {name.split(".", 1)[1].rsplit(".", 1)[0] for name in access} == holders | saving


SECRET = re.compile(r"\0|BEGIN [A-Z ]*PRIVATE KEY")


@FEW
@given(strategies.drawings())
def test_no_secret_stands_in_what_is_emitted(drawing):
    plan = worlds.drawn(drawing)
    for text in kustomize.files(worlds.lowered(plan)).values():
        assert not SECRET.search(text)


def test_lowering_never_makes_a_secret(monkeypatch):
    """Nothing is generated, so nothing can leak; and what people give for a laptop stays there."""

    def generated(self):
        raise AssertionError("a secret was made")

    for secret in worlds.payments().secrets:
        monkeypatch.setattr(type(secret.generator), "generate", generated)
    for text in kustomize.files(worlds.lowered(worlds.payments())).values():
        assert '{"username"' not in text


def test_a_selector_outlives_versions_and_environments():
    """Selectors of Deployments and StatefulSets can never be changed."""
    plan = worlds.payments()
    seen: dict[tuple[str, str], dict] = {}
    before = plan.version
    try:
        for version in ("1.0.0", "2.0.0"):
            plan.version = version
            for one in worlds.lowered(plan):
                for made in one.objects:
                    if made.key.kind in ("Deployment", "StatefulSet"):
                        chosen = made.tree["spec"]["selector"]
                        assert seen.setdefault((made.key.kind, made.key.name), chosen) == chosen
    finally:
        plan.version = before
    assert len(seen) >= 10


def expanded(text: str) -> str:
    """What the kubelet makes of ``$``, after third_party/forked/golang/expansion/expand.go; no variable is known."""
    out, at = [], 0
    while at < len(text):
        if text[at] == "$" and at + 1 < len(text):
            if text[at + 1] == "$":
                out.append("$")
                at += 2
                continue
            if text[at + 1] == "(" and ")" in text[at:]:
                end = text.index(")", at)
                out.append("FILLED IN")
                at = end + 1
                continue
        out.append(text[at])
        at += 1
    return "".join(out)


@given(st.text(alphabet="$()aA_ {}"))
def test_what_the_kubelet_would_fill_in_arrives_as_it_was_written(text):
    assert expanded(containers.escaped(text)) == text


@given(st.text(alphabet='{}ab \n"`', max_size=20))
def test_a_template_keeps_the_braces_of_plain_text(text):
    store = next(each for each in worlds.payments().resources if each.name == "vault")
    template = clusters.template(text, store)
    assert go_templates.filled(template, str) == text


@given(st.text(alphabet='{}ab"', max_size=6), st.text(alphabet='{}ab"', max_size=6))
def test_no_brace_beside_a_secret_becomes_a_part_of_what_asks_for_it(before, after):
    store = next(each for each in worlds.payments().resources if each.name == "vault")
    template = clusters.template(f"{before}\0app/x\0{after}", store)
    assert go_templates.filled(template, lambda path: f"<{path}>") == f"{before}<app/x>{after}"


def test_a_change_of_a_file_rolls_the_pods_that_read_it():
    plan = worlds.payments()
    before = pod_of(worlds.lowered(plan)[0], "auth-service")["metadata"]["annotations"]["checksum/files"]
    auth = next(each for each in plan.programs if each.name == "auth-service")
    merchant = next(each for each in plan.programs if each.name == "merchant-service")
    assert isinstance(auth, service.Service)
    merchant.needs(auth.http)
    try:
        after = pod_of(worlds.lowered(plan)[0], "auth-service")["metadata"]["annotations"]["checksum/files"]
    finally:
        merchant.edges.pop()
    assert before != after


def test_every_variable_that_a_service_is_given_has_a_name_of_the_contract_or_of_the_plan():
    one = worlds.payments_lowered()[0]
    given_there = {each["name"] for each in pod_of(one, "transaction-service")["spec"]["containers"][0]["env"]}
    assert {contract.CALLERS, contract.DATABASE_DSN, contract.SERVICE_INSTANCE, "GRPC_LISTEN"} <= given_there
