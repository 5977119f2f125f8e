"""What pods ask for, as quotas add it up: containers with what limit ranges fill in, side by side or one by one.

Sources: Kubernetes documentation, "Limit Ranges", "Sidecar Containers" (resource sharing within containers), "Assign
Pod-level CPU and memory resources".
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from groundplan.proof import fields, quantities
from groundplan.proof.lint import facts

Amounts = dict[str, decimal.Decimal]
NONE = decimal.Decimal(0)


class Limits(msgspec.Struct, frozen=True):
    """What a namespace's limit ranges fill in for a container that does not say."""

    requests: dict[str, Any]
    limits: dict[str, Any]


NO_LIMITS = Limits({}, {})


def limits(known: facts.Facts, namespace: str) -> Limits:
    """Those of a namespace."""
    found = Limits({}, {})
    for each in items(known, namespace, "Container"):
        defaults = fields.inner(each, "default")
        found.limits.update(defaults)
        # What is not said of requests is taken from the limits' defaults.
        found.requests.update({**defaults, **fields.inner(each, "defaultRequest")})
    return found


def items(known: facts.Facts, namespace: str, kind: str) -> Iterator[dict[str, Any]]:
    """What a namespace's limit ranges say of containers, pods or claims."""
    for each in known.of("LimitRange"):
        if known.namespace(each) == namespace:
            for item in fields.items(fields.inner(each.data, "spec").get("limits")):
                if item.get("type") == kind:
                    yield item


def asked(resources: Any, filled: Limits) -> Amounts:
    """What one container counts for, as `requests.cpu` and `limits.cpu`; left out is what nobody says."""
    least, most = fields.inner(resources, "requests"), fields.inner(resources, "limits")
    found: Amounts = {}
    for name in {*least, *most, *filled.requests, *filled.limits}:
        # A request that is not said is the container's own limit, and only then the default.
        request = least.get(name, most.get(name, filled.requests.get(name)))
        for kind, value in (("requests", request), ("limits", most.get(name, filled.limits.get(name)))):
            number = quantities.number(value) if value is not None else None
            if number is not None:
                found[f"{kind}.{name}"] = number
    return found


def pod(spec: dict[str, Any], filled: Limits) -> Amounts:
    """What one pod counts for: all that runs at once, or the largest moment of its start, and its overhead."""
    running: Amounts = {}
    peak: Amounts = {}
    for each in fields.items(spec.get("initContainers")):
        wanted = asked(each.get("resources"), filled)
        if each.get("restartPolicy") == "Always":
            running = _sum((running, wanted))
            peak = _most(peak, running)
        else:
            peak = _most(peak, _sum((running, wanted)))
    whole = _sum((running, *(asked(each.get("resources"), filled) for each in fields.items(spec.get("containers")))))
    over = asked({kind: spec.get("overhead") for kind in ("requests", "limits")}, NO_LIMITS)
    return _sum(({**_most(whole, peak), **asked(spec.get("resources"), NO_LIMITS)}, over))


def best_effort(spec: dict[str, Any], filled: Limits) -> bool:
    """Does nothing in it ask for processor or memory, so that it is the first to be evicted?"""
    held = [spec.get("resources")]
    wanted = [asked(each, NO_LIMITS) for each in held]
    for field in ("initContainers", "containers"):
        wanted += [asked(each.get("resources"), filled) for each in fields.items(spec.get(field))]
    names = {f"{kind}.{name}" for kind in ("requests", "limits") for name in ("cpu", "memory")}
    return not any(each.get(name) for each in wanted for name in names)


def _sum(some: Iterable[Amounts]) -> Amounts:
    found: Amounts = {}
    for each in some:
        for name, value in each.items():
            found[name] = found.get(name, NONE) + value
    return found


def _most(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, NONE), other.get(name, NONE)) for name in one.keys() | other.keys()}
