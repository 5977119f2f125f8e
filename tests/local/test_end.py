"""Every way in which a platform ends, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import msgspec
import pytest

from groundplan.local import client, errors, host, pids, processes, protocol, supervise
from groundplan.local.plan import units
from tests.local import running

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here'); time.sleep(1000)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_leaves_the_data(ground: running.Ground, number: signal.Signals) -> None:
    child = ground.up(running.plan(running.daemon("engine", kind="engine"), running.daemon("api", after=("engine",))))
    child.send_signal(number)
    ground.said(child)
    assert child.returncode == 130
    ground.assert_nothing_left()
    assert ground.place.data.is_dir()


def test_services_end_before_the_engines_they_use(ground: running.Ground, tmp_path: pathlib.Path) -> None:
    journal = tmp_path / "journal"

    def leave(word: str, pause: float) -> str:
        return f"""
            import signal, sys, time
            def end(*_):
                time.sleep({pause})
                open({str(journal)!r}, "a").write("{word} ")
                sys.exit()
            signal.signal(signal.SIGTERM, end)
            open({str(tmp_path / word)!r}, "w")
            time.sleep(1000)
            """

    ground.up(
        running.plan(
            running.daemon("engine", leave("engine", 0), kind="engine", readiness=running.exists(tmp_path / "engine")),
            running.daemon("api", leave("api", 0.3), readiness=running.exists(tmp_path / "api")),
        )
    )
    assert ground.down().ok
    assert journal.read_text().split() == ["api", "engine"]


def test_one_that_ignores_sigterm_is_killed_after_its_grace(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api", STUBBORN, grace=0.3)))
    running.until(lambda: ground.log("api"))
    assert ground.down().ok
    ground.assert_nothing_left()


def test_one_that_takes_too_long_is_ended_by_its_urgent_signal(ground: running.Ground) -> None:
    code = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, lambda *_: (print("ended at once", flush=True), sys.exit(0)))
        print("here", flush=True)
        time.sleep(1000)
        """
    ground.up(running.plan(running.daemon("engine", code, grace=1000.0, urgent_signal="SIGQUIT", patience=0.1)))
    running.until(lambda: ground.log("engine"))
    assert ground.down().ok
    assert "ended at once" in ground.log("engine")
    ground.assert_nothing_left()


def test_a_second_interrupt_kills_at_once(ground: running.Ground) -> None:
    child = ground.up(running.plan(running.daemon("api", STUBBORN, grace=1000.0)))
    running.until(lambda: ground.log("api"))
    child.send_signal(signal.SIGINT)
    running.until(lambda: ground.state("api") == "stopping")
    child.send_signal(signal.SIGINT)
    ground.said(child)
    assert child.returncode == 130
    ground.assert_nothing_left()


def test_an_interrupt_in_the_middle_of_the_start_ends_what_has_begun(ground: running.Ground) -> None:
    child = ground.launch(
        running.plan(running.daemon("engine", kind="engine"), running.task("slow", running.FOREVER, after=("engine",)))
    )
    running.until(lambda: ground.state("slow") == "running")
    ground.pids()
    child.send_signal(signal.SIGINT)
    ground.said(child)
    assert child.returncode == 130
    ground.assert_nothing_left()


def test_down_says_when_all_is_over_and_wipe_deletes_the_data(ground: running.Ground) -> None:
    child = ground.up(running.plan(running.daemon("api")))
    assert ground.down(wipe=True).ok
    ground.said(child)
    assert child.returncode == 0
    ground.assert_nothing_left()
    assert not ground.place.root.exists()


def test_wipe_deletes_nothing_that_is_not_groundplans(ground: running.Ground) -> None:
    ground.place.root.mkdir()
    (ground.place.root / "thesis.tex").write_text("mine")
    ground.up(running.plan(running.daemon("api")))
    ground.down(wipe=True)
    assert [path.name for path in ground.place.root.iterdir()] == ["thesis.tex"]


