"""How a cluster differs from the plan: what a deploy would change there, asked of the API server by dry run.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from groundplan import proof
from groundplan.live import applying, changes, errors, inventory, kinds
from groundplan.live import client as clients
from groundplan.proof.compare import pairs
from groundplan.shapes import objects

Tree = clients.Tree


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything that would be different."""

    changes: tuple[changes.Change, ...]
    traffic: tuple[pairs.Difference, ...]
    """Connections that the cluster's policies would newly allow, or no longer."""
    notes: tuple[str, ...]
    """What could not be told, and why."""
    conflicts: tuple[str, ...]
    """Fields that others set otherwise: a deploy would refuse."""

    def __bool__(self) -> bool:
        return bool(self.changes or self.traffic or self.conflicts)


def of(client: clients.Client, own: inventory.Inventory, wanted: Sequence[objects.Object]) -> Report:
    """Raises errors.LiveError."""
    served = kinds.Kinds(client)
    unknown = [f"the cluster does not know {each} yet: its chart comes first" for each in served.lacking(wanted)]
    known = inventory.read(client, own) | inventory.of(made.key for made in wanted)
    looks = client.together(lambda made: _look(client, served, own, made), wanted)
    keys = frozenset(made.key for made in wanted)
    gone = inventory.leftovers(client, served, own, known, keys)
    others = _policies_of_others(client, served, known, keys | {each.key for each in gone})
    before = [*(look.before for look in looks if look.before), *(each.tree for each in gone), *others]
    traffic, notes = _traffic(before, [*(look.after for look in looks), *others], wanted)
    return Report(
        changes=tuple(sorted(_told(looks, gone), key=lambda each: (changes.KINDS.index(each.kind), each.key))),
        traffic=traffic,
        notes=(*unknown, *notes, *(note for look in looks for note in look.notes)),
        conflicts=tuple(line for look in looks for line in look.conflicts),
    )


@dataclasses.dataclass(frozen=True)
class _Look:
    """One object as it is and as it would be."""

    made: objects.Object
    before: Tree | None
    after: Tree
    is_anew: bool = False
    conflicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _look(client: clients.Client, served: kinds.Kinds, own: inventory.Inventory, made: objects.Object) -> _Look:
    live = served.live(made)
    if live is None:
        return _Look(made, None, made.tree)
    path, subject = served.of(made).path(made.key), str(made.key)
    tree, conflicts = own.member(made.tree), tuple[str, ...]()
    try:
        try:
            after = client.apply(path, tree, manager=inventory.MANAGER, dry_run=True, subject=subject)
        except errors.Conflict as error:
            conflicts = tuple(f"{made.key}: {field} is set by {manager}" for manager, field in error.owners)
            after = client.apply(path, tree, manager=inventory.MANAGER, force=True, dry_run=True, subject=subject)
    except errors.Refused as error:
        if made.key.kind == "Job" and applying.is_fixed(error):
            return _Look(made, live, made.tree, is_anew=True)
        return _Look(made, live, made.tree, notes=(str(applying.located(error, made)),))
    return _Look(made, live, after, conflicts=conflicts)


def _told(looks: Iterable[_Look], gone: Iterable[inventory.Member]) -> Iterable[changes.Change]:
    for look in looks:
        key, origin = look.made.key, look.made.origin
        if look.before is None:
            yield changes.Change(changes.CREATES, key, origin=origin)
        elif look.is_anew:
            fields = changes.fields(look.before["spec"]["template"], look.made.tree["spec"]["template"])
            said = tuple(str(each) for each in fields if each.after is not None)
            yield changes.Change(changes.RUNS_AGAIN, key, said, origin)
        elif not look.notes:
            before, after = applying.without_versions(look.before), applying.without_versions(look.after)
            yield from changes.of(key, before, after, origin)
    for each in gone:
        kept = ("only you can delete it",) if each.key.kind in inventory.KEPT else ("with --prune",)
        yield changes.Change(changes.REMOVES, each.key, kept)


def _policies_of_others(
    client: clients.Client, served: kinds.Kinds, known: inventory.Known, ours: frozenset[objects.Key]
) -> list[Tree]:
    """Policies beside ours in our namespaces: they allow what they allow, before and after."""
    kind, found = served.find("networking.k8s.io/v1", "NetworkPolicy"), list[Tree]()
    for namespace in sorted(known.namespaces):
        for tree in client.list(kind.collection(namespace), subject=f"networkpolicies in {namespace}"):
            key = objects.Key(namespace, tree["metadata"]["name"], "networking.k8s.io", kind.name)
            if key not in ours:
                found.append({"apiVersion": kind.api, "kind": kind.name, **tree})
    return found


def _traffic(
    before: list[Tree], after: list[Tree], wanted: Sequence[objects.Object]
) -> tuple[tuple[pairs.Difference, ...], tuple[str, ...]]:
    spaces = [made.tree for made in wanted if made.key.kind == "Namespace"]
    there = {tree["metadata"]["name"] for tree in before if tree["kind"] == "Namespace"}
    before = before + [tree for tree in spaces if tree["metadata"]["name"] not in there]
    try:
        old, new = (proof.Cluster.of(applying.without_versions(tree) for tree in trees) for trees in (before, after))
        found = tuple(pairs.differences(old, new))
    except proof.Unusable as error:
        return (), tuple(f"traffic cannot be told: {each}" for each in error.findings)
    return found, tuple(
        dict.fromkeys(f"traffic is not decidable: {each}" for one in (old, new) for each in one.doubts())
    )
