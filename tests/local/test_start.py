"""What comes before what, and what a start that goes wrong says."""

from __future__ import annotations

import pathlib

import pytest

from groundplan.local.plan import units
from tests.local import running


def test_a_unit_starts_only_when_all_before_it_are_done_or_ready(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    journal, flag = tmp_path / "journal", tmp_path / "flag"

    def write(word: str, then: str = "pass") -> str:
        return f"import time\nopen({str(journal)!r}, 'a').write('{word} ')\n{then}"

    engine = write("engine", f"time.sleep(0.3); open({str(journal)!r}, 'a').write('engine-ready '); open({str(flag)!r}, 'w'); time.sleep(1000)")  # fmt: skip  # noqa: E501
    ground.up(
        running.plan(
            running.daemon("api", write("api", "time.sleep(1000)"), after=("migrate",)),
            running.task("migrate", write("migrate"), after=("engine",)),
            running.daemon("engine", engine, after=("init",), kind="engine", readiness=running.exists(flag)),
            running.task("init", write("init")),
        )
    )
    running.until(lambda: "api" in journal.read_text())
    assert journal.read_text().split() == ["init", "engine", "engine-ready", "migrate", "api"]


def test_units_that_wait_for_nothing_in_common_start_at_the_same_time(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    # Each ends only when it has seen the other: one after the other they would never end.
    def meet(mine: str, other: str) -> str:
        return f"""
            import pathlib, time
            pathlib.Path({str(tmp_path / mine)!r}).touch()
            while not pathlib.Path({str(tmp_path / other)!r}).exists():
                time.sleep(0.01)
            """

    ground.up(running.plan(running.task("a", meet("a", "b")), running.task("b", meet("b", "a"))))
    assert (ground.state("a"), ground.state("b")) == ("done", "done")


def test_a_task_is_not_run_when_what_it_creates_is_there(ground: running.Ground, tmp_path: pathlib.Path) -> None:
    (tmp_path / "there").touch()
    ground.up(running.plan(running.task("init", "raise SystemExit(1)", creates=str(tmp_path / "there"))))
    assert ground.state("init") == "done"


def test_a_task_that_fails_is_shown_with_its_last_lines_and_everything_stops(ground: running.Ground) -> None:
    child = ground.launch(
        running.plan(
            running.daemon("engine", kind="engine"),
            running.task("migrate", "print('relation \"card\" exists'); raise SystemExit(3)", after=("engine",)),
            running.daemon("api", after=("migrate",)),
        )
    )
    said = ground.said(child)
    assert child.returncode == 1
    assert "migrate failed (doing migrate): exited with status 3" in said
    assert 'relation "card" exists' in said
    assert "migrate did not start: everything is stopped" in said
    assert ground.log("api") == ""
    ground.assert_nothing_left()


def test_a_task_that_does_not_end_in_time_is_stopped_and_has_failed(ground: running.Ground) -> None:
    child = ground.launch(running.plan(running.task("slow", running.FOREVER, timeout=0.3)))
    assert "slow failed (doing slow): did not end in 0.3 s" in ground.said(child)
    assert child.returncode == 1


def test_a_crash_shows_its_last_lines_at_once(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api", kind="service")))
    crash = running.daemon("crash", "print('one'); print('KeyError: amount'); raise SystemExit(7)")
    ground.again(running.plan(running.daemon("api"), crash))
    running.until(lambda: "crash exited with status 7\none\nKeyError: amount" in ground.notices())


def test_a_service_that_dies_again_and_again_before_it_is_ready_ends_the_start(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    never = running.exists(tmp_path / "never", purpose="answering")
    child = ground.launch(running.plan(running.daemon("api", "raise SystemExit('no DSN')", readiness=never)))
    said = ground.said(child)
    assert child.returncode == 1
    assert "api died 5 times before it was ready: exited with status 1" in said
    assert "no DSN" in said
    ground.assert_nothing_left()


def test_a_service_that_never_becomes_ready_is_named_with_what_it_waits_for(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    never = running.exists(tmp_path / "never", purpose="accepting connections")
    code = f"print('connecting to the moon'); {running.FOREVER}"
    child = ground.launch(running.plan(running.daemon("api", code, readiness=never)), limit=1.0)
    said = ground.said(child)
    assert child.returncode == 1
    assert "api is not ready after 1 s, waiting for accepting connections (exited with status 1)" in said
    assert "connecting to the moon" in said
    assert "api did not start: everything is stopped" in said
    ground.assert_nothing_left()


def test_units_that_wait_for_each_other_or_for_nobody_are_named_before_anything_starts(ground: running.Ground) -> None:
    child = ground.launch(
        running.plan(
            running.daemon("a", after=("b",)), running.daemon("b", after=("a",)), running.daemon("c", after=("nobody",))
        )
    )
    said = ground.said(child)
    assert child.returncode == 1
    assert "a circular wait: " in said
    assert "c waits for nobody, which is not in the plan" in said
    ground.assert_nothing_left()


def test_a_missing_program_is_named(ground: running.Ground) -> None:
    lost = units.Instance(name="api", command=units.Command(argv=("no-such-program",)))
    child = ground.launch(running.plan(units.Daemon(name="api", kind="service", instances=(lost,))))
    said = ground.said(child)
    assert child.returncode == 1
    assert "api cannot start: there is no program no-such-program" in said
    ground.assert_nothing_left()


def test_files_are_there_with_their_mode_before_the_unit_starts(ground: running.Ground) -> None:
    secret = units.File(path=str(ground.place.secrets / "api" / "dsn"), content="postgres://", secret=True)
    code = f"print(oct(__import__('os').stat({secret.path!r}).st_mode), open({secret.path!r}).read())"
    ground.up(running.plan(running.task("read", code, files=(secret,))))
    assert ground.log("read") == "0o100600 postgres://\n"
    assert (ground.place.secrets / "api").stat().st_mode & 0o777 == 0o700


def test_a_child_sees_its_own_variables_and_few_of_its_callers(
    ground: running.Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDPLAN_TEST_LEAK", "leaked")
    code = "import os; print(sorted(set(os.environ) & {'PATH', 'MINE', 'GROUNDPLAN_TEST_LEAK'}))"
    ground.up(running.plan(running.task("look", code, command=running.python(code, MINE="1"))))
    assert ground.log("look") == "['MINE', 'PATH']\n"
