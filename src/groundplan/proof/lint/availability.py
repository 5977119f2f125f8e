"""Availability: probes that mean something, replicas, drains and updates that can go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts, security

SERVING = ("Deployment", "StatefulSet", "DaemonSet")


def probes(known: facts.Facts) -> Iterator[findings.Finding]:
    """What a service leads to says when it is ready; probes ask ports that exist; they do not ask the same."""
    for pod in known.pods:
        for container in pod.containers():
            yield from _ports(pod, container)
            ready, live = (fields.inner(container.spec, name) for name in ("readinessProbe", "livenessProbe"))
            if ready and live and _asks(ready) == _asks(live):
                what = f"{pod.title}: readiness and liveness of container {container.name} ask the same"
                why = "what makes it unready for a moment restarts it"
                remedy = "let liveness ask only whether the process hangs"
                path = (*container.path, "livenessProbe")
                yield facts.finding("GP533", pod.document, path, what, why, remedy, pod.namespace)
        yield from _unready(known, pod)


def _asks(probe: dict[str, Any]) -> dict[str, Any]:
    return {key: probe[key] for key in ("httpGet", "tcpSocket", "grpc", "exec") if key in probe}


def _unready(known: facts.Facts, pod: facts.Pod) -> Iterator[findings.Finding]:
    if pod.document.kind not in SERVING or not _led_to(known, pod):
        return
    if not any("readinessProbe" in each.spec for each in pod.containers() if each.stays):
        what = f"{pod.title} has no readiness probe"
        why = "a service leads to it, from the moment its process starts"
        path = (*pod.path, "containers")
        yield facts.finding("GP531", pod.document, path, what, why, "add a readinessProbe", pod.namespace)


def _led_to(known: facts.Facts, pod: facts.Pod) -> bool:
    found = known.workload(pod.document)
    return found is not None and any(service.selects(found) for service in known.services(pod.namespace))


def _ports(pod: facts.Pod, container: facts.Container) -> Iterator[findings.Finding]:
    held = fields.items(container.spec.get("ports"))
    names = {str(each["name"]) for each in held if each.get("name")}
    for probe in security.PROBES:
        asked = fields.inner(container.spec, probe)
        for kind in ("httpGet", "tcpSocket"):
            port = fields.inner(asked, kind).get("port")
            if isinstance(port, str) and not port.isdigit() and port not in names:
                what = f"{pod.title}: {probe} of container {container.name} asks port {port}, which it has not"
                why = f"it has {', '.join(sorted(names)) or 'no named port'}"
                path: facts.Path = (*container.path, probe, kind, "port")
                yield facts.finding("GP532", pod.document, path, what, why, "correct the name", pod.namespace)


def budgets(known: facts.Facts) -> Iterator[findings.Finding]:
    """A disruption budget selects pods, lets one of them go, and is the only one for them."""
    holders: dict[int, str] = {}
    for each in known.of("PodDisruptionBudget"):
        spec, namespace = fields.inner(each.data, "spec"), known.namespace(each)
        title, chosen = facts.title(each, namespace), known.selected(namespace, spec.get("selector"))
        if not chosen:
            path: facts.Path = ("spec", "selector")
            yield facts.finding("GP538", each, path, f"{title} selects no pod", remedy="correct its selector")
        total = sum(one.count for one in chosen)
        if chosen and _blocks(spec, total):
            what = f"{title} lets none of {total} pods go"
            why = "no node that runs one of them can ever be drained"
            remedy = "write maxUnavailable: 1, or run more replicas"
            yield facts.finding("GP534", each, ("spec",), what, why, remedy)
        for one in chosen:
            if id(one) in holders:
                what = f"{title} holds {one.title}, as does {holders[id(one)]}"
                why = "pods with two budgets cannot be evicted at all"
                yield facts.finding("GP535", each, ("spec", "selector"), what, why, "remove one of them")
            holders[id(one)] = title


def _blocks(spec: dict[str, Any], total: int) -> bool:
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None:
        return _count(most, total, up=True) == 0
    return least is not None and total > 0 and _count(least, total, up=True) >= total


def _count(value: Any, total: int, *, up: bool) -> int:
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit():
        share = int(value[:-1]) * total
        return -(-share // 100) if up else share // 100
    return value if isinstance(value, int) else 1


def updates(known: facts.Facts) -> Iterator[findings.Finding]:
    """A rolling update may start a pod or stop one."""
    for each in known.of("Deployment"):
        spec = fields.inner(each.data, "spec")
        rolling = fields.inner(spec, "strategy", "rollingUpdate")
        replicas = spec.get("replicas", 1)
        if not isinstance(replicas, int) or not rolling:
            continue
        surge = _count(rolling.get("maxSurge", "25%"), replicas, up=True)
        less = _count(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        if surge == 0 and less == 0:
            what = f"{facts.title(each, known.default)} can neither start a pod nor stop one while updating"
            path: facts.Path = ("spec", "strategy", "rollingUpdate")
            yield facts.finding("GP536", each, path, what, "maxSurge and maxUnavailable come to 0", "set maxSurge: 1")


def replicas(known: facts.Facts) -> Iterator[findings.Finding]:
    """What a service leads to has more than one replica, or an autoscaler that says so."""
    scaled = {
        (known.namespace(each), str(fields.inner(each.data, "spec", "scaleTargetRef").get("name")))
        for each in known.of("HorizontalPodAutoscaler")
    }
    for pod in known.pods:
        found = known.workload(pod.document)
        if found is None or pod.document.kind != "Deployment" or (pod.namespace, pod.document.name) in scaled:
            continue
        if found.count == 1 and _led_to(known, pod):
            what = f"{pod.title} has one replica"
            why = "a drained node, or an update that fails, takes the service away"
            yield facts.finding("GP537", pod.document, ("spec", "replicas"), what, why, "run two", pod.namespace)


LINTS = (probes, budgets, updates, replicas)
