"""Disruption: drains, updates and ends that can go on, and replicas that do not all go at once.

Sources: Kubernetes documentation, "Disruptions", "Pod Lifecycle" (termination), "Pod Topology Spread Constraints".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts, scaling

GRACE = 30
"""Seconds between the signal to end and the kill, where nothing is said."""
_SLEEP = re.compile(r"(?:^|[\s;&|])sleep\s+([0-9]{1,6})(?:s)?\b")


def budgets(known: facts.Facts) -> Iterator[findings.Finding]:
    """A disruption budget selects pods, lets one of them go, and is the only one for them."""
    holders: dict[int, str] = {}
    pods = {id(each.document): each for each in known.pods}
    for each in known.of("PodDisruptionBudget"):
        spec, namespace = fields.inner(each.data, "spec"), known.namespace(each)
        title, chosen = facts.title(each, namespace), known.selected(namespace, spec.get("selector"))
        if not chosen:
            path: facts.Path = ("spec", "selector")
            yield facts.finding("GP538", each, path, f"{title} selects no pod", remedy="correct its selector")
        total = sum(_least(known, pods[id(one.document)]) for one in chosen)
        if chosen and _blocks(spec, total):
            what = f"{title} lets none of {total} pods go"
            why = "no node that runs one of them can ever be drained"
            remedy = "write maxUnavailable: 1, or run more replicas"
            said = "maxUnavailable" if spec.get("maxUnavailable") is not None else "minAvailable"
            yield facts.finding("GP534", each, ("spec", said), what, why, remedy)
        for one in chosen:
            if id(one) in holders:
                what = f"{title} holds {one.title}, as does {holders[id(one)]}"
                why = "pods with two budgets cannot be evicted at all"
                yield facts.finding("GP535", each, ("spec", "selector"), what, why, "remove one of them")
            holders[id(one)] = title


def _least(known: facts.Facts, pod: facts.Pod) -> int:
    found = known.workload(pod.document)
    if pod.document.kind in ("Job", "CronJob", "DaemonSet"):
        return found.count if found else 1
    return scaling.replicas(known, pod).least


def _blocks(spec: dict[str, Any], total: int) -> bool:
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None:
        return scaling.share(most, total, up=True) == 0
    return least is not None and total > 0 and scaling.share(least, total, up=True) >= total


def updates(known: facts.Facts) -> Iterator[findings.Finding]:
    """A rolling update may start a pod or stop one."""
    for each in known.of("Deployment"):
        spec = fields.inner(each.data, "spec")
        rolling = fields.inner(spec, "strategy", "rollingUpdate")
        replicas = scaling.number(spec.get("replicas"), 1)
        if not rolling:
            continue
        surge = scaling.share(rolling.get("maxSurge", "25%"), replicas, up=True)
        less = scaling.share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        if surge == 0 and less == 0:
            what = f"{facts.title(each, known.default)} can neither start a pod nor stop one while updating"
            path: facts.Path = ("spec", "strategy", "rollingUpdate")
            yield facts.finding("GP536", each, path, what, "maxSurge and maxUnavailable come to 0", "set maxSurge: 1")
    for each in known.of("DaemonSet"):
        rolling = fields.inner(each.data, "spec", "updateStrategy", "rollingUpdate")
        # Of nodes there may be any number: a share of them is never surely none, but 0% is.
        still = {str(rolling.get("maxSurge", 0)), str(rolling.get("maxUnavailable", 1))} <= {"0", "0%"}
        if still:
            what = f"{facts.title(each, known.default)} can neither start a pod nor stop one while updating"
            path = ("spec", "updateStrategy", "rollingUpdate")
            yield facts.finding("GP536", each, path, what, "the API server refuses it", "set maxUnavailable: 1")


def spread(known: facts.Facts) -> Iterator[findings.Finding]:
    """What a service leads to has several replicas, kept apart, of which a drain takes one at a time."""
    held = {
        id(one.document)
        for each in known.of("PodDisruptionBudget")
        for one in known.selected(known.namespace(each), fields.inner(each.data, "spec").get("selector"))
    }
    for pod in known.pods:
        if pod.document.kind not in ("Deployment", "StatefulSet") or not known.led_to(pod):
            continue
        least = scaling.replicas(known, pod).least
        if least == 1 and pod.document.kind == "Deployment" and not _alone(known, pod):
            what = f"{pod.title} has one replica"
            why = "a drained node, or an update that fails, takes the service away"
            remedy = "run two, spread over nodes, with a PodDisruptionBudget of maxUnavailable: 1"
            yield facts.finding("GP537", pod.document, ("spec", "replicas"), what, why, remedy, pod.namespace)
        if least < 2:
            continue
        if not _apart(pod):
            what = f"the {least} replicas of {pod.title} may all be on one node"
            why = "with that node the service is away"
            remedy = "add topologySpreadConstraints over kubernetes.io/hostname"
            yield facts.finding("GP591", pod.document, pod.path, what, why, remedy, pod.namespace)
        if id(pod.document) not in held:
            what = f"nothing keeps a drain from taking all {least} replicas of {pod.title} at once"
            why = "it evicts what no budget holds as fast as it can"
            remedy = "add a PodDisruptionBudget with maxUnavailable: 1"
            yield facts.finding("GP592", pod.document, ("metadata", "name"), what, why, remedy, pod.namespace)


_ALONE = {"ReadWriteOnce", "ReadWriteOncePod"}


def _alone(known: facts.Facts, pod: facts.Pod) -> tuple[facts.Path, str] | None:
    """The volume of a pod that only one node, or one pod, may have at a time."""
    for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
        name = str(fields.inner(volume, "persistentVolumeClaim").get("claimName") or "")
        claim = known.get("PersistentVolumeClaim", pod.namespace, name) if name else None
        modes = set(fields.words(fields.inner(claim.data, "spec").get("accessModes"))) if claim else set()
        if modes and modes <= _ALONE:
            return (*pod.path, "volumes", number), name
    return None


def volumes(known: facts.Facts) -> Iterator[findings.Finding]:
    """No update, and no second replica, runs two pods on a volume that is for one."""
    for pod in known.pods:
        found = _alone(known, pod) if pod.document.kind == "Deployment" else None
        if found is None:
            continue
        path, claim = found
        spec = fields.inner(pod.document.data, "spec")
        most = scaling.replicas(known, pod).most
        if most > 1:
            rolls = fields.inner(spec, "strategy").get("type") != "Recreate"
            how = "while it is updated" if scaling.replicas(known, pod).least <= 1 and rolls else "at once"
            what = f"{pod.title} runs {most} pods on claim {claim} {how}"
            why = "one node may mount it: elsewhere the new pod waits for ever, on the same node both write"
            remedy = "set strategy: {type: Recreate} and replicas: 1, or make it a StatefulSet"
            yield facts.finding("GP597", pod.document, path, what, why, remedy, pod.namespace)


def _apart(pod: facts.Pod) -> bool:
    anti = fields.inner(pod.spec, "affinity", "podAntiAffinity")
    return bool(fields.items(pod.spec.get("topologySpreadConstraints")) or any(anti.values()))


def endings(known: facts.Facts) -> Iterator[findings.Finding]:
    """A pod has time left to end in when its preStop hook is done."""
    for pod in known.pods:
        grace = scaling.number(pod.spec.get("terminationGracePeriodSeconds"), GRACE)
        path: facts.Path = (*pod.path, "terminationGracePeriodSeconds")
        if grace == 0 and known.led_to(pod):
            what = f"{pod.title} is killed without a word"
            why = "terminationGracePeriodSeconds is 0: requests under way break off"
            remedy = "give it the seconds that a request may take"
            yield facts.finding("GP593", pod.document, path, what, why, remedy, pod.namespace)
        for container in pod.containers():
            hook = fields.inner(container.spec, "lifecycle", "preStop")
            wait = _seconds(hook)
            if wait and wait >= grace > 0:
                what = f"{pod.title}: preStop of container {container.name} takes {wait} of {grace} seconds"
                why = "the hook's time is part of the grace, so the process is killed before it can drain"
                remedy = f"raise terminationGracePeriodSeconds above {wait} and the time to drain"
                yield facts.finding("GP593", pod.document, path, what, why, remedy, pod.namespace)


def _seconds(hook: dict[str, Any]) -> int:
    """How long a hook sleeps, as far as it says."""
    command = " ".join(fields.words(fields.inner(hook, "exec").get("command")))
    slept = [int(each) for each in _SLEEP.findall(command)]
    return max([scaling.number(fields.inner(hook, "sleep").get("seconds"), 0), *slept])


LINTS = (budgets, updates, spread, volumes, endings)
