"""Quotas: what workloads ask for together fits into their namespace's quota, and no pod is refused for saying nothing.

Sources: Kubernetes documentation, "Resource Quotas", "Limit Ranges".
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings, quantities
from groundplan.proof.lint import amounts, facts, scopes, usage
from groundplan.proof.manifests import documents

_SAID = ("cpu", "memory")
"""What a pod must say where a quota counts it; what else it does not say counts for nothing."""


def quotas(known: facts.Facts) -> Iterator[findings.Finding]:
    """Everything fits, at rest and while updating at full scale; every pod says what its quota asks for."""
    for each in known.of("ResourceQuota"):
        title, hard = facts.title(each, known.default), fields.inner(each.data, "spec", "hard")
        refused = [*scopes.wrong(scopes.of(each), hard)]
        for path, why in refused:
            what = f"{title} has scopes that do not go together, or not with what it counts"
            yield facts.finding("GP548", each, path, what, why, "make a quota for each scope", known.default)
        if not refused:
            yield from _judged(known, each, {_name(str(name)): (str(name), value) for name, value in hard.items()})


def _judged(
    known: facts.Facts, quota: documents.Document, hard: dict[str, tuple[str, Any]]
) -> Iterator[findings.Finding]:
    title, counter = facts.title(quota, known.default), usage.Counter(known, quota)
    yield from _refused(counter, hard, title)
    unknown = []
    for name, (written, value) in hard.items():
        most, shares = quantities.number(value), counter.shares(name)
        if shares is None:
            unknown.append(written)
        elif most is not None:
            yield from _fits(quota, title, (name, written), most, shares)
    if unknown:
        what = f"{title} counts {', '.join(sorted(unknown))}, which was not added up"
        remedy = f"see `kubectl describe resourcequota {quota.name}` in the cluster"
        yield facts.finding("GP549", quota, ("spec", "hard"), what, "no document says how many there are", remedy)
    everywhere = [each.title for each in counter.pods if each.document.kind == "DaemonSet"]
    if everywhere:
        what = f"{title} also counts the pods of {', '.join(everywhere)}, which were not added up"
        remedy = "leave room for one on every node"
        yield facts.finding("GP549", quota, ("spec", "hard"), what, "no document says how many nodes there are", remedy)


def _name(name: str) -> str:
    """`cpu` alone means requests.cpu."""
    return f"requests.{name}" if name in usage.COUNTED or name.startswith("hugepages-") else name


def _refused(counter: usage.Counter, hard: dict[str, tuple[str, Any]], quota: str) -> Iterator[findings.Finding]:
    wanted = {name for name in hard if name.partition(".")[2] in _SAID}
    for each in counter.pods:
        whole = amounts.asked(each.spec.get("resources"), amounts.NO_LIMITS)
        for container in each.containers():
            if container.kind == "ephemeralContainers":
                continue
            silent = wanted - amounts.asked(container.spec.get("resources"), counter.limits).keys() - whole.keys()
            if silent:
                what = f"{each.title}: container {container.name} has no {', '.join(sorted(silent))}"
                why = f"{quota} counts that, so the API server refuses a pod that does not say it"
                path = (*container.path, "resources")
                remedy = "say it, or give the namespace a LimitRange with defaults"
                yield facts.finding("GP545", each.document, path, what, why, remedy, each.namespace)


def _fits(
    quota: documents.Document, title: str, names: tuple[str, str], most: decimal.Decimal, shares: list[usage.Share]
) -> Iterator[findings.Finding]:
    name, written = names
    rest = sum((each.least for each in shares), amounts.NONE)
    peak = sum((each.most for each in shares), amounts.NONE)
    path: facts.Path = ("spec", "hard", written)
    largest = max(shares, key=lambda each: each.most, default=None)
    why = f"most of it is for {largest.title}" if largest else ""
    if rest > most:
        what = f"{title} allows {name} {_shown(most)}, and {_shown(rest)} is asked for"
        yield facts.finding("GP544", quota, path, what, f"some will be refused; {why}", "raise it, or ask for less")
    elif peak > most:
        what = f"{title} allows {name} {_shown(most)}, and at full scale {_shown(peak)} is asked for"
        said = f"autoscalers at their maximum, updates and jobs at once will wait for pods that are refused; {why}"
        yield facts.finding("GP547", quota, path, what, said, "raise it, or lower maxReplicas or maxSurge")


def _shown(value: decimal.Decimal) -> str:
    # Whole numbers are divided as such: decimals have no remainder of what has more digits than they keep.
    whole = int(value) if value == value.to_integral_value() else 1
    for unit, size in (("Gi", 1024**3), ("Mi", 1024**2)):
        if whole >= size and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{value.normalize():f}"


def ranges(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every container is within its namespace's limit ranges."""
    for each in known.pods:
        filled = amounts.limits(known, each.namespace)
        items = list(amounts.items(known, each.namespace, "Container"))
        for container in each.containers() if items else ():
            wanted = amounts.asked(container.spec.get("resources"), filled)
            for item in items:
                yield from _within(each, container, wanted, item)


def _within(
    each: facts.Pod, container: facts.Container, wanted: amounts.Amounts, item: dict[str, Any]
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
