"""Waves: nothing waits for something that comes later, and no two things wait for each other."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import HealthCheck, given, settings

from groundplan import Platform, Service, command
from groundplan.kubernetes import lower, waves
from groundplan.model import component, findings, platform
from groundplan.model.check import cycles
from groundplan.resources import Postgres, Vault
from groundplan.secrets import random as random_secret
from tests import strategies
from tests.kubernetes import apiserver, worlds

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RUN = ("Deployment", "StatefulSet", "Job")


def waiting(plan: platform.Platform) -> platform.Platform:
    """`plan`, where services wait for every service whose name comes before their own."""
    for each in plan.programs:
        each.edges = [
            dataclasses.replace(edge, right=edge.right.gated())
            if isinstance(edge.right.target, component.Component) and edge.right.target.name < each.name
            else edge
            for edge in each.edges
        ]
    return plan


def running(one: lower.Lowered) -> dict[str, int]:
    """The wave of everything that runs when it is applied, by name."""
    return {
        made.key.name: waves.of(made.tree)
        for made in one.objects
        if made.key.kind in RUN and not made.tree["spec"].get("suspend")
    }


def needs(plan: platform.Platform) -> list[tuple[str, str, bool]]:
    """Who needs whom, and whether it waits."""
    found = []
    for edge in plan.edges:
        if isinstance(edge.right.target, component.Component):
            found.append((edge.source.name, edge.right.target.name, cycles.gates(edge)))
        if edge.right.gates:
            found.append((edge.source.name, edge.right.gates, True))
    return found


@FEW
@given(strategies.drawings())
def test_nothing_waits_for_something_in_a_later_wave(drawing):
    plan = waiting(worlds.drawn(drawing))
    for one in worlds.lowered(plan):
        found = running(one)
        for source, target, gated in needs(plan):
            if source in found and target in found and gated:
                assert found[target] < found[source], (source, target)


@FEW
@given(strategies.drawings())
def test_whoever_is_waited_for_finds_what_it_needs_to_become_ready(drawing):
    plan = waiting(worlds.drawn(drawing))
    for one in worlds.lowered(plan):
        found = running(one)
        for source, target, _ in needs(plan):
            if source in found and target in found and not mutual(plan, source, target):
                assert found[target] <= found[source], (source, target)


def mutual(plan: platform.Platform, source: str, target: str) -> bool:
    """Whether each needs the other, by however many steps: then only those who wait have a say."""
    edges = {(each, other) for each, other, _ in needs(plan)}
    ahead, seen = [target], set()
    while ahead:
        name = ahead.pop()
        seen.add(name)
        ahead += [other for each, other in edges if each == name and other not in seen]
    return source in seen


@FEW
@given(strategies.drawings())
def test_pods_come_after_whatever_they_name(drawing):
    for one in worlds.lowered(waiting(worlds.drawn(drawing))):
        by_name = {(made.key.kind, made.key.namespace, made.key.name): made for made in one.objects}
        for made in one.objects:
            template = apiserver.template_of(made.tree)
            named = [("Namespace", "", made.key.namespace)] if made.key.namespace else []
            if template:
                spec, space = template["spec"], made.key.namespace
                named += [("ServiceAccount", space, spec["serviceAccountName"])]
                named += [("NetworkPolicy", space, made.key.name)]
                named += [
                    ("ConfigMap", space, volume["configMap"]["name"])
                    for volume in spec.get("volumes", ())
                    if "configMap" in volume
                ]
            for each in named:
                assert waves.of(by_name[each].tree) <= waves.of(made.tree)
                assert waves.of(by_name[each].tree) == 0


@FEW
@given(strategies.drawings())
def test_nobody_waits_for_the_last_wave(drawing):
    for one in worlds.lowered(worlds.drawn(drawing)):
        last = max(waves.of(made.tree) for made in one.objects)
        for made in one.objects:
            annotations = made.tree["metadata"].get("annotations", {})
            is_late = made.key.kind in ("HorizontalPodAutoscaler", "Ingress", "CronJob", "HTTPRoute")
            if is_late or made.tree.get("spec", {}).get("suspend"):
                assert waves.of(made.tree) == last
            # A hook of the last wave would be waited for, and so would what stands beside it.
            assert waves.of(made.tree) < last or "argocd.argoproj.io/hook" not in annotations or last == 0


def test_payments_starts_in_its_own_order():
    for one in worlds.payments_lowered():
        found = running(one)
        order = ("vault", "postgres", "postgres-bootstrap", "micro-auth-migrate", "auth-service")
        assert [found[name] for name in order] == [1, 2, 3, 4, 5]
        assert {found[name] for name in ("api-gateway", "payment-api-service", "webhook-sender")} == {5}


def test_a_long_row_of_services_is_as_many_waves():
    plan = Platform("row")
    space = plan.namespace("row")
    vault = space.add(Vault("vault"))
    made = [space.add(Service(f"s-{number}", command(["x"]), http=8000, replicas=1)) for number in range(1200)]
    for one, other in itertools.pairwise(made):
        other.needs(one.http.before_start())
    lowered = lower.lower(plan, plan.environment("live", registry="registry.example.com", secrets=vault))
    assert running(lowered) == {"vault": 1, **{f"s-{number}": number + 2 for number in range(len(made))}}


def test_a_store_that_waits_for_its_own_secrets_is_a_finding():
    plan = Platform("circle")
    space = plan.namespace("space")
    vault, postgres = space.add(Vault("vault")), space.add(Postgres("postgres", version=15))
    app = space.add(Service("app", command(["x"]), http=8000))
    app.needs(plan.secret("app/key", random_secret()))
    vault.needs(postgres.database("vault_data").read_write())
    with pytest.raises(findings.PlanError) as raised:
        lower.lower(plan, plan.environment("live", registry="registry.example.com", secrets=vault))
    circles = [each for each in raised.value.findings if each.code == "GP203"]
    assert len(circles) == 1
    assert "vault" in circles[0].what
    assert "postgres" in circles[0].what


def test_a_vault_is_never_sealed_by_a_rollout():
    """A new pod of it is sealed, whoever delivers: it is replaced when people with their shares are there."""
    for lowered in worlds.payments_lowered():
        strategies_of = {
            made.key.name: made.tree["spec"].get("updateStrategy")
            for made in lowered.objects
            if made.key.kind == "StatefulSet"
        }
        assert strategies_of == {"vault": {"type": "OnDelete"}, "postgres": None, "redis": None}
