"""Deploying: the objects of one environment, in waves, to one cluster.

Nothing is kept on this side. Each object is applied as it is written, the cluster merges it (server-side apply) and
remembers who set which field; what is already so stays untouched. So a deploy that was cut short is finished by the
next one, whoever runs it. Sources: https://kubernetes.io/docs/reference/using-api/server-side-apply/,
https://kubernetes.io/docs/concepts/workloads/controllers/job/.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Protocol

from groundplan.kubernetes import waves as drawn
from groundplan.live import applying, errors, inventory, kinds, lock, waiting, waves
from groundplan.live import client as clients
from groundplan.shapes import objects

Tree = clients.Tree


@dataclasses.dataclass(frozen=True)
class Options:
    """What the user asks for beside the plan."""

    dry_run: bool = False
    """Ask the server what would be, and change nothing."""
    force: bool = False
    """Take over fields that others set."""
    adopt: bool = False
    """Take over objects that others made."""
    skip_unknown: bool = False
    """Leave out objects of kinds that the cluster does not serve."""
    prune: bool = False
    """Delete what the plan no longer has."""
    timeout: float = 600.0
    """Seconds for each wave to become ready."""


class Listener(Protocol):
    """Is told how it goes."""

    def wave(self, number: int, objects: int) -> None: ...

    def did(self, outcome: applying.Outcome) -> None: ...

    def waits(self, subject: str, why: str) -> None: ...

    def failed(self, error: errors.LiveError) -> None: ...


@dataclasses.dataclass(frozen=True)
class Report:
    """How it ended."""

    outcomes: tuple[applying.Outcome, ...]
    leftovers: tuple[objects.Key, ...]
    """What the plan no longer has and the cluster still holds."""


class Deploy:
    """One deploy of `wanted`, the objects of an environment, by one client."""

    def __init__(
        self,
        client: clients.Client,
        own: inventory.Inventory,
        wanted: Sequence[objects.Object],
        options: Options,
        listener: Listener,
    ) -> None:
        self._client, self._own, self._wanted = client, own, wanted
        self._options, self._listener = options, listener
        self._kinds = kinds.Kinds(client)
        self._lock = lock.Lock(client, own)
        self._applying = applying.Applying(
            client,
            self._kinds,
            own,
            dry_run=options.dry_run,
            force=options.force,
            timeout=options.timeout,
            waits=listener.waits,
            beat=self._beat,
        )
        self._outcomes: list[applying.Outcome] = []
        self._live: dict[objects.Key, Tree | None] = {}

    def run(self) -> Report:
        """Raises errors.LiveError: the first, where a wave has several."""
        self._leave_out()
        if self._options.dry_run:
            self._look()
            return self._all(inventory.read(self._client, self._own))
        with self._locked():
            known = inventory.read(self._client, self._own)
            self._look()
            wanted = inventory.of(made.key for made in self._wanted)
            # Before anything is made, so that whatever is cut short is still found.
            inventory.write(self._client, self._own, known | wanted)
            report = self._all(known | wanted)
            inventory.write(self._client, self._own, wanted | inventory.of(report.leftovers))
            return report

    def _leave_out(self) -> None:
        """Raises errors.UnknownKinds, unless what is unknown may be left out."""
        if not self._options.skip_unknown:
            self._kinds.check(self._wanted)
        known = [made for made in self._wanted if self._kinds.knows(made)]
        for made in self._wanted:
            if made not in known:
                self._did(
                    applying.Outcome(made.key, applying.SKIPPED, "the cluster does not know its kind", made.origin)
                )
        self._wanted = known

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._lock.take(lambda why: self._listener.waits("the lock", why))
        try:
            yield
        finally:
            with contextlib.suppress(errors.LiveError):  # it runs out by itself
                self._lock.release()

    def _all(self, known: inventory.Known) -> Report:
        for wave in waves.waves(self._wanted):
            self._listener.wave(wave.number, len(wave.members))
            self._wave(wave)
        keys = frozenset(made.key for made in self._wanted)
        found = inventory.leftovers(self._client, self._kinds, self._own, known, keys)
        left = self._prune(found) if self._options.prune else found
        return Report(tuple(self._outcomes), tuple(each.key for each in left))

    def _wave(self, wave: waves.Wave) -> None:
        """Applies all, whatever becomes of one: so that every mistake is seen at once."""
        failed: list[errors.LiveError] = []
        for made in wave.members:
            self._beat()
            try:
                self._did(self._applying.apply(made, self._live[made.key]))
            except (errors.Refused, errors.Conflict, errors.Forbidden, errors.Missing) as error:
                failed.append(error)
                self._listener.failed(error)
        if failed:
            raise failed[0]
        if not self._options.dry_run:
            waiting.ready(
                self._client,
                self._kinds,
                wave.awaited,
                timeout=self._options.timeout,
                waits=lambda key, why: self._listener.waits(str(key), why),
                beat=self._beat,
            )

    def _beat(self) -> None:
        if not self._options.dry_run:
            self._lock.renew()

    def _did(self, outcome: applying.Outcome) -> None:
        self._outcomes.append(outcome)
        self._listener.did(outcome)

    def _look(self) -> None:
        """Finds what is there. Objects of these names that are not ours are somebody's, whoever that is."""
        found = self._client.together(self._kinds.live, self._wanted)
        self._live = {made.key: live for made, live in zip(self._wanted, found, strict=True)}
        others = [
            f"{key}, by {applying.makers(live)}"
            for key, live in self._live.items()
            if live is not None and not self._own.owns(live) and key.kind not in inventory.KEPT
        ]
        if others and not self._options.adopt:
            what = f"{len(others)} objects of the plan are in the cluster already, made by others"
            raise errors.Foreign(what, why="\n".join(others), fix="rename yours, or take them over: --adopt")

    def _prune(self, found: Sequence[inventory.Member]) -> list[inventory.Member]:
        """Deletes, last wave first, what may be deleted; returns what stays."""
        kept = [each for each in found if each.key.kind in inventory.KEPT]
        gone = [each for each in found if each.key.kind not in inventory.KEPT]
        for each in sorted(gone, key=_last_first, reverse=True):
            self._beat()
            if not self._options.dry_run:
                self._client.delete(each.kind.path(each.key), uid=each.uid, subject=str(each.key))
            self._did(applying.Outcome(each.key, applying.DELETED, why="the plan no longer has it"))
        return kept


def _last_first(each: inventory.Member) -> tuple[int, tuple[int, objects.Key]]:
    made = objects.Object(each.tree, "", "")
    return drawn.of(each.tree), waves.rank(made)
