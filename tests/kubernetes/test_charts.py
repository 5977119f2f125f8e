"""Charts: nothing is installed that nobody chose, and what is assumed of it is said."""

from __future__ import annotations

import functools

import pytest

from groundplan import Platform, Service, image
from groundplan.kubernetes import lower
from groundplan.model import findings
from groundplan.resources import (
    CertManager,
    ExternalSecretsOperator,
    IngressNginx,
    NoBackup,
    Resource,
    SealedSecretsController,
    Vault,
    images,
)
from groundplan.secrets import random as random_secret
from groundplan.shapes import ports, processes, signals, values, workloads
from groundplan.telemetry.rules import rulebook
from tests.kubernetes import chart_values, keeping, worlds


def releases(environment: str) -> dict[str, object]:
    (one,) = (one for one in worlds.payments_lowered() if one.environment == environment)
    return {each.component: each for each in one.releases}


def test_cert_manager_is_installed_where_it_issues_something():
    names = {"ingress-nginx-controller", "prometheus"}
    assert releases("development").keys() == names
    for each in ("staging", "production"):
        assert releases(each).keys() == names | {"cert-manager"}


def test_the_ingress_controller_is_the_documents_on_its_node_ports():
    made = releases("production")["ingress-nginx-controller"]
    assert (made.source.name, made.source.version, made.name) == ("ingress-nginx", "4.11.5", "ingress-nginx")
    assert made.values["controller"]["service"] == {"type": "NodePort", "nodePorts": {"http": 30080, "https": 30443}}
    assert made.assumes == (
        "namespace: ingress-nginx\n"
        "labels: app.kubernetes.io/component=controller,app.kubernetes.io/name=ingress-nginx\n"
        "ports: 80/TCP,443/TCP,8443/TCP,10254/TCP\n"
    )


def test_prometheus_keeps_and_scrapes_as_documented():
    said = releases("production")["prometheus"].values["prometheus"]["prometheusSpec"]
    assert (said["scrapeInterval"], said["retention"]) == ("30s", "15d")
    assert said["serviceMonitorSelectorNilUsesHelmValues"] is False


def test_an_alert_of_ours_is_not_told_by_the_chart_too():
    disabled = releases("development")["prometheus"].values["defaultRules"]["disabled"]
    ours = {rule.name for group in rulebook.of(worlds.payments()) for rule in group.rules}
    assert {"Watchdog", "TargetDown", "AlertmanagerFailedToSendAlerts"} <= disabled.keys()
    assert disabled.keys() - ours == {"AlertmanagerClusterFailedToSendAlerts"}
    assert set(disabled.values()) == {True}


def test_a_version_without_a_known_chart_is_a_finding():
    plan = Platform("old")
    IngressNginx(version="1.11.2")
    (found,) = plan.sheet.findings
    assert (found.code, "did you mean 1.1" in found.remedy) == ("GP105", True)


@pytest.mark.parametrize("ports", [(80, 443), (30080,), (30080, 30080), "30080", (30080, "30443")])
def test_node_ports_outside_their_range_are_a_finding(ports):
    plan = Platform("odd")
    assert IngressNginx(node_ports=ports).node_ports is None
    assert [found.code for found in plan.sheet.findings] == ["GP105"]


def test_the_controller_with_a_hole_in_its_webhook_runs_without_it():
    plan = Platform("old")
    space = plan.namespace("edge")
    space.add(IngressNginx(version="1.11.1"))
    lowered = lower.lower(plan, plan.environment("live"))
    (made,) = lowered.releases
    assert made.values["controller"]["admissionWebhooks"] == {"enabled": False}
    assert made.assumes.endswith("ports: 80/TCP,443/TCP,10254/TCP\n")
    assert not [flow for flow in lowered.flows if flow.why == "API server → webhook"]


OPERATORS = {"vault": [], "external": [("external-secrets", "2.0.1")], "sealed": [("sealed-secrets", "2.20.0")]}


@functools.cache
def kept(way: str) -> lower.Lowered:
    """A platform whose secrets come this way, and that has what is needed for any."""
    plan = Platform("kept")
    apps, operators, vaults = map(plan.namespace, ("apps", "operators", "vaults"))
    operators.add(ExternalSecretsOperator())
    operators.add(SealedSecretsController())
    app = apps.add(Service("app", image("registry.example.com/app:1"), http=8000))
    app.needs(plan.secret("app/key", random_secret(32)))
    env = plan.environment("live", secrets=vaults.add(Vault()), backups=NoBackup("a test"))
    return keeping.lowered(way, plan, env, lambda path: "a secret")


