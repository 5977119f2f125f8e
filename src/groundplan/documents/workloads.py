"""What runs in a cluster: every workload with its replicas, what a replica requests, and its wave."""

from __future__ import annotations

import dataclasses
import decimal
from collections.abc import Iterator
from typing import Literal

from groundplan.kubernetes import limits, lower, waves
from groundplan.shapes import objects, quantities

Runs = Literal["always", "at times", "by hand"]
_KINDS = ("Deployment", "StatefulSet", "CronJob", "Job")


@dataclasses.dataclass(frozen=True)
class Workload:
    """One controller of pods."""

    name: str
    namespace: str
    kind: str
    runs: Runs
    least: int
    most: int
    cpu: decimal.Decimal
    """Cores that one pod requests."""
    memory: decimal.Decimal
    """Bytes that one pod requests."""
    cpu_limit: decimal.Decimal
    memory_limit: decimal.Decimal
    storage: decimal.Decimal
    """Bytes of its volumes."""
    wave: int
    origin: str


def of(one: lower.Lowered) -> tuple[Workload, ...]:
    """Those of one cluster, in the order of their namespaces and names."""
    scaled = {
        (made.key.namespace, made.tree["spec"]["scaleTargetRef"]["name"]): made.tree["spec"]
        for made in one.objects
        if made.key.kind == "HorizontalPodAutoscaler"
    }
    found = (made for made in one.objects if made.key.kind in _KINDS)
    return tuple(_workload(made, scaled.get((made.key.namespace, made.key.name))) for made in found)


def _workload(made: objects.Object, scaled: objects.Tree | None) -> Workload:
    spec, key = made.tree["spec"], made.key
    least = scaled["minReplicas"] if scaled else spec.get("replicas", 1)
    pod = (spec["jobTemplate"]["spec"] if key.kind == "CronJob" else spec)["template"]["spec"]
    return Workload(
        name=key.name,
        namespace=key.namespace,
        kind=key.kind,
        runs="by hand" if spec.get("suspend") else "at times" if key.kind in ("CronJob", "Job") else "always",
        least=least,
        most=scaled["maxReplicas"] if scaled else least,
        cpu=limits.amount(pod, "requests", "cpu"),
        memory=limits.amount(pod, "requests", "memory"),
        cpu_limit=limits.amount(pod, "limits", "cpu"),
        memory_limit=limits.amount(pod, "limits", "memory"),
        storage=sum(_claims(spec), decimal.Decimal()),
        wave=waves.of(made.tree),
        origin=made.origin,
    )


def _claims(spec: objects.Tree) -> Iterator[decimal.Decimal]:
    for claim in spec.get("volumeClaimTemplates", ()):
        yield quantities.parse(claim["spec"]["resources"]["requests"]["storage"])


def cores(amount: decimal.Decimal) -> str:
    """In thousandths: ``1250m``."""
    return f"{amount * 1000:.0f}m"


def bytes_(amount: decimal.Decimal) -> str:
    """In MiB, or in whole GiB; a dash for none."""
    if not amount:
        return "–"
    mebi = amount / 1024**2
    return f"{mebi / 1024:.0f}Gi" if mebi % 1024 == 0 else f"{mebi:.0f}Mi"
