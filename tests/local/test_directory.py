"""The data directory: its lock, its modes, and what happens when it cannot be used."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

from groundplan.local import directory, errors
from tests.local import running


def test_a_second_supervisor_is_refused_with_the_first_ones_pid(ground: running.Ground) -> None:
    first = ground.up(running.plan(running.daemon("api")))
    second = ground.launch(running.plan(running.daemon("other")))
    said = ground.said(second)
    assert second.returncode == 1
    assert f"already running, pid {first.pid}" in said
    assert "fix: use `groundplan up` to update it or `groundplan down` to stop it" in said
    assert ground.state("api") == "ready"


def test_of_many_started_at_once_one_runs(ground: running.Ground) -> None:
    children = [ground.launch(running.plan(running.daemon("api"))) for _ in range(4)]
    running.until(lambda: sum(child.poll() is None for child in children) == 1 and ground.phase() == "up")
    assert sorted(child.poll() or 0 for child in children) == [0, 1, 1, 1]
    ground.down()


def test_everything_in_it_is_the_users_alone(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api", "print('x'); import time; time.sleep(1000)")))
    for path in (ground.place.root, ground.place.secrets, ground.place.files, ground.place.data, ground.place.logs):
        assert path.stat().st_mode & 0o077 == 0, path
    for path in (ground.place.socket, ground.place.lock, ground.place.pids, ground.place.log("api")):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (ground.place.root / ".gitignore").read_text() == "*\n"


def test_a_path_too_long_for_a_socket_falls_back_to_a_short_one(tmp_path: pathlib.Path, ground: running.Ground) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    far = running.Ground(deep)
    try:
        far.up(running.plan(running.daemon("api")))
        assert not far.place.socket.is_relative_to(deep)
        assert len(os.fsencode(far.place.socket)) <= directory.LONGEST_SOCKET_PATH
        assert far.place.socket.parent.stat().st_mode & 0o777 == 0o700
        far.down()
        far.assert_nothing_left()
    finally:
        far.close()


def test_a_short_directory_that_others_could_have_made_is_refused(runtime: pathlib.Path) -> None:
    (runtime / "groundplan").mkdir()
    (runtime / "groundplan").chmod(0o777)
    with pytest.raises(errors.DirectoryUnusable, match="not a directory of this user's alone"):
        directory.short_directory()


def test_an_unreadable_register_is_kept_aside_and_told(ground: running.Ground) -> None:
    ground.place.root.mkdir()
    ground.place.pids.write_text("{garbage")
    ground.up(running.plan(running.daemon("api")))
    assert "pids.json was unreadable; kept as pids.json.unreadable-1" in ground.notices()
    assert (ground.place.root / "pids.json.unreadable-1").read_text() == "{garbage"


def _mounted(ground: running.Ground, options: str, wanted: object) -> subprocess.CompletedProcess[str]:
    """Runs a supervisor whose data directory is a file system of its own, which only it sees."""
    import msgspec

    from groundplan.local import host

    ground.place.root.mkdir()
    launch = msgspec.convert({"directory": str(ground.place.root), "plan": wanted, "limit": 20.0}, host.Launch)
    script = f"mount -t tmpfs -o {options} none {ground.place.root} && exec {sys.executable} -m groundplan.local"
    command = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", script]
    return subprocess.run(
        command, input=msgspec.json.encode(launch).decode(), capture_output=True, text=True, timeout=60, check=False
    )


def test_a_read_only_directory_is_told(ground: running.Ground) -> None:
    done = _mounted(ground, "ro", running.plan(running.daemon("api")))
    assert done.returncode == 1
    assert "not writable" in done.stderr
    assert "fix: make it writable, or use another place: --data DIR" in done.stderr


def test_a_disk_that_is_full_at_the_start_is_told(ground: running.Ground) -> None:
    # Room for the directories (an inode each) and for no data: one page.
    done = _mounted(ground, "size=4k", running.plan(running.daemon("api")))
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "free some space, or use another place: --data DIR" in done.stderr


def test_a_disk_that_fills_up_during_the_start_is_told_and_nothing_is_left(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    fill = f"""
        import os
        out = os.open({str(ground.place.data / "filler")!r}, os.O_CREAT | os.O_WRONLY)
        try:
            while True:
                os.write(out, b"x" * 4096)
        except OSError:
            os.close(out)
        """
    first = running.daemon("first", f"""
        import os, pathlib, time
        pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
        time.sleep(1000)
        """, readiness=running.exists(tmp_path / "pid"))  # fmt: skip
    wanted = running.plan(first, running.task("fill", fill, after=("first",)), running.daemon("api", after=("fill",)))
    done = _mounted(ground, "size=1m", wanted)
    assert done.returncode == 1
    assert "api cannot start: cannot write" in done.stdout
    assert "the disk is full" in done.stdout
    assert "everything is stopped" in done.stdout
    assert not running.lives(int((tmp_path / "pid").read_text()))


def test_a_child_that_is_left_makes_no_second_start_impossible(ground: running.Ground) -> None:
    child = ground.up(running.plan(running.daemon("api")))
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert ground.place.lock.exists()
    assert not directory.is_locked(ground.place)
    ground.up(running.plan(running.daemon("api")))
    assert ground.state("api") == "ready"


def test_the_socket_answers_nonsense_with_an_error_and_goes_on(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api")))
    with socket.socket(socket.AF_UNIX) as link, link.makefile("rwb") as stream:
        link.connect(str(ground.place.socket))
        stream.write(b'{"type": "dance"}\n')
        stream.flush()
        answer = json.loads(stream.readline())
    assert answer["ok"] is False
    assert "not understood" in answer["error"]["what"]
    assert ground.state("api") == "ready"
