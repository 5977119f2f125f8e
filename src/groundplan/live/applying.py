"""One object to the cluster: applied, or made anew where Kubernetes allows no change.

A Job's template can never change, so a migration of a new release is deleted, with its pods, and made anew; one that
is done and unchanged is left alone, and does not run again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from groundplan.live import client as clients
from groundplan.live import errors, inventory, kinds, rollout, waves
from groundplan.shapes import objects

Tree = clients.Tree

CREATED, CHANGED, UNCHANGED, REPLACED, DELETED = "created", "changed", "unchanged", "replaced", "deleted"
SKIPPED = "skipped"

MANAGER = inventory.MANAGER
HANDOVER = f"{MANAGER}-replicas"
"""Keeps the number of replicas while it passes from the plan to an autoscaler."""
_EVERY = 1.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one object."""

    key: objects.Key
    verb: str
    why: str = ""
    origin: str = ""


@dataclasses.dataclass(frozen=True)
class Applying:
    """How objects are applied in one run."""

    client: clients.Client
    kinds: kinds.Kinds
    own: inventory.Inventory
    dry_run: bool
    force: bool
    timeout: float
    """Seconds for what is being deleted to be gone."""
    waits: Callable[[str, str], None]
    beat: Callable[[], None]

    def apply(self, made: objects.Object, live: Tree | None) -> Outcome:
        """`live` is what was there a moment ago. Raises errors.LiveError."""
        path = self.kinds.of(made).path(made.key)
        live = self._settled(path, made, live)
        tree = self.own.member(made.tree)
        if live is not None and (why := self._over(live, made.tree)):
            return self._anew(path, made, tree, live, why)
        if live is not None and not self.dry_run:
            self._hand_over(path, made, live)
        try:
            after = self._send(path, made, tree)
        except errors.Refused as error:
            if live is None or made.key.kind != "Job" or not is_fixed(error):
                raise located(error, made) from None
            return self._anew(path, made, tree, live, "its template changed")
        except errors.Missing as error:
            return self._without_namespace(made, error)
        except errors.Conflict as error:
            if not error.owners or any(manager != HANDOVER for manager, _ in error.owners):
                raise located(error, made) from None
            after = self._send(path, made, tree, force=True)
        except errors.LiveError as error:
            raise located(error, made) from None
        return self._outcome(made, live, after)

    def _settled(self, path: str, made: objects.Object, live: Tree | None) -> Tree | None:
        """The live object, once it is not about to vanish."""
        started, clock, told = self.client.clock.steady(), self.client.clock, False
        while live is not None and live["metadata"].get("deletionTimestamp") and not self.dry_run:
            if clock.steady() - started >= self.timeout:
                raise _lingers(made, live, self.timeout)
            if not told:
                self.waits(str(made.key), "the old one is being deleted")
                told = True
            self.beat()
            clock.sleep(_EVERY)
            live = self.client.find(path, subject=str(made.key))
        return live

    def _over(self, live: Tree, wanted: Tree) -> str:
        """Why a Job that has ended must be made anew; empty for all else."""
        if wanted["kind"] != "Job" or not rollout.is_over(live):
            return ""
        if rollout.state(live).failed:
            return "it had failed"
        return "it ran, and waits again" if waves.is_waiting(wanted) else ""

    def _anew(self, path: str, made: objects.Object, tree: Tree, live: Tree, why: str) -> Outcome:
        if not self.dry_run:
            # Two migrations at once would be one too many: in the foreground, a Job goes after its pods.
            self.client.delete(path, uid=live["metadata"]["uid"], policy="Foreground", subject=str(made.key))
            self._settled(path, made, self.client.find(path, subject=str(made.key)))
            self._send(path, made, tree)
        return Outcome(made.key, REPLACED, why, made.origin)

    def _send(self, path: str, made: objects.Object, tree: Tree, *, force: bool = False) -> Tree:
        return self.client.apply(
            path, tree, manager=MANAGER, force=force or self.force, dry_run=self.dry_run, subject=str(made.key)
        )

    def _without_namespace(self, made: objects.Object, error: errors.LiveError) -> Outcome:
        """A dry run cannot look into a namespace that it would have made."""
        if not self.dry_run:
            raise located(error, made) from None
        return Outcome(made.key, CREATED, "unchecked: its namespace is not there yet", made.origin)

    def _outcome(self, made: objects.Object, live: Tree | None, after: Tree) -> Outcome:
        if live is None:
            return Outcome(made.key, CREATED, origin=made.origin)
        changed = without_versions(live) != without_versions(after)
        return Outcome(made.key, CHANGED if changed else UNCHANGED, origin=made.origin)

    def _hand_over(self, path: str, made: objects.Object, live: Tree) -> None:
        """Keeps the replicas of what an autoscaler takes over: a field that its last owner drops goes to its default.

        Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
        """
        spec, has = made.tree.get("spec") or {}, (live.get("spec") or {}).get("replicas")
        if made.key.kind not in ("Deployment", "StatefulSet") or "replicas" in spec or not _sets_replicas(live):
            return
        metadata = {"name": made.key.name, "namespace": made.key.namespace}
        tree = {
            **{key: made.tree[key] for key in ("apiVersion", "kind")},
            "metadata": metadata,
            "spec": {"replicas": has},
        }
        self.client.apply(path, tree, manager=HANDOVER, force=True, subject=str(made.key))


def _lingers(made: objects.Object, live: Tree, seconds: float) -> errors.Unfinished:
    held = ", ".join(live["metadata"].get("finalizers") or ())
    why = f"held by the finalizers {held}" if held else "something in it does not end"
    return errors.Unfinished(f"{made.key} is being deleted, and not gone after {seconds:.0f} s", why=why)


def located(error: errors.LiveError, made: objects.Object) -> errors.LiveError:
    """The error with the plan's line that the object comes from."""
    error.why = "\n".join(part for part in (error.why, made.origin and f"from {made.origin}, pass {made.by}") if part)
    return error


def makers(live: Tree) -> str:
    """Who set fields of a live object, by their own names."""
    found = dict.fromkeys(str(each.get("manager")) for each in live["metadata"].get("managedFields") or ())
    return ", ".join(found) or "unknown"


_VERSIONS = ("resourceVersion", "generation", "managedFields")


def without_versions(tree: Tree) -> Tree:
    """Without what says only that, when and by whom it was written, and how it is going."""
    metadata = {key: value for key, value in tree["metadata"].items() if key not in _VERSIONS}
    return {**{key: value for key, value in tree.items() if key != "status"}, "metadata": metadata}


def is_fixed(error: errors.Refused) -> bool:
    """Whether a change was refused because there can be none."""
    return "immutable" in error.why


def _sets_replicas(live: Tree) -> bool:
    return any(
        each.get("manager") == MANAGER and "f:replicas" in (each.get("fieldsV1") or {}).get("f:spec", {})
        for each in live["metadata"].get("managedFields") or ()
    )
