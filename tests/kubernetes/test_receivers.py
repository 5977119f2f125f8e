"""Who hears of alerts: the password and the URLs come from the platform's store, to Alertmanager and nobody else."""

from __future__ import annotations

import re

import pytest

from groundplan import Platform, Receivers, Service, image
from groundplan.claims import drawing
from groundplan.kubernetes import lower
from groundplan.model import findings
from groundplan.resources import CertManager, NoBackup, PrometheusStack, Vault
from groundplan.secrets import random, supplied
from groundplan.shapes import alerts
from tests.kubernetes import customs, keeping, pod_security, worlds

NAME = "prometheus-alertmanager"
SAID = {"mail": "oncall@example.com", "sender": "a@example.com", "smarthost": "mail.example.com:587", "user": "alerts"}
FILES = {"/receivers/slack-url", "/receivers/smtp-password", "/receivers/watchdog-url", "/receivers/webhook-url"}


def text(path: str) -> str:
    return f"<{path}> {{{{ .x }}}} $(HOME)"


def production(way: str) -> lower.Lowered:
    plan = worlds.payments()
    env = next(each for each in plan.environments if each.name == "production")
    return keeping.lowered(way, plan, env, text)


@pytest.mark.parametrize("way", keeping.WAYS)
def test_whatever_the_way_alertmanager_finds_the_files_that_its_configuration_names(way):
    one = production(way)
    files = keeping.arrived(one, NAME, text)
    assert files == {path: text(f"alerts/{path.rpartition('/')[2]}") for path in FILES}
    config = next(each for each in one.releases if each.component == "prometheus").values["alertmanager"]["config"]
    assert set(re.findall(r"/receivers/[a-z-]+", str(config))) == FILES


@pytest.mark.parametrize("way", keeping.WAYS)
def test_alertmanagers_pod_is_what_the_operator_takes_and_its_namespace_admits(way):
    one = production(way)
    (release,) = (each for each in one.releases if each.component == "prometheus")
    spec = release.values["alertmanager"]["alertmanagerSpec"]
    judged = customs.validator("monitoring.coreos.com/v1", "Alertmanager")
    alertmanager = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Alertmanager", "metadata": {"name": "x"}}
    assert [str(each) for each in judged.iter_errors({**alertmanager, "spec": spec})] == []
    assert [*judged.iter_errors({**alertmanager, "spec": {**spec, "volumeMount": []}})]
    assert pod_security.complaints(keeping.template(one, NAME)) == []
    assert ("initContainers" in spec) is (way == "vault")


def test_only_alertmanager_reads_them():
    one = production("vault")
    readers = {path: [each.name for each in one.holders if path in each.paths] for path in worlds.payments().kept}
    assert [path for path, found in readers.items() if NAME in found] == [
        f"alerts/{name}" for name in ("smtp-password", "slack-url", "webhook-url", "watchdog-url")
    ]
    assert {name for path, found in readers.items() if path.startswith("alerts/") for name in found} == {NAME}


@pytest.mark.parametrize("way", keeping.WAYS)
def test_only_where_it_fetches_them_itself_may_it_call_the_store(way):
    flows = [flow for flow in production(way).flows if flow.kind == "secrets" and "alertmanager" in flow.why]
    assert [(flow.source.labels, flow.target.what, flow.ports[0].number) for flow in flows] == (
        [((("app.kubernetes.io/name", "alertmanager"),), "vault", 8200)] if way == "vault" else []
    )


def small(**environment: object) -> tuple[Platform, object]:
    """A platform whose only secrets are those of its receivers."""
    plan = Platform("shop")
    plan.namespace("shop").add(Service("web", image("registry.example.com/web:1"), http=8000))
    prometheus = plan.namespace("watch").add(PrometheusStack())
    env = plan.environment("live", backups=NoBackup("a test"), **environment)
    kept = {name: plan.secret(f"alerts/{name}", supplied()) for name in ("password", "slack", "webhook")}
    env.set(prometheus, tells=Receivers(**SAID, **kept))
    return plan, env


def test_they_alone_need_a_store_too():
    with pytest.raises(findings.PlanError, match="prometheus-alertmanager needs alerts/password, alerts/slack"):
        lower.lower(*small())


def test_they_alone_need_an_authority_too():
    plan, env = small()
    env.defaults["secrets"] = plan.namespace("vaults").add(Vault())
    env.defaults["certificates"] = plan.namespace("certs").add(CertManager(email="a@example.com"))
    one = lower.lower(plan, env)
    made = {(each.key.kind, each.key.namespace, each.key.name) for each in one.objects}
    assert ("Certificate", "watch", "watch-authority") in made
    assert "watch-authority" in str(keeping.template(one, NAME)["spec"]["volumes"])
    claimed = {(claim.source, claim.destination) for claim in drawing.of(plan, env).said}
    assert ("watch/prometheus-callers", "vaults/vault") in claimed


def test_a_workload_of_alertmanagers_name_is_a_finding():
    plan, env = small()
    env.defaults["secrets"] = plan.namespace("vaults").add(Vault())
    other = plan.namespaces[0].add(Service(NAME, image("registry.example.com/other:1"), http=8000))
    other.needs(plan.secret("app/key", random()))
    with pytest.raises(findings.PlanError) as raised:
        lower.lower(plan, env)
    assert {found.code for found in raised.value.findings} == {"GP102"}


def test_somebody_else_than_receivers_is_a_finding():
    plan = Platform("shop")
    plan.namespace("watch").add(PrometheusStack(tells={"mail": "oncall@example.com"}))
    assert [found.code for found in plan.sheet.findings] == ["GP105"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mail": "somebody"}, "Receivers: mail='somebody'"),
        ({"sender": None}, "Receivers: sender=None"),
        ({"smarthost": "mail.example.com"}, "Receivers: smarthost='mail.example.com'"),
        ({"smarthost": "mail.example.com:99999"}, "Receivers: smarthost='mail.example.com:99999'"),
        ({"smarthost": "mail.example.com:0"}, "Receivers: smarthost='mail.example.com:0'"),
        ({"user": ""}, "Receivers: user=''"),
        ({"password": "hunter2"}, "Receivers: password"),
        ({"slack": b"hunter2"}, "Receivers: slack"),
        ({"watchdog": "https://example.com/hunter2"}, "Receivers: watchdog"),
    ],
)
def test_what_nobody_could_be_told_by_is_a_finding_that_gives_nothing_away(change, said):
    plan = Platform("shop")
    kept = {name: plan.secret(f"alerts/{name}", supplied()) for name in ("password", "slack", "webhook")}
    made = Receivers(**{**SAID, **kept, **change})
    (found,) = plan.sheet.findings
    assert (found.code, found.what) == ("GP105", said)
    assert "hunter2" not in str(found)
    assert isinstance(made, alerts.Receivers) and made.port
