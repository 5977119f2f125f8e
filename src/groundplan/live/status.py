"""How a platform is in its cluster: its workloads, what failed last, and where it is not as planned. It only reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from groundplan.live import changes, inventory, kinds, waiting, waves, words
from groundplan.live import client as clients
from groundplan.shapes import objects

Tree = clients.Tree

_SHOWN = ("Deployment", "StatefulSet", "CronJob", "Job")


@dataclasses.dataclass(frozen=True)
class Row:
    """One workload."""

    key: objects.Key
    ok: bool
    state: str
    images: tuple[str, ...] = ()
    restarts: int = 0
    last_failure: str = ""


@dataclasses.dataclass(frozen=True)
class Report:
    """The whole platform."""

    rows: tuple[Row, ...]
    drift: tuple[tuple[objects.Key, str], ...]
    """Objects that are not as planned, with what of them."""

    @property
    def ok(self) -> bool:
        """Everything runs, and is as planned."""
        return not self.drift and all(row.ok for row in self.rows)


def of(client: clients.Client, own: inventory.Inventory, wanted: Sequence[objects.Object]) -> Report:
    """Raises errors.LiveError."""
    served = kinds.Kinds(client)
    known = inventory.read(client, own)
    rows, drift = list[Row](), list[tuple[objects.Key, str]]()
    served.lacking(wanted)  # asks for every API once, before many ask at once
    ordered = sorted(wanted, key=waves.rank)
    for made, live in zip(ordered, client.together(served.live, ordered), strict=True):
        if made.key.kind in _SHOWN:
            rows.append(_row(client, made, live))
        if live is None:
            drift.append((made.key, "not there"))
        else:
            drift += [(made.key, each) for each in _drift(made.tree, live)]
    gone = inventory.leftovers(client, served, own, known, frozenset(made.key for made in wanted))
    drift += [(each.key, "no longer in the plan") for each in gone]
    return Report(tuple(rows), tuple(drift))


def _drift(wanted: Tree, live: Tree) -> list[str]:
    """What the plan says and the cluster has not so."""
    metadata = {key: value for key, value in wanted["metadata"].items() if key in ("labels", "annotations")}
    found = changes.drift({**wanted, "metadata": metadata}, live)
    return [f"{each.path} is {changes.short(each.before)}, planned {changes.short(each.after)}" for each in found]


def _row(client: clients.Client, made: objects.Object, live: Tree | None) -> Row:
    key = made.key
    if live is None:
        return Row(key, False, "not there")
    if key.kind == "CronJob":
        return _schedule(key, live)
    images = _images(live["spec"]["template"])
    if key.kind == "Job" and waves.is_waiting(live):
        return Row(key, True, "waits to be started", images)
    found, pods = waiting.explained(client, live), waiting.pods(client, live)
    statuses = [each for pod in pods for each in _statuses(pod)]
    restarts = sum(int(each.get("restartCount", 0)) for each in statuses)
    return Row(key, found.ready, str(found), images, restarts, _last(statuses))


def _schedule(key: objects.Key, live: Tree) -> Row:
    images, status = _images(live["spec"]["jobTemplate"]["spec"]["template"]), live.get("status") or {}
    if live["spec"].get("suspend"):
        return Row(key, True, "suspended", images)
    began, done = str(status.get("lastScheduleTime") or ""), str(status.get("lastSuccessfulTime") or "")
    if status.get("active"):
        return Row(key, True, f"{live['spec']['schedule']}, running since {began}", images)
    # The time of success is when a run ended, so it is never before that run began.
    failed = f", the run of {began} failed" if began > done else ""
    return Row(key, not failed, f"{live['spec']['schedule']}, last done {done or 'never'}{failed}", images)


def _images(template: Tree) -> tuple[str, ...]:
    return tuple(str(each.get("image", "")) for each in template["spec"]["containers"])


def _statuses(pod: Tree) -> list[Any]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _last(statuses: Sequence[Any]) -> str:
    """Why a container ended last, of those that ended badly."""
    ended = [(each.get("lastState") or {}).get("terminated") or {} for each in statuses]
    bad = [each for each in ended if each.get("exitCode")]
    if not bad:
        return ""
    last = max(bad, key=lambda each: str(each.get("finishedAt", "")))
    ago = last.get("finishedAt", "some time ago")
    return words.plain(f"{last.get('reason', 'Error')}, exit code {last['exitCode']}, {ago}")
