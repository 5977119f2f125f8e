"""Redis in a cluster keeps below its container's memory, so that it refuses writes before it is killed."""

from __future__ import annotations

import pytest

from groundplan import Platform, cpu, memory
from groundplan.kubernetes import lower
from groundplan.resources import Redis, Vault


@pytest.mark.parametrize(("own", "here", "most"), [("512Mi", None, 0.6 * 2**29), ("512Mi", "1Gi", 0.6 * 2**30)])
def test_it_refuses_what_would_write_before_its_container_is_full(own, here, most):
    said = command(memory("64Mi", own), memory("64Mi", here) if here else None)
    assert said[said.index("--maxmemory") + 1] == str(int(most))
    assert said[said.index("--maxmemory-policy") + 1] == "noeviction"


def test_without_a_limit_nothing_is_made_up():
    assert "--maxmemory" not in command(cpu("100m"), None)


def command(own, here) -> list[str]:
    plan = Platform("shop")
    redis = plan.namespace("databases").add(Redis("redis", resources=own))
    vault = plan.namespace("vault").add(Vault("vault"))
    env = plan.environment("production", registry="registry.example.com", secrets=vault)
    if here:
        env.set(redis, resources=here)
    (found,) = (
        made.tree
        for made in lower.lower(plan, env).objects
        if (made.key.kind, made.key.name) == ("StatefulSet", "redis")
    )
    return found["spec"]["template"]["spec"]["containers"][0]["command"]
