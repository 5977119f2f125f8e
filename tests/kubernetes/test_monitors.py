"""Monitors: what tells something is scraped, each of its pods once, by the name that rules and boards ask for."""

from __future__ import annotations

import collections

from hypothesis import HealthCheck, given, settings

from groundplan import Platform, Service, image
from groundplan.kubernetes import lower
from groundplan.model import platform
from groundplan.resources import NoBackup, Redis, Vault
from groundplan.shapes import workloads
from groundplan.telemetry import targets
from tests import strategies
from tests.kubernetes import apiserver, worlds

Found = collections.Counter
"""How often each of (job, port's number, path) is scraped, by the pods that answer there."""


def scraped(one: lower.Lowered) -> Found:
    """What a Prometheus finds by the ServiceMonitors, as the operator's documentation says that it looks for it."""
    world = apiserver.World(worlds.trees(one))
    found: Found = Found()
    for monitor in (tree for tree in world.trees if tree["kind"] == "ServiceMonitor"):
        space, spec = monitor["metadata"]["namespace"], monitor["spec"]
        for service in _services(world, space, spec["selector"]["matchLabels"]):
            job = service["metadata"]["labels"][spec["jobLabel"]]
            for endpoint in spec["endpoints"]:
                for port in (each for each in service["spec"]["ports"] if each["name"] == endpoint["port"]):
                    for template in world.pods(space, service["spec"]["selector"]):
                        assert template["metadata"]["labels"]["app.kubernetes.io/name"] == job
                        found[job, _number(template, port["targetPort"]), endpoint["path"]] += 1
    return found


def _services(world: apiserver.World, space: str, labels: dict) -> list[dict]:
    services = (tree for (kind, where, _), tree in world.found.items() if (kind, where) == ("Service", space))
    return [each for each in services if labels.items() <= each["metadata"]["labels"].items()]


def _number(template: dict, name: str) -> int:
    ports = (port for container in apiserver.containers(template) for port in container.get("ports", ()))
    (found,) = (port["containerPort"] for port in ports if port["name"] == name)
    return found


def telling(plan: platform.Platform, one: lower.Lowered) -> dict[tuple[str, int, str], int]:
    """What there is to be scraped, by what components say of themselves, less the pods of charts."""
    there = {made.key.name for made in one.objects if apiserver.template_of(made.tree)}
    wanted = {}
    for target in targets.of(plan):
        told = target.exports
        if told.monitored and target.job in there:
            port = told.exporter.port if told.exporter else target.owner.ports[told.port].number
            wanted[target.job, port, told.path] = 1
    return wanted


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.drawings())
def test_whatever_tells_something_is_scraped_once(drawing):
    plan = worlds.drawn(drawing)
    for one in worlds.lowered(plan):
        assert scraped(one) == telling(plan, one) != {}


def test_each_service_of_payments_is_scraped_as_the_document_says():
    documented = {
        *("api-gateway", "auth-service", "merchant-service"),
        *("payment-api-service", "tokenization-service", "transaction-service"),
    }
    for one in worlds.payments_lowered():
        found = scraped(one)
        assert found == telling(worlds.payments(), one)
        assert documented < {job for job, _, _ in found}
        monitors = [made.tree["spec"] for made in one.objects if made.key.kind == "ServiceMonitor"]
        assert {each["interval"] for spec in monitors for each in spec["endpoints"]} == {"30s"}


def test_only_what_a_chart_starts_has_a_monitor_of_pods():
    plan = worlds.payments()
    for one, env in zip(worlds.payments_lowered(), (env for env in plan.environments if not env.local), strict=True):
        answers = {each.name: each.objects(env, plan.edges_to(each)) for each in plan.resources}
        charts = {name for name, answer in answers.items() if isinstance(answer, workloads.Chart)}
        named = {made.key.name for made in one.objects if made.key.kind == "PodMonitor"}
        assert named == charts - {"prometheus"}


def test_where_nobody_scrapes_no_service_leads_to_metrics():
    plan = Platform("quiet")
    space = plan.namespace("space")
    space.add(Service("web", image("registry.example.com/web:1"), http=8000, metrics=9000))
    space.add(Redis("cache"))
    env = plan.environment("live", secrets=space.add(Vault()), backups=NoBackup("a test"))
    services = [made.tree for made in lower.lower(plan, env).objects if made.key.kind == "Service"]
    ports = {tree["metadata"]["name"]: [port["name"] for port in tree["spec"]["ports"]] for tree in services}
    assert (ports["web"], ports["cache"]) == (["http"], ["redis"])
    assert not [name for name, found in ports.items() if "metrics" in (*found, name.rpartition("-")[2])]


def test_whom_an_exporter_tells_of_is_not_taken_for_the_exporter():
    """An Ingress and a Certificate have a namespace of their own: it is not the controller's."""
    for one in worlds.payments_lowered():
        specs = {made.key.name: made.tree["spec"] for made in one.objects if made.key.kind.endswith("Monitor")}
        ends = {name: spec.get("endpoints") or spec["podMetricsEndpoints"] for name, spec in specs.items()}
        honoured = {name for name, those in ends.items() if all(each.get("honorLabels") for each in those)}
        assert honoured == {"ingress-nginx-controller", "cert-manager"} & specs.keys() != set()
