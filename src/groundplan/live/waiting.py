"""Waiting until workloads are ready, and saying what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from groundplan.live import client as clients
from groundplan.live import errors, kinds, rollout
from groundplan.shapes import objects

EVERY = 2.0
"""Seconds between two looks."""

Tree = clients.Tree


def ready(
    client: clients.Client,
    served: kinds.Kinds,
    awaited: Sequence[objects.Object],
    *,
    timeout: float,
    waits: Callable[[objects.Key, str], None],
    beat: Callable[[], None],
) -> None:
    """Returns when all of `awaited` are ready or done; `waits` is told why not, whenever that changes.

    Raises errors.Unfinished when one has failed, or after `timeout` seconds, with the reasons of all.
    """
    started, said = client.clock.steady(), dict[objects.Key, str]()
    while True:
        states = {made.key: look(client, served, made) for made in awaited}
        pending = {key: each for key, each in states.items() if not each.ready}
        for key, each in pending.items():
            if said.get(key) != str(each):
                said[key] = str(each)
                waits(key, str(each))
        if not pending:
            return
        if any(each.failed for each in pending.values()):
            raise _unfinished("failed", {key: each for key, each in pending.items() if each.failed})
        if client.clock.steady() - started >= timeout:
            raise _unfinished(f"not ready after {timeout:.0f} s", pending)
        awaited = [made for made in awaited if made.key in pending]
        beat()
        client.clock.sleep(EVERY)


def look(client: clients.Client, served: kinds.Kinds, made: objects.Object) -> rollout.State:
    """How far one workload is, and why no further."""
    live = served.live(made)
    return rollout.State(False, "not there", why="somebody deleted it") if live is None else explained(client, live)


def explained(client: clients.Client, live: Tree) -> rollout.State:
    """The state of a live workload; its pods and events are asked only where it is not ready."""
    found = rollout.state(live)
    if found.ready:
        return found
    why = rollout.reason(live, pods(client, live), lambda name: _events(client, live, name))
    return rollout.State(found.ready, found.counts, found.failed, why or found.why)


def pods(client: clients.Client, live: Tree) -> list[Tree]:
    """The pods of a live workload."""
    labels = ((live["spec"].get("selector") or {}).get("matchLabels") or {}).items()
    if not labels:
        return []
    namespace = live["metadata"]["namespace"]
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels))
    return list(client.list(f"/api/v1/namespaces/{namespace}/pods", subject="pods", labelSelector=selector))


def _events(client: clients.Client, live: Tree, name: str) -> list[Tree]:
    path = f"/api/v1/namespaces/{live['metadata']['namespace']}/events"
    try:
        return list(client.list(path, subject="events", fieldSelector=f"involvedObject.name={name}"))
    except errors.Forbidden:
        return []  # They only explain; who may not read them still sees the pods' own states.


def _unfinished(what: str, found: dict[objects.Key, rollout.State]) -> errors.Unfinished:
    listed = "\n".join(f"{key}: {each}" for key, each in sorted(found.items()))
    names = ", ".join(str(key) for key in sorted(found))
    key = min(found)
    fix = f"see `kubectl -n {key.namespace} logs {key.kind.lower()}/{key.name}`; running this again goes on from here"
    return errors.Unfinished(f"{what}: {names}", why=listed, fix=fix)
