"""Talks to the supervisor of a data directory, from another process, without an event loop."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import msgspec

from groundplan.local import directory, errors, host, protocol
from groundplan.local.state import events, store

PATIENCE = 10.0
"""Seconds for a supervisor that has said goodbye to be gone."""


def is_running(place: directory.Directory) -> bool:
    """Does a supervisor hold this directory?"""
    return directory.is_locked(place)


@contextlib.contextmanager
def _connected(place: directory.Directory) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        try:
            link.connect(os.fspath(place.socket))
        except OSError as error:
            raise not_running(place) from error
        yield link


def not_running(place: directory.Directory) -> errors.NotRunning:
    if is_running(place):
        pid = directory.holder(place.lock)
        return errors.NotRunning(
            f"the supervisor (pid {pid}) does not answer", fix="it may be starting or ending: try again"
        )
    return errors.NotRunning(
        "nothing runs here", why=f"no supervisor holds {place.root}", fix="start it: groundplan up"
    )


def ask(
    place: directory.Directory, request: protocol.Request, *, deadline: float | None = None
) -> Iterator[protocol.Line]:
    """Sends a request and yields each line of the answer, the Result last.

    Raises NotRunning, and TimeoutError after `deadline` (in seconds of time.monotonic).
    """
    with _connected(place) as link, link.makefile("rb") as stream:
        try:
            link.sendall(protocol.encode(request))
            while True:
                if deadline is not None:
                    link.settimeout(max(0.001, deadline - time.monotonic()))
                line = stream.readline()
                if not line:
                    return
                yield protocol.line_decoder.decode(line)
        except ConnectionError as error:
            raise not_running(place) from error


def result(lines: Iterator[protocol.Line], seen: Callable[[events.Event], None] = lambda _: None) -> protocol.Result:
    """Reads an answer to its end; raises the error that it ends with."""
    for line in lines:
        if isinstance(line, protocol.Result):
            if line.error is not None:
                raise errors.revived(line.error)
            return line
        seen(line)
    raise errors.NotRunning("the supervisor ended before it answered")


def snapshot(place: directory.Directory) -> store.Store:
    """The model as it is now."""
    model = store.Store()
    result(ask(place, protocol.Watch(once=True)), model.publish)
    return model


def watch(place: directory.Directory, *, deadline: float | None = None) -> Iterator[events.Event]:
    """Everything as it is, then every change, until the supervisor ends; raises as `ask` does."""
    for line in ask(place, protocol.Watch(), deadline=deadline):
        if not isinstance(line, protocol.Result):
            yield line


def wait_gone(place: directory.Directory) -> None:
    """Returns when the supervisor has let go of the directory."""
    deadline = time.monotonic() + PATIENCE
    while is_running(place) or place.lock.exists():
        if time.monotonic() > deadline:
            raise errors.LocalError(f"the supervisor (pid {directory.holder(place.lock)}) does not end")
        time.sleep(0.01)


COMMAND = (sys.executable, "-m", "groundplan.local")


def become(launch: host.Launch) -> None:
    """Turns this process into the supervisor: what loading the plan imported is gone with it. Does not return."""
    with tempfile.TemporaryFile() as stream:
        stream.write(msgspec.json.encode(launch))
        stream.seek(0)
        os.dup2(stream.fileno(), 0)
    sys.stdout.flush()
    os.execv(sys.executable, COMMAND)  # noqa: S606


def detach(launch: host.Launch) -> None:
    """Starts a supervisor that outlives this process; returns when it listens, or raises what it died of."""
    child = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    with child.stdin:
        child.stdin.write(msgspec.json.encode(launch))
    line = child.stdout.readline()
    if not line:
        raise errors.LocalError("the supervisor died at its start", why=child.stderr.read().decode(errors="replace"))
    said = msgspec.json.decode(line, type=Handshake)
    if said.error is not None:
        raise errors.revived(said.error)


class Handshake(msgspec.Struct, frozen=True):
    """A detached supervisor's first line."""

    ok: bool
    error: errors.Message | None = None
