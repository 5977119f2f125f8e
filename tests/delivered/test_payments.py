"""`check payments` proves what is committed, and notices every known way to break it, with the plan's line."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import sys
from collections.abc import Callable
from typing import Any

import pytest

from groundplan import cli
from groundplan.cli import output
from groundplan.proof import recheck
from tests.delivery import kustomizes
from tests.kubernetes import worlds

PLATFORM = worlds.ROOT / "platforms" / "payments"


@pytest.fixture
def place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The plan and its folder, to be broken."""
    shutil.copy(PLATFORM / "plan.py", tmp_path / "plan.py")
    shutil.copytree(PLATFORM / "deploy", tmp_path / "deploy")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["groundplan", "check", *words])
        code = output.guarded(cli.groundplan)
        return code, capsys.readouterr().out

    return run


def test_what_is_committed_is_proved(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(worlds.ROOT)
    code, out = check("payments", "--json")
    found = json.loads(out)
    assert (code, found["verdict"]) == (0, "proved"), out
    assert found["environments"].keys() == {"development", "staging", "production"}
    for each in found["environments"].values():
        assert each["examined"]["workloads"] > 20 and each["claims"] > 100 and each["pairs"] > 150
        assert any("kube-dns" in said for said in each["assumptions"])
        assert any("ingress-nginx" in said for said in each["assumptions"])


def edit(path: str, old: str, new: str, count: int = 1) -> Callable[[pathlib.Path], None]:
    """Replaces text of a file, which must be there."""

    def apply(deploy: pathlib.Path) -> None:
        text = (deploy / path).read_text()
        assert old in text
        (deploy / path).write_text(text.replace(old, new, count))

    return apply


def policy(path: str, change: Callable[[str], str]) -> Callable[[pathlib.Path], None]:
    """Changes the NetworkPolicy of a file."""

    def apply(deploy: pathlib.Path) -> None:
        parts = (deploy / path).read_text().split("---\n")
        changed = [change(part) if "kind: NetworkPolicy\n" in part else part for part in parts]
        assert changed != parts
        (deploy / path).write_text("---\n".join(part for part in changed if part))

    return apply


def adding(path: str, text: str) -> Callable[[pathlib.Path], None]:
    """Puts one more object behind those of a file."""

    def apply(deploy: pathlib.Path) -> None:
        (deploy / path).write_text((deploy / path).read_text() + "---\n" + text)

    return apply


def without_dns(text: str) -> str:
    head, *peers = text.split("  - to:\n")
    return "  - to:\n".join([head, *(each for each in peers if "kube-dns" not in each)])


INTRUDER = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: intruder, namespace: databases}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: elsewhere}}
    ports: [{port: 5432}]
"""
OPEN = INTRUDER.replace("{matchLabels: {kubernetes.io/metadata.name: elsewhere}}", "{}")
CALICO = "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: x, namespace: databases}\nspec: {}\n"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: backdoor, namespace: databases, labels: {app.kubernetes.io/name: postgres, \
app.kubernetes.io/part-of: payments}}
spec: {containers: [{name: a, image: "x:1"}]}
"""
AUTH, GATEWAY = "base/services/auth-service.yaml", "base/gateway/api-gateway.yaml"
POSTGRES, CONTROLLER = "base/databases/postgres.yaml", "base/ingress-nginx/ingress-nginx-controller.yaml"
RANGE = "overlays/production/patches/internal.transaction-service.networkpolicy.yaml"

