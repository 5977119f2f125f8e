"""Resources and images: requests and limits that fit, and images that stay what they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings, quantities
from groundplan.proof.lint import facts


def requests(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every container asks for processor and memory and may not take all memory; no request is above its limit."""
    for pod in known.pods:
        for container in pod.containers():
            if container.kind == "ephemeralContainers":
                continue
            resources = fields.inner(container.spec, "resources")
            asked, most = fields.inner(resources, "requests"), fields.inner(resources, "limits")
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
        low, high = quantities.number(asked[name]), quantities.number(most[name])
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
            # `alpine`, `stable`, `main`: a tag without a digit says a line of versions, and none of them.
            if not (at and digest) and not any(each.isdigit() for each in tag):
                what = f"{pod.title}: image {image or '(none)'} of container {container.name} has no fixed tag"
                why = "two pods of one deployment may run different programs"
                path = (*container.path, "image")
                yield facts.finding("GP543", pod.document, path, what, why, "give a version or a digest", pod.namespace)


LINTS = (requests, images)
