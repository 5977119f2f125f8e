"""Scale: how many pods of a workload there are at least and at most, and autoscalers that can say.

Sources: Kubernetes documentation, "Horizontal Pod Autoscaling", "Deployments" (rolling updates).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts
from groundplan.proof.manifests import documents


class Replicas(msgspec.Struct, frozen=True):
    """At rest, and with an autoscaler at its maximum while an update or a job runs."""

    least: int
    most: int


def scaler(known: facts.Facts, kind: str, namespace: str, name: str) -> documents.Document | None:
    """The autoscaler of a workload."""
    return known.scalers.get((kind, namespace, name))


def replicas(known: facts.Facts, pod: facts.Pod) -> Replicas:
    """How many pods."""
    kind, spec = pod.document.kind, fields.inner(pod.document.data, "spec")
    found = known.workload(pod.document)
    count = found.count if found else 1
    if kind in ("Job", "CronJob"):
        return Replicas(0, 0 if spec.get("suspend") is True else count)
    if kind == "DaemonSet":
        return Replicas(0, 0)  # one a node, and how many there are is not said
    least = most = count
    held = scaler(known, kind, pod.namespace, pod.document.name)
    if held is not None:
        bounds = fields.inner(held.data, "spec")
        least, most = number(bounds.get("minReplicas"), 1), number(bounds.get("maxReplicas"), count)
    rolling = fields.inner(spec, "strategy")
    if kind == "Deployment" and rolling.get("type", "RollingUpdate") == "RollingUpdate":
        most += share(fields.inner(rolling, "rollingUpdate").get("maxSurge", "25%"), most, up=True)
    return Replicas(least, max(least, most))


def number(value: Any, otherwise: int) -> int:
    """A whole number, or something instead."""
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def share(value: Any, total: int, *, up: bool) -> int:
    """A number, or a percentage of a total."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isascii() and value[:-1].isdigit():
        part = int(value[:-1][:6]) * total
        return -(-part // 100) if up else part // 100
    return number(value, 1)


def autoscalers(known: facts.Facts) -> Iterator[findings.Finding]:
    """Autoscalers find their target, least is not above most, and what they measure is there to be measured."""
    for each in known.of("HorizontalPodAutoscaler"):
        spec, namespace = fields.inner(each.data, "spec"), known.namespace(each)
        target, title = fields.inner(spec, "scaleTargetRef"), facts.title(each, namespace)
        kind, name = str(target.get("kind")), str(target.get("name"))
        scaled = known.get(kind, namespace, name)
        if target.get("name") and scaled is None:
            what = f"{title} scales {kind} {name}, which is not there"
            yield facts.finding(
                "GP517", each, ("spec", "scaleTargetRef"), what, "it does nothing", "correct the target"
            )
        least, most = number(spec.get("minReplicas"), 1), number(spec.get("maxReplicas"), 1)
        if least > most:
            what = f"{title} has minReplicas {least} above maxReplicas {most}"
            yield facts.finding("GP517", each, ("spec", "minReplicas"), what, "the API server refuses it", "lower it")
        if scaled is not None:
            yield from _measured(known, each, scaled)
            if "replicas" in fields.inner(scaled.data, "spec"):
                what = f"{facts.title(scaled, namespace)} says replicas, and {title} scales it"
                why = "each time it is applied it falls back to that number"
                yield facts.finding("GP539", scaled, ("spec", "replicas"), what, why, "leave replicas out")


def _measured(
    known: facts.Facts, scaler_: documents.Document, scaled: documents.Document
) -> Iterator[findings.Finding]:
    for number_, metric in enumerate(fields.items(fields.inner(scaler_.data, "spec").get("metrics"))):
        resource = fields.inner(metric, "resource")
        if metric.get("type") != "Resource" or fields.inner(resource, "target").get("type") != "Utilization":
            continue
        name = str(resource.get("name"))
        for pod in (one for one in known.pods if one.document is scaled):
            for container in pod.containers():
                held = fields.inner(container.spec, "resources")
                if container.stays and name not in {*fields.inner(held, "requests"), *fields.inner(held, "limits")}:
                    what = f"{facts.title(scaler_, pod.namespace)} measures {name} in percent of what is requested"
                    why = f"container {container.name} of {pod.title} requests none, so it never scales"
                    path = ("spec", "metrics", number_)
                    yield facts.finding("GP517", scaler_, path, what, why, f"add requests.{name} to the container")


LINTS = (autoscalers,)