def test_a_child_of_a_child_ends_with_it(ground: running.Ground) -> None:
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}])
        print(child.pid)
        time.sleep(1000)
        """
    ground.up(running.plan(running.daemon("api", code)))
    running.until(lambda: len(ground.log("api").split()) == 2)
    grandchild = next(int(word) for word in ground.log("api").split() if word != "here")
    ground.down()
    running.until(lambda: not running.lives(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux; elsewhere the next start collects")
@pytest.mark.parametrize("kind", ["service", "engine", "worker", "stand-in"])
def test_a_killed_supervisor_takes_its_children_with_it(ground: running.Ground, kind: str) -> None:
    code = STUBBORN if kind != "engine" else running.FOREVER
    child = ground.up(running.plan(running.daemon("one", code, kind=kind), running.replicas("two", code, 2, kind=kind)))
    children = ground.pids()
    assert len(children) == 3
    child.kill()
    child.wait()
    running.until(lambda: not any(running.lives(pid) for pid in children.values()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a namespace for those that refuse root")
def test_a_killed_supervisor_takes_children_in_user_namespaces_with_it(ground: running.Ground) -> None:
    command = msgspec.structs.replace(
        running.python(f"import os; print(os.getuid()); {running.FOREVER}"), refuses_root=True
    )
    instance = units.Instance(name="engine", command=command)
    child = ground.up(running.plan(units.Daemon(name="engine", kind="engine", instances=(instance,))))
    running.until(lambda: ground.log("engine") == "1000\n")
    pid = ground.pid("engine")
    child.kill()
    child.wait()
    running.until(lambda: not running.lives(pid))


def test_what_a_killed_supervisor_left_is_collected_at_the_next_start(ground: running.Ground) -> None:
    # An orphan as a killed supervisor leaves it where children do not die with it.
    ground.place.root.mkdir()
    with subprocess.Popen([sys.executable, "-c", STUBBORN], start_new_session=True, stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        register = pids.Register(ground.place.pids)
        register.add("api", orphan.pid, stop_signal="SIGTERM", grace=0.2)
        ground.up(running.plan(running.daemon("api")))
        assert orphan.wait(timeout=running.PATIENCE) == -signal.SIGKILL
        assert f"api: left by an earlier supervisor (pid {orphan.pid}): stopped" in ground.notices()


@pytest.mark.parametrize(("field", "value"), [("started", "1"), ("boot", "another")])
def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone(
    ground: running.Ground, field: str, value: str
) -> None:
    ground.place.root.mkdir()
    with subprocess.Popen([sys.executable, "-c", running.FOREVER], start_new_session=True) as stranger:
        found = processes.stat(stranger.pid)
        assert found is not None
        entry = {"pid": stranger.pid, "started": found.started, "boot": processes.boot(), field: value}
        ground.place.pids.write_bytes(msgspec.json.encode({"api": entry}))
        ground.up(running.plan(running.daemon("api")))
        ground.down()
        assert stranger.poll() is None
        stranger.kill()


def test_an_interrupt_at_the_terminal_does_not_reach_the_children(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api")))
    assert os.getsid(ground.pid("api")) == ground.pid("api")


def test_down_is_quick_for_many_that_end_in_parallel(ground: running.Ground, tmp_path: pathlib.Path) -> None:
    # Each of eight takes half a second to end; that they overlap shows in the order of beginnings and ends.
    journal = tmp_path / "journal"
    code = f"""
        import signal, sys, time
        def end(*_):
            open({str(journal)!r}, "a").write("(")
            time.sleep(0.5)
            open({str(journal)!r}, "a").write(")")
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        print("here")
        time.sleep(1000)
        """
    ground.up(running.plan(*(running.daemon(f"s{index}", code) for index in range(8))))
    running.until(lambda: all(ground.log(f"s{index}") for index in range(8)))
    began = time.monotonic()
    ground.down()
    print(f"{time.monotonic() - began:.2f} s")
    assert journal.read_text() == "(" * 8 + ")" * 8


def test_those_that_watch_and_those_that_wait_are_told_of_the_end(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    ground.up(running.plan(running.daemon("api")))
    slow = running.plan(running.daemon("slow", readiness=running.exists(tmp_path / "never")))
    heard: dict[str, object] = {}

    def watch() -> None:
        heard["watch"] = list(client.ask(ground.place, protocol.Watch()))[-1]

    def update() -> None:
        heard["update"] = list(client.ask(ground.place, protocol.Up(plan=slow, partial=True)))[-1]

    others = [threading.Thread(target=watch), threading.Thread(target=update)]
    for other in others:
        other.start()
    running.until(lambda: ground.state("slow") == "starting")
    assert ground.down().ok
    for other in others:
        other.join(running.PATIENCE)
    assert heard["watch"] == protocol.Result(ok=True)
    refused = heard["update"]
    assert isinstance(refused, protocol.Result) and refused.error is not None
    assert refused.error.what == "the platform is being stopped"


def test_nothing_is_started_any_more_while_everything_stops(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api", STUBBORN, grace=1000.0)))
    running.until(lambda: ground.log("api"))
    down = threading.Thread(target=ground.down)
    down.start()
    running.until(lambda: ground.phase() == "stopping")
    waiting = threading.Thread(target=_ignored, args=(ground,))
    waiting.start()
    os.kill(ground.pid("api"), signal.SIGKILL)
    for thread in (down, waiting):
        thread.join(running.PATIENCE)
    assert ground.log("late") == ""
    ground.assert_nothing_left()


def _ignored(ground: running.Ground) -> None:
    with contextlib.suppress(errors.LocalError):
        ground.again(running.plan(running.task("late", "print('started')")))


def test_a_grandchild_that_outlived_a_killed_supervisor_is_collected_at_the_next_start(ground: running.Ground) -> None:
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}])
        print(child.pid)
        time.sleep(1000)
        """
    child = ground.up(running.plan(running.daemon("api", code)))
    running.until(lambda: len(ground.log("api").split()) == 2)
    grandchild = next(int(word) for word in ground.log("api").split() if word != "here")
    child.kill()
    child.wait()
    ground.up(running.plan(running.daemon("other")))
    running.until(lambda: not running.lives(grandchild))


async def test_a_mistake_in_the_supervisor_itself_is_raised_and_leaves_nothing(
    ground: running.Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    started = tmp_path / "started"

    async def broken(_: supervise.Supervisor) -> None:
        while not started.exists():
            await asyncio.sleep(0.01)
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(supervise.Supervisor, "rotate", broken)
    code = f"""
        import os, pathlib, time
        written = pathlib.Path({str(tmp_path / "written")!r})
        written.write_text(str(os.getpid()))
        written.rename({str(started)!r})  # whole, or not there
        time.sleep(1000)
        """
    wanted = running.plan(running.daemon("api", code))
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        await host.serve(host.Launch(directory=str(ground.place.root), plan=wanted))
    running.until(lambda: not running.lives(int(started.read_text())))
    ground.assert_nothing_left()
