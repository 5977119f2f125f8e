"""A platform as the objects of one environment: the passes in their order, and the loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

from groundplan.kubernetes import (
    autoscaling,
    backups,
    certificates,
    charts,
    clusters,
    configuration,
    disruption,
    drafts,
    entry,
    exporters,
    feasibility,
    flows,
    hardening,
    identity,
    limits,
    migrations,
    monitors,
    names,
    namespaces,
    network,
    pins,
    secrets,
    services,
    waves,
    workloads,
)
from groundplan.model import environment, findings, platform
from groundplan.shapes import objects
from groundplan.shapes import workloads as workload_shapes

PASSES: tuple[tuple[str, Callable[[clusters.Cluster, drafts.Draft], None]], ...] = (
    ("namespaces", namespaces.apply),
    ("workloads", workloads.apply),
    ("migrations", migrations.apply),
    ("backups", backups.apply),
    ("exporters", exporters.apply),
    ("services", services.apply),
    ("identity", identity.apply),
    ("configuration", configuration.apply),
    ("secrets", secrets.apply),
    ("certificates", certificates.apply),
    ("charts", charts.apply),
    ("entry", entry.apply),
    ("network", network.apply),
    ("monitors", monitors.apply),
    ("hardening", hardening.apply),
    ("disruption", disruption.apply),
    ("autoscaling", autoscaling.apply),
    ("limits", limits.apply),
    ("waves", waves.apply),
    ("pins", pins.apply),
)
"""Later ones see what earlier ones made: whoever adds a container comes before whoever hardens all."""

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class Lowered:
    """One environment: its objects in the order of their keys, every connection that they let through, and charts."""

    environment: str
    objects: tuple[objects.Object, ...]
    flows: tuple[flows.Flow, ...]
    holders: tuple[workload_shapes.Holder, ...]
    """The workloads that hold secrets, in the order of their names, with the exact paths."""
    releases: tuple[charts.Release, ...] = ()
    """The charts of others that are installed beside."""


def lower(plan: platform.Platform, env: environment.Environment, digests: Mapping[str, str] = _NONE) -> Lowered:
    """The objects of `plan` in `env`; images run by the `digests` that are known of them.

    Raises findings.PlanError with every finding when the environment cannot work.
    """
    cluster, made = _drafted(plan, env, digests)
    found = (*made.findings, *names.check(made))
    if found:
        raise findings.PlanError(found)
    ordered = tuple(made.objects[key] for key in sorted(made.objects))
    return Lowered(env.name, ordered, tuple(made.flows), made.holders, charts.releases(cluster, made))


def holders(plan: platform.Platform, env: environment.Environment) -> tuple[workload_shapes.Holder, ...]:
    """Who reads which secrets in `env`, also while they are not sealed yet.

    Raises findings.PlanError with every other finding.
    """
    _, made = _drafted(plan, env, _NONE)
    found = tuple(each for each in (*made.findings, *names.check(made)) if each.code != "GP322")
    if found:
        raise findings.PlanError(found)
    return made.holders


def _drafted(
    plan: platform.Platform, env: environment.Environment, digests: Mapping[str, str]
) -> tuple[clusters.Cluster, drafts.Draft]:
    found = feasibility.check(plan, env)
    if found:
        raise findings.PlanError(found)
    cluster = clusters.of(plan, env, digests)
    draft = drafts.Draft(plan.name)
    for name, apply in PASSES:
        draft.by = name
        apply(cluster, draft)
    return cluster, draft