@pytest.mark.parametrize("way", keeping.WAYS)
def test_an_operator_is_installed_where_secrets_come_by_it(way):
    lowered = kept(way)
    assert [(each.source.name, each.source.version) for each in lowered.releases] == OPERATORS[way]
    brought = [made for made in lowered.objects if made.key.kind in ("ExternalSecret", "SealedSecret")]
    assert bool(brought) is (way != "vault")
    for made in brought:  # until its chart is there, nobody knows the kind
        assert made.tree["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == (
            "SkipDryRunOnMissingResource=true"
        )


def test_every_value_is_one_that_its_chart_asks_for():
    """And of what is known of the charts nothing is left that no plan sets."""
    lowered = (*worlds.payments_lowered(), *map(kept, keeping.WAYS))
    set_by: dict[str, set[str | None]] = {name: set() for name in chart_values.CHARTS}
    for one in (release for each in lowered for release in each.releases):
        answer = chart_values.asked_for(one.source.name, one.values)
        assert None not in answer.values(), (one.source, answer)
        assert one.source.version in chart_values.CHARTS[one.source.name]["versions"]
        set_by[one.source.name] |= set(answer.values())
    for name, used in set_by.items():
        assert used == chart_values.listed(name, "keys") | chart_values.listed(name, "passed_on")
    assert chart_values.CHARTS["ingress-nginx"]["versions"] == list(images.INGRESS_NGINX.values())


@pytest.mark.parametrize(
    "key", ["controller.metricss.enabled", "controller.metrics.enable", "controllers", "controller.configs.x"]
)
def test_a_value_that_no_chart_asks_for_is_seen(key):
    values: object = "x"
    for part in reversed(key.split(".")):
        values = {part: values}
    assert chart_values.asked_for("ingress-nginx", values) == {key: None}


def test_what_is_known_of_a_chart_says_where_it_was_read():
    readings = [reading for chart in chart_values.CHARTS.values() for reading in chart["read"]]
    for each in readings:
        assert each["repository"].count("/") == 1 and each["path"] and each["of"]
        assert len(each["commit"]) == 40 and set(each["commit"]) <= set("0123456789abcdef")


def test_a_challenge_reaches_its_solver_and_nothing_else_does():
    plan = Platform("tls")
    edge, apps, certs = map(plan.namespace, ("edge", "apps", "certs"))
    certs.add(CertManager(email="somebody@example.com"))
    app = apps.add(Service("app", image("registry.example.com/app:1"), http=8000))
    plan.entry(edge.add(IngressNginx()), {"/": app.http})
    vault = certs.add(Vault())
    lowered = lower.lower(plan, plan.environment("live", host="x.example.com", secrets=vault, issuer="letsencrypt"))
    into = [flow for flow in lowered.flows if ("acme.cert-manager.io/http01-solver", "true") in _labels(flow.target)]
    assert [(flow.source.namespace, flow.ports[0].number) for flow in into] == [("edge", 8089)]


def _labels(end) -> tuple:
    return getattr(end, "labels", ())


class Leaky(Resource):
    """A chart that is told a password."""

    def __init__(self, name, password):
        super().__init__(name, listens={"http": ports.Http(80)})
        self.password = password

    def runs_here(self, edges):
        return processes.NotHere("not here")

    def backed_up(self):
        return NoBackup("nothing")

    def signals(self):
        return signals.NoSignals("nothing")

    def objects(self, env, edges):
        source = workloads.Source("https://charts.example.com", "leaky", "1.0.0")
        told = {"admin": [{"password": values.text("x{}", self.password.value)}]}
        return workloads.Chart(source, pods=(("app", "leaky"),), release="leaky", values=told)


def test_a_secret_among_a_charts_values_is_a_finding():
    plan = Platform("leaky")
    plan.namespace("space").add(Leaky("leaky", plan.secret("app/password", random_secret())))
    with pytest.raises(findings.PlanError) as raised:
        lower.lower(plan, plan.environment("live"))
    assert [found.code for found in raised.value.findings] == ["GP310"]


@pytest.mark.parametrize("email", ["", "somebody", "a b@example.com", None])
def test_an_address_that_nobody_reads_is_a_finding(email):
    plan = Platform("tls")
    CertManager(email=email)
    assert [found.code for found in plan.sheet.findings] == ["GP105"]
