"""Resources and images: requests and limits that fit, and images that stay what they are."""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterator
from typing import Any

from groundplan.proof import findings
from groundplan.proof.lint import facts

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?")
_FACTORS = {
    "": decimal.Decimal(1), "m": decimal.Decimal("0.001"),
    **{unit: decimal.Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": decimal.Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}  # fmt: skip


def quantity(value: Any) -> decimal.Decimal | None:
    """A quantity as a number; None for what is none."""
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    try:
        number, unit = decimal.Decimal(match[1]), match[2] or ""
    except decimal.InvalidOperation:
        return None
    return number * (_FACTORS[unit] if unit in _FACTORS else decimal.Decimal(f"1{unit}"))


def requests(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every container asks for processor and memory and may not take all memory; no request is above its limit."""
    for pod in known.pods:
        for container in pod.containers():
            if container.kind == "ephemeralContainers":
                continue
            resources = facts.inner(container.spec, "resources")
            asked, most = facts.inner(resources, "requests"), facts.inner(resources, "limits")
            path: facts.Path = (*container.path, "resources")
            # A request that is not said is the limit.
            lacking = [f"requests.{each}" for each in ("cpu", "memory") if each not in asked and each not in most]
            lacking += [] if "memory" in most else ["limits.memory"]
            if lacking:
                what = f"{pod.title}: container {container.name} has no {', '.join(lacking)}"
                why = "the scheduler places it blindly, and a leak takes its neighbours along"
                yield facts.finding("GP541", pod.document, path, what, why, "add them", pod.namespace)
            yield from _fits(pod, container, asked, most, path)


def _fits(
    pod: facts.Pod, container: facts.Container, asked: dict[str, Any], most: dict[str, Any], path: facts.Path
) -> Iterator[findings.Finding]:
    for name in asked.keys() & most.keys():
        low, high = quantity(asked[name]), quantity(most[name])
        if low is not None and high is not None and low > high:
            what = f"{pod.title}: container {container.name} asks for {asked[name]} {name} of at most {most[name]}"
            where = (*path, "requests", name)
            yield facts.finding(
                "GP542", pod.document, where, what, "the API server refuses it", "lower it", pod.namespace
            )


def images(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every image has a digest, or a tag that says which it is."""
    for pod in known.pods:
        for container in pod.containers():
            image = str(container.spec.get("image", ""))
            _, at, digest = image.partition("@")
            tag = image.rpartition("/")[2].partition(":")[2]
            if not (at and digest) and tag in ("", "latest"):
                what = f"{pod.title}: image {image or '(none)'} of container {container.name} has no fixed tag"
                why = "two pods of one deployment may run different programs"
                path = (*container.path, "image")
                yield facts.finding("GP543", pod.document, path, what, why, "give a version or a digest", pod.namespace)


LINTS = (requests, images)
