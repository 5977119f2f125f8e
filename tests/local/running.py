"""Runs hand-made plans under a real supervisor: plans from small scripts, and what happened, asked of it."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable

import msgspec

from groundplan.local import client, directory, errors, host, processes, protocol
from groundplan.local.plan import units
from groundplan.local.state import store
from groundplan.local.state import units as shown

PATIENCE = 30.0
"""Seconds before a test that waits for something gives up: a bound, never a measure."""


def python(code: str, *arguments: str, **environment: str) -> units.Command:
    """A small Python program."""
    argv = (sys.executable, "-c", textwrap.dedent(code), *arguments)
    return units.Command(argv=argv, environment=tuple(environment.items()))


def task(name: str, code: str, after: Iterable[str] = (), **more: object) -> units.Task:
    settings: dict[str, object] = {
        "name": name,
        "title": f"doing {name}",
        "owner": name,
        "after": tuple(after),
        "command": python(code),
    }
    return msgspec.convert({**settings, **more}, units.Task)


FOREVER = "import time; time.sleep(1000)"


def daemon(name: str, code: str = FOREVER, after: Iterable[str] = (), **more: object) -> units.Daemon:
    """A daemon of one instance; `more` may hold fields of either."""
    probes: dict[str, object] = {key: more.pop(key) for key in ("startup", "readiness", "liveness") if key in more}
    instance = msgspec.convert({"name": name, "command": python(code), **probes}, units.Instance)
    settings: dict[str, object] = {"name": name, "kind": "service", "after": tuple(after), "instances": (instance,)}
    return msgspec.convert({**settings, **more}, units.Daemon)


def replicas(name: str, code: str, count: int, readiness: units.Probe | None = None, **more: object) -> units.Daemon:
    found = tuple(
        units.Instance(name=f"{name}-{index}", command=python(code, f"{name}-{index}"), readiness=readiness)
        for index in range(count)
    )
    settings: dict[str, object] = {"name": name, "kind": "service", "instances": found}
    return msgspec.convert({**settings, **more}, units.Daemon)


def plan(*all_units: units.Unit, **more: object) -> units.LocalPlan:
    return msgspec.convert({"platform": "tried", "environment": "local", "units": all_units, **more}, units.LocalPlan)


def exists(path: pathlib.Path, **more: object) -> units.Probe:
    """Passes when `path` is there."""
    command = units.Command(argv=("test", "-e", str(path)))
    settings: dict[str, object] = {"check": units.ExecCheck(command=command), "period": 0.1, "timeout": 5.0, **more}
    return msgspec.convert(settings, units.Probe)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(said: Callable[[], object], what: str = "what the test waits for") -> None:
    """Returns when `said` is true; asks often, fails after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not said():
        assert time.monotonic() < deadline, f"{what} did not happen in {PATIENCE:g} s"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    found = processes.stat(pid)
    return found is not None and found.alive


class Ground:
    """A data directory and the supervisors started on it."""

    def __init__(self, root: pathlib.Path, prefix: tuple[str, ...] = ()) -> None:
        self._prefix = prefix
        self.place = directory.Directory(root)
        self._started: list[subprocess.Popen[str]] = []
        self._children: set[int] = set()

    def launch(self, wanted: units.LocalPlan, **more: object) -> subprocess.Popen[str]:
        """Starts a supervisor in the foreground, as `groundplan up` becomes one."""
        settings: dict[str, object] = {"directory": str(self.place.root), "plan": wanted, "limit": 20.0, **more}
        launch = msgspec.convert(settings, host.Launch)
        child = subprocess.Popen(
            [*self._prefix, *client.COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(child)
        assert child.stdin is not None
        child.stdin.write(msgspec.json.encode(launch).decode())
        child.stdin.close()
        child.stdin = None
        return child

    def up(self, wanted: units.LocalPlan, **more: object) -> subprocess.Popen[str]:
        """Starts a supervisor; returns when everything is ready."""
        child = self.launch(wanted, **more)
        until(lambda: self.phase() == "up" or child.poll() is not None, "getting ready")
        assert child.poll() is None, self.said(child)
        self.pids()
        return child

    def again(self, wanted: units.LocalPlan, *, partial: bool = False) -> protocol.Result:
        """A second `up`."""
        done = client.result(client.ask(self.place, protocol.Up(plan=wanted, partial=partial)))
        self.pids()
        return done

    def restart(self, *names: str) -> protocol.Result:
        return client.result(client.ask(self.place, protocol.Restart(names=names)))

    def down(self, *, wipe: bool = False) -> protocol.Result:
        done = client.result(client.ask(self.place, protocol.Down(wipe=wipe)))
        client.wait_gone(self.place)
        return done

    def model(self) -> store.Store:
        return client.snapshot(self.place)

    def phase(self) -> str:
        try:
            platform = self.model().platform()
        except errors.NotRunning:
            return "gone"
        return platform.phase if platform else "unknown"

    def state(self, instance: str) -> str:
        try:
            found = self.model().instance(instance)
        except errors.NotRunning:
            return "gone"
        return found.phase if found else "unknown"

    def pid(self, instance: str) -> int:
        found = self.model().instance(instance)
        assert found is not None and found.pid is not None, f"{instance} does not run: {found}"
        self._children.add(found.pid)
        return found.pid

    def reborn(self, instance: str, former: int) -> bool:
        """Is it ready again, as another process?"""
        found = self.model().instance(instance)
        return found is not None and found.phase == "ready" and found.pid != former

    def pids(self) -> dict[str, int]:
        try:
            found = {i.name: i.pid for i in self.model().all(shown.Instance) if i.pid}
        except errors.NotRunning:
            return {}
        self._children.update(found.values())
        return found

    def notices(self) -> str:
        return "\n".join("\n".join((notice.text, *notice.lines)) for notice in self.model().notices)

    def said(self, child: subprocess.Popen[str]) -> str:
        """All that a supervisor printed, once it has ended."""
        output, _ = child.communicate(timeout=PATIENCE)
        return output

    def log(self, instance: str) -> str:
        path = self.place.log(instance)
        return path.read_text() if path.exists() else ""

    def assert_nothing_left(self) -> None:
        """No process, no socket, no lock."""
        until(lambda: not any(lives(pid) for pid in self._children), "the end of every child")
        assert not self.place.lock.exists()
        assert not self.place.socket.exists()
        assert not self.place.pids.exists()

    def close(self) -> None:
        for child in self._started:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(timeout=PATIENCE)
                except subprocess.TimeoutExpired:
                    child.kill()
            if child.stdout is not None:
                child.stdout.close()
        for pid in self._children:
            if lives(pid):
                os.kill(pid, signal.SIGKILL)
