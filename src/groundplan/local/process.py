"""One child process: started in a session of its own, watched, stopped with its whole group."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from groundplan.local import commands, errors, tails
from groundplan.local.plan import units


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a child is ended: the signal, after `patience` the urgent one (if any), after `grace` SIGKILL; in seconds."""

    signal: str
    grace: float
    urgent: str = ""
    patience: float = 0.0

    def steps(self) -> tuple[tuple[str, float], ...]:
        """Signals, and how long each is waited for."""
        if not self.urgent:
            return ((self.signal, self.grace),)
        return ((self.signal, self.patience), (self.urgent, max(0.0, self.grace - self.patience)))


class Process:
    """A running child. `exited` becomes its status: the exit code, or minus the signal's number."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path, written: int) -> None:
        self._child = child
        self.pid = child.pid
        self.log = log
        self._written = written
        self._began = time.monotonic()
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._watch()

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # Kernels before 5.3.
                descriptor = os.pidfd_open(self.pid)
                loop.add_reader(descriptor, self._on_end, descriptor)
                return
        threading.Thread(target=self._wait_in_thread, args=(loop,), daemon=True).start()

    def _on_end(self, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self._collect()

    def _wait_in_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        if hasattr(os, "waitid"):  # Not on macOS; there the child is reaped before its group is ended.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._child.wait()
        with contextlib.suppress(RuntimeError):  # The loop has ended; so has everything else.
            loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        # Before it is reaped: until then nobody else can get its number, so the group is still ours.
        self._signal_group(signal.SIGKILL)
        status = self._child.wait()
        if not self.exited.done():
            self.exited.set_result(status)

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._began

    def last_lines(self, count: int = tails.LINES) -> tuple[str, ...]:
        """What this process wrote last."""
        return tails.last_lines(self.log, self._written, count)

    def interrupt(self, name: str) -> None:
        """Sends the signal to the process, not to its group: whoever has children ends them."""
        if not self.exited.done():
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.Signals[name])

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if not self.exited.done():
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def stop(self, ending: Ending, hurry: asyncio.Event) -> bool:
        """Ends it: the signal, the urgent one where there is one, SIGKILL. Returns whether that was needed.

        `hurry` cuts all patience short.
        """
        hurried = asyncio.ensure_future(hurry.wait())
        try:
            for name, patience in ending.steps():
                if not (self.exited.done() or hurried.done()):
                    self.interrupt(name)
                    waited = (self.exited, hurried)
                    await asyncio.wait(waited, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurried.cancel()
        needed = not self.exited.done()
        self.kill()
        await self.exited
        return needed


def start(command: units.Command, log: Path, death_signal: str | None) -> Process:
    """Starts `command`, its output going straight to the end of `log`; raises NotStarted, DiskFull and their kin.

    To be called in the main thread: PR_SET_PDEATHSIG is about the thread that started the child.
    """
    argv, environment = commands.argv(command, death_signal), commands.environment(command)
    try:
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab") as output:
            written = output.tell()
            child = _spawn(argv, environment, command.directory, output.fileno())
    except OSError as error:
        raise errors.from_os(error, f"start {command.argv[0]} with its log in {log}") from error
    return Process(child, log, written)


def _spawn(
    argv: list[str], environment: Mapping[str, str], directory: str | None, output: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def words(status: int) -> str:
    """An exit status for people."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
        return f"killed by signal {-status}"
    return f"exited with status {status}"
