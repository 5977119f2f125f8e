"""How the kubelet asks containers: where they serve, and never what would restart all for one that is away."""

from __future__ import annotations

import pytest

from groundplan import Platform, Probes, Service, python
from groundplan.kubernetes import lower
from groundplan.resources import Vault
from tests.kubernetes import worlds


def asked(container: dict) -> dict[str, object]:
    """What each probe of it asks: a gRPC port's number, or a path and the name of a port."""
    found: dict[str, object] = {}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container[kind]
        ask = probe.get("grpc") or probe["httpGet"]
        found[kind.removesuffix("Probe")] = ask["port"] if "grpc" in probe else (ask["path"], ask["port"])
    return found


def container(lowered: lower.Lowered, name: str) -> dict:
    (one,) = (made.tree for made in lowered.objects if (made.key.kind, made.key.name) == ("Deployment", name))
    (found,) = one["spec"]["template"]["spec"]["containers"]
    return found


@pytest.mark.parametrize("lowered", worlds.payments_lowered(), ids=lambda one: one.environment)
@pytest.mark.parametrize(
    ("name", "ready"),
    [
        ("tokenization-service", 50052),
        ("transaction-service", 50053),
        ("auth-service", ("/readyz", "metrics")),
        ("api-gateway", ("/readyz", "metrics")),
        ("webhook-sender", ("/readyz", "metrics")),
    ],
)
def test_who_serves_grpc_alone_is_asked_there_whether_it_is_ready(lowered, name, ready):
    said = asked(container(lowered, name))
    assert said == {"startup": ready, "readiness": ready, "liveness": ("/livez", "metrics")}


def test_an_author_who_names_a_port_is_asked_there():
    plan = Platform("shop")
    space = plan.namespace("services")
    space.add(Service("cards", python("shop.cards"), grpc=50052, probes=Probes(port="metrics")))
    vault = plan.namespace("vault").add(Vault("vault"))
    env = plan.environment("production", host="shop.example.com", registry="registry.example.com", secrets=vault)
    said = asked(container(lower.lower(plan, env), "cards"))
    assert said["readiness"] == ("/readyz", "metrics")
