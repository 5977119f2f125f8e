"""Keeps one instance of a daemon: starts it, asks it, starts it again when it dies or stops answering."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from groundplan.local import backoff, errors, files, probes, process, processes
from groundplan.local import world as worlds
from groundplan.local.plan import units
from groundplan.local.state import health
from groundplan.local.state import units as shown


class Slot:
    """One replica's place. `ready` is set while it is."""

    def __init__(self, daemon: units.Daemon, instance: units.Instance, world: worlds.World) -> None:
        self.daemon, self.instance, self._world = daemon, instance, world
        self.ready = asyncio.Event()
        self.changed = asyncio.Event()
        self._child: process.Process | None = None
        self._job: asyncio.Task[None] | None = None
        self._backoff = backoff.Backoff()
        self._restarts = 0
        self._was_ready = self._told = False

    def start(self) -> None:
        self._job = self._world.job(self._keep(), self.instance.name)

    async def stop(self) -> None:
        """Ends the process and its keeping."""
        self._job, job = None, self._job
        self._become(False)
        if job is not None:
            job.cancel()
            await asyncio.wait((job,))  # Without raising what it may have died of: that is told elsewhere.
        if self._child is not None:
            self._show("stopping")
            await self._child.stop(self._ending(), self._world.hurry)
        self._child = None
        self._show("stopped")

    def _ending(self) -> process.Ending:
        daemon = self.daemon
        return process.Ending(daemon.stop_signal, daemon.grace, daemon.urgent_signal, daemon.patience)

    def _become(self, ready: bool) -> None:
        (self.ready.set if ready else self.ready.clear)()
        self.changed.set()

    async def _keep(self) -> None:
        limit = asyncio.get_running_loop().call_later(self._world.limit, self._overdue)
        try:
            while True:
                why, lived = await self._once()
                await self._pause(why, lived)
        finally:
            limit.cancel()

    async def _pause(self, why: str, lived: float) -> None:
        self._become(False)
        delay = self._backoff.after_death(lived)
        self._restarts += 1
        self._show("restarting", why, retry_at=self._world.clock() + delay)
        if not self._was_ready and self._backoff.deaths >= worlds.DEATHS:
            self._give_up(
                f"{self.instance.name} died {self._backoff.deaths} times before it was ready: {why}{self._mend()}"
            )
        await asyncio.sleep(delay)

    async def _once(self) -> tuple[str, float]:
        """One life; returns why it ended and how many seconds it lasted."""
        try:
            self._guard_ports()
            if self.daemon.kind == "engine":
                self._world.directory.make_data(self.daemon.name)
            files.write((*self.daemon.files, *self.instance.files))
            child = self._spawn()
        except errors.LocalError as error:
            self._tell(f"{self.instance.name} cannot start: {error}")
            self._give_up("")
            return error.what, 0.0
        why = await self._live(child)
        self._child = None
        self._tell(f"{self.instance.name} {why}", child.last_lines())
        return why, child.lived

    def _spawn(self) -> process.Process:
        daemon, name = self.daemon, self.instance.name
        # An engine has data to bring to safety; of the others nothing may stay, whatever they do with signals.
        death = daemon.stop_signal if daemon.kind == "engine" else "SIGKILL"
        grace = daemon.grace
        self._child = self._world.spawn(name, self.instance.command, death=death, stop=daemon.stop_signal, grace=grace)
        self._show("starting", self._purpose())
        return self._child

    async def _live(self, child: process.Process) -> str:
        asking = asyncio.create_task(self._ask())
        try:
            await asyncio.wait((child.exited, asking), return_when=asyncio.FIRST_COMPLETED)
            if child.exited.done():
                return process.words(child.exited.result())
            why = asking.result()
        finally:
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
        self._become(False)
        self._show("stopping", why)
        await child.stop(self._ending(), self._world.hurry)
        return f"was stopped: {why}"

    async def _ask(self) -> str:
        """Asks until a restart is due; returns why."""
        instance = self.instance
        if instance.startup is not None:
            why = await probes.startup(instance.startup, lambda answer: self._heard("startup", answer))
            if why is not None:
                return why
        if instance.readiness is None:
            self._readiness(True, "")
        return await self._ask_both()

    async def _ask_both(self) -> str:
        forever: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        liveness, readiness = self.instance.liveness, self.instance.readiness
        hearing = self._world.job(self._ask_readiness(readiness), "readiness") if readiness else None
        try:
            if liveness is None:
                return await forever
            return await probes.liveness(liveness, lambda answer: self._heard("liveness", answer))
        finally:
            if hearing is not None:
                hearing.cancel()

    async def _ask_readiness(self, probe: units.Probe) -> None:
        await probes.readiness(probe, lambda answer: self._heard("readiness", answer), self._readiness)

    def _readiness(self, ready: bool, said: str) -> None:
        self._was_ready = self._was_ready or ready
        self._become(ready)
        self._show("ready" if ready else "unready", said)

    def _heard(self, question: health.Question, answer: probes.Answer) -> None:
        self._world.heard(self.instance.name, question, answer.passed, answer.said)
        if not answer.passed and not self.ready.is_set() and question != "liveness" and self._child is not None:
            self._show("starting" if not self._was_ready else "unready", f"{self._purpose()} ({answer.said})")

    def _purpose(self) -> str:
        probe = self.instance.startup or self.instance.readiness
        return (probe.purpose if probe else "") or "its readiness"

    def _overdue(self) -> None:
        if not self._was_ready:
            said = self._world.store.instance(self.instance.name)
            why = said.why if said else ""
            self._give_up(f"{self.instance.name} is not ready after {self._world.limit:g} s, waiting for {why}")

    def _give_up(self, text: str) -> None:
        """Says once that it will not come up by itself; it is still kept and started again."""
        if self._told:
            return
        self._told = True
        if text:
            self._tell(text, self._child.last_lines() if self._child else ())
        self._world.fail(self.daemon.name)

    def _mend(self) -> str:
        if self.daemon.kind != "engine":
            return ""
        where = self._world.directory.data / self.daemon.name
        return f"\n      fix: its data are in {where}: mend them, or delete everything with `groundplan down --wipe`"

    def _tell(self, text: str, lines: tuple[str, ...] = ()) -> None:
        log = str(self._world.directory.log(self.instance.name)) if lines else ""
        self._world.notice(self.daemon.name, "error", text, lines, log)

    def _show(self, phase: shown.Phase, why: str = "", *, retry_at: float | None = None) -> None:
        pid = self._child.pid if self._child is not None else None
        self._world.show(
            self.instance.name, self.daemon.name, phase, why, pid=pid, restarts=self._restarts, retry_at=retry_at
        )

    def _guard_ports(self) -> None:
        for port in sorted(listening(self.daemon, self.instance)):
            found = processes.listeners(port)
            foreign = [listener for listener in found if listener.pid not in self._world.ours()] if found else []
            if foreign:
                raise errors.PortTaken(
                    f"port {port} is taken by {foreign[0]}",
                    fix="stop that process, or ask for another port in the plan",
                )


def listening(daemon: units.Daemon, instance: units.Instance) -> set[int]:
    """The ports on which `instance` will listen, as far as its unit tells."""
    probed = [probe.check for probe in (instance.startup, instance.readiness, instance.liveness) if probe]
    urls = [address for _, address in daemon.addresses] + [
        check.url for check in probed if isinstance(check, units.HttpCheck)
    ]
    plain = [check.address for check in probed if isinstance(check, units.TcpCheck | units.GrpcCheck)]
    plain += [value for name, value in instance.command.environment if name.endswith("_LISTEN")]
    return {port for address in (*urls, *plain) if (port := _port(address)) is not None}


def _port(address: str) -> int | None:
    with contextlib.suppress(ValueError):
        return urlsplit(address if "://" in address else f"//{address}").port
    return None
