"""Probes: what a service leads to says when it is ready, and a probe asks what it is for, where somebody answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts, scaling, standards

SERVING = ("Deployment", "StatefulSet", "DaemonSet")


def probes(known: facts.Facts) -> Iterator[findings.Finding]:
    """What a service leads to says when it is ready; probes ask ports that exist; they do not ask the same."""
    for pod in known.pods:
        for container in pod.containers():
            yield from _ports(pod, container)
            ready, live = (fields.inner(container.spec, name) for name in ("readinessProbe", "livenessProbe"))
            # The same question with more patience is what the documentation itself recommends.
            if ready and live and _asks(ready) == _asks(live) and _patience(live) <= _patience(ready):
                what = f"{pod.title}: readiness and liveness of container {container.name} ask the same"
                why = "what makes it unready for a moment restarts it"
                remedy = "let liveness ask only whether the process hangs, or with a higher failureThreshold"
                path = (*container.path, "livenessProbe")
                yield facts.finding("GP533", pod.document, path, what, why, remedy, pod.namespace)
        yield from _unready(known, pod)


def _asks(probe: dict[str, Any]) -> dict[str, Any]:
    return {key: probe[key] for key in ("httpGet", "tcpSocket", "grpc", "exec") if key in probe}


def _patience(probe: dict[str, Any]) -> int:
    """Seconds of silence before it has failed."""
    return scaling.number(probe.get("periodSeconds"), 10) * scaling.number(probe.get("failureThreshold"), 3)


def _unready(known: facts.Facts, pod: facts.Pod) -> Iterator[findings.Finding]:
    if pod.document.kind not in SERVING or not known.led_to(pod):
        return
    if not any("readinessProbe" in each.spec for each in pod.containers() if each.stays):
        what = f"{pod.title} has no readiness probe"
        why = "a service leads to it, from the moment its process starts"
        path = (*pod.path, "containers")
        yield facts.finding("GP531", pod.document, path, what, why, "add a readinessProbe", pod.namespace)


def _ports(pod: facts.Pod, container: facts.Container) -> Iterator[findings.Finding]:
    held = fields.items(container.spec.get("ports"))
    names = {str(each["name"]) for each in held if each.get("name")}
    for probe in standards.PROBES:
        asked = fields.inner(container.spec, probe)
        for kind in ("httpGet", "tcpSocket"):
            port = fields.inner(asked, kind).get("port")
            if isinstance(port, str) and not port.isdigit() and port not in names:
                what = f"{pod.title}: {probe} of container {container.name} asks port {port}, which it has not"
                why = f"it has {', '.join(sorted(names)) or 'no named port'}"
                path: facts.Path = (*container.path, probe, kind, "port")
                yield facts.finding("GP532", pod.document, path, what, why, "correct the name", pod.namespace)


LINTS = (probes,)
