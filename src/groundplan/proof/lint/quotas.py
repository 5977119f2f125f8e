"""Quotas: what workloads ask for together fits into their namespace's quota, and no pod is refused for saying nothing.

Sources: Kubernetes documentation, "Resource Quotas", "Limit Ranges", "Sidecar Containers" (resource sharing within
containers), "Assign Pod-level CPU and memory resources".
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from groundplan.proof import fields, findings, quantities
from groundplan.proof.lint import facts, scaling
from groundplan.proof.manifests import documents

Amounts = dict[str, decimal.Decimal]
COUNTED = ("cpu", "memory", "ephemeral-storage")
NONE = decimal.Decimal(0)


class Limits(msgspec.Struct, frozen=True):
    """What a namespace's limit ranges fill in for a container that does not say."""

    requests: dict[str, Any]
    limits: dict[str, Any]


def _limits(known: facts.Facts, namespace: str) -> Limits:
    found = Limits({}, {})
    for each in _items(known, namespace, "Container"):
        defaults = fields.inner(each, "default")
        found.limits.update(defaults)
        # What is not said of requests is taken from the limits' defaults.
        found.requests.update({**defaults, **fields.inner(each, "defaultRequest")})
    return found


def _items(known: facts.Facts, namespace: str, kind: str) -> Iterator[dict[str, Any]]:
    for each in known.of("LimitRange"):
        if known.namespace(each) == namespace:
            for item in fields.items(fields.inner(each.data, "spec").get("limits")):
                if item.get("type") == kind:
                    yield item


def asked(resources: Any, limits: Limits) -> Amounts:
    """What one container counts for, as `requests.cpu` and `limits.cpu`; left out is what nobody says."""
    said = {kind: fields.inner(resources, kind) for kind in ("requests", "limits")}
    found: Amounts = {}
    for name in COUNTED:
        most = said["limits"].get(name, limits.limits.get(name))
        # A request that is not said is the container's own limit, and only then the default.
        least = said["requests"].get(name, said["limits"].get(name, limits.requests.get(name)))
        for kind, value in (("requests", least), ("limits", most)):
            number = quantities.number(value) if value is not None else None
            if number is not None:
                found[f"{kind}.{name}"] = number
    return found


def pod(spec: dict[str, Any], limits: Limits) -> Amounts:
    """What one pod counts for: all that runs at once, or the largest moment of its start, and its overhead."""
    running: Amounts = {}
    peak: Amounts = {}
    for each in fields.items(spec.get("initContainers")):
        wanted = asked(each.get("resources"), limits)
        if each.get("restartPolicy") == "Always":
            running = _sum((running, wanted))
            peak = _most(peak, running)
        else:
            peak = _most(peak, _sum((running, wanted)))
    whole = _sum((running, *(asked(each.get("resources"), limits) for each in fields.items(spec.get("containers")))))
    own = asked(spec.get("resources"), Limits({}, {}))
    over = asked({kind: spec.get("overhead") for kind in ("requests", "limits")}, Limits({}, {}))
    return _sum(({**_most(whole, peak), **own}, over))


def _sum(some: Iterable[Amounts]) -> Amounts:
    found: Amounts = {}
    for each in some:
        for name, value in each.items():
            found[name] = found.get(name, NONE) + value
    return found


def _most(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, NONE), other.get(name, NONE)) for name in one.keys() | other.keys()}


def quotas(known: facts.Facts) -> Iterator[findings.Finding]:
    """Everything fits, at rest and while updating at full scale; every pod says what its quota asks for."""
    for each in known.of("ResourceQuota"):
        spec, namespace = fields.inner(each.data, "spec"), known.namespace(each)
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue  # it counts some pods only, by what they turn out to be
        hard = {_name(name): quantities.number(value) for name, value in fields.inner(spec, "hard").items()}
        limits = _limits(known, namespace)
        pods = [one for one in known.pods if one.namespace == namespace]
        yield from _refused(pods, hard, limits, facts.title(each, namespace))
        for name, most in hard.items():
            if most is not None:
                yield from _fits(known, each, name, most, pods, limits)