BREAKING: dict[str, tuple[Callable[[pathlib.Path], None], str, str]] = {
    "drop a policy": (policy(POSTGRES, lambda text: ""), "GP204", "databases/postgres[StatefulSet]"),
    "drop a default deny": (
        policy("base/services/services.yaml", lambda text: ""), "GP207", "services/any-other-pod",
    ),
    "widen the ports": (
        edit(CONTROLLER, "  - ports:\n    - protocol: TCP\n      port: 80\n", "  - {}\n  - ports:\n"),
        "GP207", "ingress-nginx/ingress-nginx-controller[assumed]",
    ),
    "shift a port": (edit(GATEWAY, "port: 50051", "port: 50052"), "GP204", "TCP 50051 is declared"),
    "retarget a policy": (
        policy(AUTH, lambda text: text.replace("name: auth-service\n      app", "name: auth\n      app")),
        "GP204", "services/auth-service",
    ),
    "retarget a peer": (
        policy(GATEWAY, lambda text: text.replace("app.kubernetes.io/name: redis", "app.kubernetes.io/name: postgres")),
        "GP204", "gateway/api-gateway[Deployment] → databases/redis[StatefulSet]",
    ),
    "mislabel pods": (
        edit(AUTH, "      labels:\n        app.kubernetes.io/name: auth-service", "      labels:\n        app: auth"),
        "GP204", "services/auth-service",
    ),
    "rename a workload": (
        edit(POSTGRES, "kind: StatefulSet\nmetadata:\n  name: postgres", "kind: StatefulSet\nmetadata:\n  name: pg"),
        "GP209", "databases/postgres TCP 5432 is declared",
    ),
    "use the node's network": (
        edit(AUTH, "    spec:\n      containers:", "    spec:\n      hostNetwork: true\n      containers:"),
        "GP207", "services/auth-service",
    ),
    "drop the DNS": (policy(GATEWAY, without_dns), "GP204", "kube-system/kube-dns"),
    "let in a namespace that has no pods yet": (adding(POSTGRES, INTRUDER), "GP207", "elsewhere/stranger"),
    "let in every namespace": (adding(POSTGRES, OPEN), "GP207", "some-other-namespace"),
    "add a kind that nobody reads": (adding(POSTGRES, CALICO), "not decidable", "projectcalico"),
    "add a pod that policies take for another": (adding(POSTGRES, POD), "GP207", "databases/backdoor[Pod]"),
    "let a Service lead elsewhere": (
        edit(AUTH, "targetPort: http", "targetPort: grpc"), "GP208", "port 8001 of Service",
    ),
    "rename a Service": (
        edit(AUTH, "kind: Service\nmetadata:\n  name: auth-service", "kind: Service\nmetadata:\n  name: auth"),
        "GP208", "there is no Service services/auth-service",
    ),
    "close the way between replicas": (
        edit("overlays/production/patches/vault.vault.networkpolicy.yaml", "port: 8201", "port: 8202", 2),
        "GP204", "vault/vault[StatefulSet] → vault/vault[StatefulSet] TCP 8201 is declared",
    ),
    "rename the Service by which replicas find each other": (
        edit("base/vault/vault-peers.yaml", "name: vault-peers\n  namespace", "name: vault-mates\n  namespace"),
        "GP208", "there is no Service vault/vault-peers",
    ),
    "widen one environment's range": (
        edit(RANGE, "203.0.113.0/24", "203.0.0.0/8"),
        "GP207", "in production",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKING)
def test_every_way_to_break_it_is_noticed_and_named(name: str, place: pathlib.Path, check: Any) -> None:
    change, code, words = BREAKING[name]
    change(place / "deploy")
    ended, out = check("--environment", "production")
    assert ended == 1, out
    assert "GP210" in out and code in out, out
    assert any(words in line for line in out.splitlines()), out
    if code in ("GP204", "GP208"):
        assert re.search(r"declared \(plan\.py:\d+\)", out), out


def test_an_edge_that_is_drawn_later_is_refuted_until_it_is_built(place: pathlib.Path, check: Any) -> None:
    plan = place / "plan.py"
    plan.write_text(plan.read_text() + "\nsender.needs(auth.http)\n")
    line = len(plan.read_text().splitlines())
    ended, out = check("--environment", "production", "--json")
    (found,) = [each for each in json.loads(out)["findings"] if each["code"] == "GP204"]
    assert ended == 1
    assert found["what"].startswith("services/webhook-sender[Deployment] → services/auth-service[Deployment] TCP 8001")
    assert found["plan"] == f"plan.py:{line}" and found["file"].startswith("deploy/base/services/")


def test_an_edge_that_is_gone_from_the_plan_is_refuted_until_it_is_built(place: pathlib.Path, check: Any) -> None:
    plan = place / "plan.py"
    text = plan.read_text()
    plan.write_text(text.replace("reconcile.needs(ledger.read(), acquirer)", "reconcile.needs(ledger.read())"))
    ended, out = check("--environment", "production")
    assert ended == 1
    assert re.search(r"internal/reconcile\[CronJob\] → 203\.0\.113\.0-.* TCP 443 is open but not declared", out), out


def test_sarif_marks_the_line_of_the_manifest(place: pathlib.Path, check: Any) -> None:
    BREAKING["shift a port"][0](place / "deploy")
    _, out = check("--sarif")
    results = [each for each in json.loads(out)["runs"][0]["results"] if each["ruleId"] == "GP204"]
    (where,) = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results}
    assert where == "deploy/base/gateway/api-gateway.yaml"


def test_a_certificate_of_each_cluster_holds_for_what_kustomize_builds(place: pathlib.Path, check: Any) -> None:
    check("--certificate", "it.json")
    assert sorted(each.name for each in place.glob("it.*")) == [
        "it.development.json", "it.production.json", "it.staging.json",
    ]  # fmt: skip
    built = kustomizes.build(place / "deploy" / "overlays" / "production")
    found = json.loads((place / "it.production.json").read_text())
    assert found["claims"] and "pairs as claimed" in recheck.check(found, built)
    (door,) = [each for each in built if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "auth-service"]
    door["spec"]["ingress"].append({})
    with pytest.raises(SystemExit, match="is not as it"):
        recheck.check(found, built)


def test_a_cluster_that_is_not_proved_gets_no_certificate(place: pathlib.Path, check: Any) -> None:
    file = place / "deploy" / "base" / "services" / "auth-service.yaml"
    file.write_text(file.read_text().replace("containerPort: 8001", "containerPort: 8009"))
    ended, out = check("--environment", "staging", "--certificate", "it.json")
    assert ended == 1 and "refuted" in out
    assert not list(place.glob("it.*"))


def test_a_folder_that_is_not_there_cannot_be_proved(place: pathlib.Path, check: Any) -> None:
    shutil.rmtree(place / "deploy")
    ended, out = check()
    assert ended == 2 and "GP210" in out and "unusable" in out


@pytest.mark.parametrize("words", [("--environment", "nowhere"), ("absent",), (".", "plan.py", "--environment", "x")])
def test_words_that_mean_nothing_are_said(words: tuple[str, ...], place: pathlib.Path, check: Any) -> None:
    assert check(*words)[0] == 2
