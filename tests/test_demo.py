"""`groundplan demo` plays a platform's story on a platform of its own, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

PLAN = """
from groundplan import *
plan = Platform("tale")
space = plan.namespace("all")
space.add(Worker("sleeper", command(["sleep", "1000"])))
plan.tells(command(["sh", "-c", {story!r}]))
"""


def demo(folder: pathlib.Path, story: str) -> subprocess.Popen[str]:
    (folder / "plan.py").write_text(PLAN.format(story=story))
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-m", "groundplan", "demo"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left(folder: pathlib.Path) -> list[str]:
    """Data directories of demos, and processes that know of them."""
    found = [str(path) for path in folder.glob("groundplan-demo-*")]
    for command in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder) in command.read_text(errors="replace") and int(command.parent.name) != os.getpid():
                found.append((command.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(("story", "code"), [("echo told by $GROUNDPLAN_EXEC", 0), ("echo no luck; exit 7", 1)])
def test_it_ends_as_its_story_ends_and_stops_everything(tmp_path, story, code):
    process = demo(tmp_path, story)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert ("told by" in said) == (code == 0)
    assert left(tmp_path) == []


def test_an_interrupt_in_the_middle_stops_everything(tmp_path):
    process = demo(tmp_path, "echo begun > begun; sleep 1000")
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert left(tmp_path) == []


def test_a_platform_without_a_story_says_how_to_add_one(tmp_path):
    (tmp_path / "plan.py").write_text(PLAN.rsplit("plan.tells", 1)[0])
    done = subprocess.run(
        [sys.executable, "-m", "groundplan", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "plan.tells(" in done.stderr
