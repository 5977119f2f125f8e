"""Platforms with clusters for tests: the payments platform, and random ones in two environments."""

from __future__ import annotations

import functools
import pathlib

from groundplan import Autoscale, Receivers, cpu, memory
from groundplan.kubernetes import lower
from groundplan.model import load, platform, service
from groundplan.resources import CertManager, IngressNginx, NoBackup, ObjectStore, PrometheusStack, Vault, daily
from groundplan.secrets import supplied
from tests import strategies

ROOT = pathlib.Path(__file__).parent.parent.parent
PAYMENTS = ROOT / "platforms" / "payments" / "plan.py"


@functools.cache
def payments() -> platform.Platform:
    return load.load(PAYMENTS)


@functools.cache
def payments_lowered() -> tuple[lower.Lowered, ...]:
    plan = payments()
    return tuple(lower.lower(plan, env) for env in plan.environments if not env.local)


def drawn(drawing: strategies.Drawing) -> platform.Platform:
    """The platform of `drawing` with everything a cluster wants, and the environments "one" and "two"."""
    plan = strategies.declare(drawing)
    # Names with two dashes: no drawing has them.
    space = plan.namespace("the-own-space")
    vault = space.add(Vault("the-own-vault", backup=daily(keep=2, at="04:30")))
    charts = plan.namespace("the-chart-space")
    prometheus = charts.add(PrometheusStack("the-own-prometheus"))
    charts.add(CertManager("the-own-certificates", email="somebody@example.com"))
    controller = charts.add(IngressNginx("the-own-ingress"))
    called = [each for each in plan.programs if isinstance(each, service.Service)]
    if called:
        plan.entry(controller, {"/": called[0].http, "/more/": called[-1].http})
    common = {"registry": "registry.example.com", "secrets": vault, "resources": cpu("10m", "20m") & memory("32Mi")}
    nowhere = NoBackup("nothing here is worth it")
    one = plan.environment("one", host="one.example.com", storage="ephemeral", replicas=1, backups=nowhere, **common)
    bucket = ObjectStore("https://store.example.com:9000", bucket="kept", cidrs=["198.51.100.0/24"])
    two = plan.environment(
        "two",
        host="two.example.com",
        availability_zones=2,
        issuer="letsencrypt",
        gateway="edge/public",
        backups=bucket,
        **common,
    )
    for env in (one, two):
        env.set(plan.externals[0], host=f"{env.name}.elsewhere.example", cidrs=["192.0.2.0/24"])
    two.set(vault, replicas=3)
    kept = {name: plan.secret(f"alerts/{name}", supplied()) for name in ("password", "slack", "webhook", "watchdog")}
    where = {"mail": "a@example.com, b@example.com", "sender": "c@example.com", "smarthost": "mail.example.com:587"}
    two.set(prometheus, tells=Receivers(**where, user="d", **kept))
    if called:
        two.set(called[0], replicas=Autoscale(2, 5, cpu=70, memory=80))
    return plan


def lowered(plan: platform.Platform) -> tuple[lower.Lowered, ...]:
    return tuple(lower.lower(plan, env) for env in plan.environments if not env.local)


def trees(one: lower.Lowered) -> list[dict]:
    return [made.tree for made in one.objects]
