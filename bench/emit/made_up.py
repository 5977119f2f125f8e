"""Platforms made up for the benchmark: services in a row, each calling three others, all with keys in one Redis."""

from __future__ import annotations

from groundplan import Platform, Service, cpu, memory, python
from groundplan.model import platform
from groundplan.resources import IngressNginx, Redis, Vault

ENVIRONMENTS = ("development", "staging", "production")


def of(services: int) -> platform.Platform:
    """A platform with so many services, for three environments."""
    plan = Platform("bench")
    vault = plan.namespace("vaults").add(Vault("vault"))
    spaces = [plan.namespace(f"space-{number}") for number in range(max(1, services // 20))]
    redis = spaces[0].add(Redis("redis"))
    made: list[Service] = []
    for number in range(services):
        each = spaces[number % len(spaces)].add(_service(number))
        each.needs(redis.keys(f"service-{number}:"), *(made[number - by].http for by in (1, 2, 7) if number >= by))
        made.append(each)
    plan.entry(spaces[0].add(IngressNginx()), {"/": made[0].http})
    for name in ENVIRONMENTS:
        plan.environment(
            name,
            host=f"{name}.example.com",
            registry="registry.example.com",
            secrets=vault,
            replicas=1 + ENVIRONMENTS.index(name),
        )
    return plan


def _service(number: int) -> Service:
    small = cpu("10m", "20m") & memory("32Mi", "64Mi")
    return Service(f"service-{number}", python("some.service"), http=8000, grpc=9000, resources=small)
