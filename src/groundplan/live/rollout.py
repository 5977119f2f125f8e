"""How far a workload is, and why no further, in words: from its status, its pods and their events.

Sources: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status,
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/,
https://developer.hashicorp.com/vault/api-docs/system/health (what codes a Vault that is not ready answers with).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence

from groundplan.live import words
from groundplan.shapes import objects

Tree = objects.Tree

_VAULT_HEALTH = "/v1/sys/health"
_VAULT = {"501": "not initialised (501)", "503": "sealed (503)"}
_CODE = re.compile(r"statuscode: (\d+)")


@dataclasses.dataclass(frozen=True)
class State:
    """Of one workload."""

    ready: bool
    counts: str
    """``1 of 2 ready``"""
    failed: bool = False
    """It will not become ready, however long one waits."""
    why: str = ""
    """What keeps it, as far as it is known."""

    def __str__(self) -> str:
        return words.plain(f"{self.counts}: {self.why}" if self.why else self.counts)


def state(live: Tree) -> State:
    """As the workload's own status has it."""
    if live["kind"] == "Job":
        return _job(live)
    wanted = int(live["spec"].get("replicas", 1))
    status = live.get("status") or {}
    updated, ready = int(status.get("updatedReplicas", 0)), int(status.get("readyReplicas", 0))
    by_hand = updated < wanted <= ready and objects.is_replaced_by_hand(live)
    updated = wanted if by_hand else updated
    counts = f"{min(ready, updated)} of {wanted} ready"
    if int(status.get("observedGeneration", 0)) < int(live["metadata"].get("generation", 0)):
        return State(False, counts, why="its controller has not seen the change yet")
    if updated < wanted:
        return State(False, counts, why=_conditions(live))
    if by_hand:
        return State(True, counts, why="as it was before the change, until somebody deletes its pod")
    if int(status.get("replicas", 0)) > updated:
        return State(False, counts, why=f"{status['replicas'] - updated} of the old ones still run")
    available = int(status.get("availableReplicas", 0)) if live["kind"] == "Deployment" else ready
    return State(available >= wanted, counts, why="" if available >= wanted else _conditions(live))


def _job(live: Tree) -> State:
    status = live.get("status") or {}
    for kind in ("Complete", "Failed"):
        found = _condition(live, kind)
        if found is not None:
            ended = "done" if kind == "Complete" else "failed"
            return State(kind == "Complete", ended, failed=kind == "Failed", why=str(found.get("message", "")))
    failures = int(status.get("failed", 0))
    tries = f", failed {failures} times" if failures else ""
    return State(False, f"running{tries}" if status.get("active") else f"not started{tries}")


def is_over(live: Tree) -> bool:
    """Whether a Job has ended, well or not."""
    return any(_condition(live, kind) for kind in ("Complete", "Failed"))


def _conditions(live: Tree) -> str:
    """Why a Deployment has fewer pods than it wants: a quota, Pod Security."""
    found = _condition(live, "ReplicaFailure")
    return str(found.get("message", "")) if found else ""


def _condition(live: Tree, kind: str) -> Tree | None:
    listed = (live.get("status") or {}).get("conditions") or ()
    return next((each for each in listed if each.get("type") == kind and each.get("status") == "True"), None)


Events = Callable[[str], Sequence[Tree]]
"""The events about an object of a name, asked for only where they are needed."""


def reason(live: Tree, pods: Iterable[Tree], events: Events) -> str:
    """Why the pods of a workload are not ready; empty where nothing says so."""
    listed = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)
    unready = [pod for pod in listed if not _is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]
    for pod in unready:
        if said := _of_pod(pod, events):
            return f"{pod['metadata']['name']}: {said}"
    if not listed:
        return _warning(events(live["metadata"]["name"]))
    return f"{unready[0]['metadata']['name']} is starting" if unready else ""


def _is_ready(pod: Tree) -> bool:
    return _condition(pod, "Ready") is not None or pod.get("status", {}).get("phase") == "Succeeded"


def _of_pod(pod: Tree, events: Events) -> str:
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"no node takes it: {condition.get('message', '')}"
    for section, what in (("initContainerStatuses", "init container "), ("containerStatuses", "container ")):
        for each in status.get(section) or ():
            if said := _of_container(each):
                return f"{what}{each['name']}: {said}"
    warning = _warning(events(pod["metadata"]["name"]))
    return _of_vault(pod, warning) or warning or str(status.get("message", ""))


def _of_container(status: Tree) -> str:
    waiting = (status.get("state") or {}).get("waiting") or {}
    ended = (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    why = str(waiting.get("reason", ""))
    if why in ("", "PodInitializing", "ContainerCreating") and not (ended.get("exitCode") and not status.get("ready")):
        return ""
    last = f"exit code {ended['exitCode']} ({ended.get('reason', 'Error')})" if ended.get("exitCode") else ""
    parts = (why, last, str(waiting.get("message") or ended.get("message") or "").strip())
    return ": ".join(part for part in parts if part)


def _of_vault(pod: Tree, warning: str) -> str:
    """A Vault that runs and is not ready, said plainly: its health answers with a code of its own."""
    containers = pod.get("spec", {}).get("containers") or ()
    paths = [(each.get("readinessProbe") or {}).get("httpGet", {}).get("path", "") for each in containers]
    if not any(path.startswith(_VAULT_HEALTH) for path in paths) or pod["status"].get("phase") != "Running":
        return ""
    code = _CODE.search(warning)
    what = _VAULT.get(code[1], "") if code else ""
    return f"Vault is {what or 'sealed or not initialised'}: run `groundplan vault bootstrap`"


def _warning(events: Sequence[Tree]) -> str:
    """The last warning: ``Unhealthy: Readiness probe failed: …``."""
    found = [each for each in events if each.get("type") == "Warning"]
    if not found:
        return ""
    last = max(found, key=_moment)
    return f"{last.get('reason', '')}: {str(last.get('message', '')).strip()}"


def _moment(event: Tree) -> str:
    series = event.get("series") or {}
    moments = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((each for each in moments if each), ""))
