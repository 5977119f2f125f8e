"""What every keeper of a unit works with: the directory, the model, the gates, and the one hurry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from groundplan.local import directory, masks, pids, process, processes
from groundplan.local.plan import units
from groundplan.local.state import events, health, logs, store
from groundplan.local.state import units as shown

LIMIT = 60.0
"""Seconds that an instance may take to become ready the first time."""

DEATHS = 5
"""As many deaths before it was ever ready count as never becoming ready."""


class Gates:
    """One gate a unit: open while it is ready, or has ended well."""

    def __init__(self) -> None:
        self._open: set[str] = set()
        self._changed = asyncio.Event()

    def open(self, name: str) -> None:
        self._open.add(name)
        self.touch()

    def close(self, name: str) -> None:
        self._open.discard(name)
        self.touch()

    def touch(self) -> None:
        """Wakes those that wait for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def closed(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that are still to be waited for."""
        return tuple(name for name in names if name not in self._open)

    async def change(self) -> None:
        """Waits until any gate has moved."""
        await self._changed.wait()


@dataclass
class World:
    """Shared by all keepers of one supervisor."""

    directory: directory.Directory
    store: store.Store
    limit: float = LIMIT
    clock: Callable[[], float] = time.time
    gates: Gates = field(default_factory=Gates)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a second Ctrl-C: no more grace."""
    masker: masks.Masker = field(default_factory=masks.Masker)
    failed: set[str] = field(default_factory=set)
    """Names of units that will not come up by themselves in time."""

    def __post_init__(self) -> None:
        self.register = pids.Register(self.directory.pids)
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def job(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Runs `work` beside the others; a mistake of ours in it ends the supervisor instead of being lost."""
        job = asyncio.create_task(work, name=name)
        job.add_done_callback(self._check)
        return job

    def _check(self, job: asyncio.Task[None]) -> None:
        if not job.cancelled() and (error := job.exception()) is not None and not self.broken.done():
            self.broken.set_exception(error)

    def fail(self, name: str) -> None:
        """Notes that the unit will not come up by itself in time."""
        self.failed.add(name)
        self.gates.touch()

    def heard(self, instance: str, question: health.Question, passed: bool, said: str) -> None:
        """Writes an answer down if it differs from the last one."""
        said = self.masker(said)
        former = self.store.health(instance, question)
        if former is None or (former.passed, former.said) != (passed, said):
            now = self.clock()
            self.store.publish(health.Health(instance=instance, question=question, passed=passed, said=said, since=now))

    def notice(self, unit: str, level: logs.Level, text: str, lines: Iterable[str] = (), file: str = "") -> None:
        """Tells everybody, with secrets blotted out."""
        masked = tuple(self.masker(line) for line in lines)
        text = self.masker(text)
        self.store.publish(logs.Notice(at=self.clock(), unit=unit, level=level, text=text, lines=masked, file=file))

    def show(
        self, name: str, unit: str, phase: shown.Phase, why: str = "", *, pid: int | None = None,
        restarts: int = 0, retry_at: float | None = None,
    ) -> None:  # fmt: skip
        """Writes how an instance is; `since` moves with the phase only."""
        former = self.store.instance(name)
        same = former is not None and former.phase == phase and former.pid == pid
        since = former.since if former is not None and same else self.clock()
        self.store.publish(
            shown.Instance(
                name=name,
                unit=unit,
                phase=phase,
                since=since,
                why=self.masker(why),
                pid=pid,
                restarts=restarts,
                retry_at=retry_at,
            )
        )

    def forget(self, name: str) -> None:
        """Takes an instance out of the model."""
        self.store.publish(events.Gone(key=("instance", name)))
        for question in ("startup", "readiness", "liveness"):
            self.store.publish(events.Gone(key=("health", name, question)))

    def spawn(self, name: str, command: units.Command, *, death: str, stop: str, grace: float) -> process.Process:
        """Starts a child and registers it; raises NotStarted, DiskFull and their kin."""
        child = process.start(command, self.directory.log(name), death)
        try:
            self.register.add(name, child.pid, stop_signal=stop, grace=grace)
        except BaseException:
            child.kill()
            raise
        child.exited.add_done_callback(lambda _: self.register.remove(name))
        return child

    def ours(self) -> set[int]:
        """Pids of all our children and theirs."""
        return processes.family(self.register.pids())