def _name(name: str) -> str:
    """`cpu` alone means requests.cpu."""
    return f"requests.{name}" if name in COUNTED else str(name)


def _refused(pods: list[facts.Pod], hard: dict[str, Any], limits: Limits, quota: str) -> Iterator[findings.Finding]:
    wanted = {name for name in hard if name.partition(".")[2] in COUNTED}
    for each in pods:
        whole = asked(each.spec.get("resources"), Limits({}, {}))
        for container in each.containers():
            if container.kind == "ephemeralContainers":
                continue
            silent = wanted - asked(container.spec.get("resources"), limits).keys() - whole.keys()
            if silent:
                what = f"{each.title}: container {container.name} has no {', '.join(sorted(silent))}"
                why = f"{quota} counts that, so the API server refuses a pod that does not say it"
                path = (*container.path, "resources")
                remedy = "say it, or give the namespace a LimitRange with defaults"
                yield facts.finding("GP545", each.document, path, what, why, remedy, each.namespace)


def _fits(
    known: facts.Facts, quota: documents.Document, name: str, most: decimal.Decimal, pods: list[facts.Pod],
    limits: Limits,
) -> Iterator[findings.Finding]:  # fmt: skip
    one = {id(each): _counted(name, each, limits) for each in pods}
    rest = sum((one[id(each)] * scaling.replicas(known, each).least for each in pods), NONE)
    peak = sum((one[id(each)] * scaling.replicas(known, each).most for each in pods), NONE)
    title, path = facts.title(quota, known.default), ("spec", "hard", name)
    largest = max(pods, key=lambda each: one[id(each)] * scaling.replicas(known, each).most, default=None)
    why = f"most of it is for {largest.title}" if largest else ""
    if rest > most:
        what = f"{title} allows {name} {_shown(most)}, and its workloads ask for {_shown(rest)}"
        yield facts.finding("GP544", quota, path, what, f"pods will be missing; {why}", "raise it, or ask for less")
    elif peak > most:
        what = f"{title} allows {name} {_shown(most)}, and at full scale {_shown(peak)} is asked for"
        said = f"autoscalers at their maximum, updates and jobs at once will wait for pods that are refused; {why}"
        yield facts.finding("GP547", quota, path, what, said, "raise it, or lower maxReplicas or maxSurge")


def _counted(name: str, each: facts.Pod, limits: Limits) -> decimal.Decimal:
    if name in ("pods", "count/pods"):
        return decimal.Decimal(1)
    return pod(each.spec, limits).get(name, NONE)


def _shown(value: decimal.Decimal) -> str:
    for unit, size in (("Gi", 1024**3), ("Mi", 1024**2)):
        if value >= size and value % size == 0:
            return f"{value / size:f}{unit}"
    return f"{value.normalize():f}"


def ranges(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every container is within its namespace's limit ranges."""
    for each in known.pods:
        limits, items = _limits(known, each.namespace), list(_items(known, each.namespace, "Container"))
        for container in each.containers() if items else ():
            wanted = asked(container.spec.get("resources"), limits)
            for item in items:
                yield from _within(each, container, wanted, item)


def _within(
    each: facts.Pod, container: facts.Container, wanted: Amounts, item: dict[str, Any]
) -> Iterator[findings.Finding]:
    for field, kind, sign in (("max", "limits", 1), ("min", "requests", -1)):
        for name, value in fields.inner(item, field).items():
            bound, number = quantities.number(value), wanted.get(f"{kind}.{name}")
            if bound is not None and number is not None and (number - bound) * sign > 0:
                what = f"{each.title}: container {container.name} has {kind}.{name} {_shown(number)}"
                why = f"the namespace's LimitRange has {field} {value}: the API server refuses the pod"
                path = (*container.path, "resources", kind, name)
                yield facts.finding("GP546", each.document, path, what, why, f"keep to {field} {value}", each.namespace)


LINTS = (quotas, ranges)
