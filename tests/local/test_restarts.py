"""What dies or stops answering is started again, with growing delay."""

from __future__ import annotations

import os
import pathlib
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplan.local import backoff, probes
from groundplan.local.plan import units
from tests.local import running


def test_the_delay_doubles_up_to_the_cap() -> None:
    counter = backoff.Backoff()
    delays = [counter.after_death(lived=0.1) for _ in range(12)]
    assert delays == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0]


def test_a_healthy_life_makes_the_delay_short_again() -> None:
    counter = backoff.Backoff()
    for _ in range(6):
        counter.after_death(lived=0.1)
    assert counter.after_death(lived=backoff.HEALTHY) == backoff.FIRST


@given(st.lists(st.floats(0, 1000)))
def test_a_delay_is_never_beyond_the_cap_nor_below_the_first(lives: list[float]) -> None:
    counter = backoff.Backoff()
    assert all(backoff.FIRST <= counter.after_death(lived) <= backoff.CAP for lived in lives)


@given(st.lists(st.booleans()), st.integers(1, 5))
def test_a_verdict_turns_bad_after_so_many_refusals_in_a_row_and_good_at_once(answers: list[bool], limit: int) -> None:
    streak = probes.Streak(limit, passed=True)
    for count, passed in enumerate(answers, start=1):
        verdict = streak.saw(probes.Answer(passed, ""))
        last = answers[max(0, count - limit) : count]
        if passed:
            assert verdict
        elif len(last) == limit and not any(last):
            assert not verdict


def test_a_service_that_dies_is_started_again_and_counts_it(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api")))
    first = ground.pid("api")
    os.kill(first, signal.SIGKILL)
    running.until(lambda: ground.reborn("api", first))
    found = ground.model().instance("api")
    assert found is not None and found.restarts == 1
    assert "api killed by SIGKILL" in ground.notices()


def test_failed_liveness_restarts_and_says_what_the_probe_heard(ground: running.Ground, tmp_path: pathlib.Path) -> None:
    alive = tmp_path / "alive"
    alive.touch()
    liveness = running.exists(alive, period=0.05, failures=2)
    ground.up(running.plan(running.daemon("api", liveness=liveness)))
    first = ground.pid("api")
    alive.unlink()
    running.until(lambda: "its liveness probe failed 2 times: exited with status 1" in ground.notices())
    alive.touch()
    running.until(lambda: ground.reborn("api", first))
    assert not running.lives(first)


def test_failed_readiness_shows_and_restarts_nothing(ground: running.Ground, tmp_path: pathlib.Path) -> None:
    ready = tmp_path / "ready"
    ready.touch()
    ground.up(running.plan(running.daemon("api", readiness=running.exists(ready, period=0.05, failures=1))))
    first = ground.pid("api")
    ready.unlink()
    running.until(lambda: ground.state("api") == "unready")
    ready.touch()
    running.until(lambda: ground.state("api") == "ready")
    assert ground.pid("api") == first


def test_liveness_does_not_count_before_the_startup_probe_has_passed(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    started, never = tmp_path / "started", tmp_path / "never"
    code = f"import pathlib, time; time.sleep(0.5); pathlib.Path({str(started)!r}).touch(); time.sleep(1000)"
    startup = running.exists(started, period=0.1, failures=100)
    liveness = running.exists(never, period=0.05, failures=1)
    ground.up(running.plan(running.daemon("api", code, startup=startup, liveness=liveness)))
    found = ground.model().instance("api")
    assert found is not None and found.restarts == 0
    running.until(lambda: "its liveness probe failed" in ground.notices())


def test_a_startup_probe_that_never_passes_restarts_after_its_time(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    startup = running.exists(tmp_path / "never", period=0.1, failures=3)
    ground.launch(running.plan(running.daemon("api", startup=startup)))
    expected = "api was stopped: its startup probe failed for 0.3 s: exited with status 1"
    running.until(lambda: ground.phase() != "gone" and expected in ground.notices())


@pytest.mark.parametrize("code", ["print('ran')", "raise SystemExit(1)"])
def test_a_schedule_runs_again_and_again_and_a_failed_run_is_only_told(ground: running.Ground, code: str) -> None:
    recurring = units.Schedule(name="reconcile", command=running.python(f"print('begun'); {code}"), every=0.1)
    ground.up(running.plan(recurring))
    running.until(lambda: ground.log("reconcile").count("begun") >= 3)
    assert ground.phase() == "up"
    if "Exit" in code:
        running.until(lambda: "reconcile: exited with status 1" in ground.notices())


def test_a_schedule_never_runs_twice_at_once(ground: running.Ground) -> None:
    code = "import time; print('('); time.sleep(0.4); print(')')"
    ground.up(running.plan(units.Schedule(name="slow", command=running.python(code), every=0.05)))
    running.until(lambda: ground.log("slow").count(")") >= 3)
    ground.down()
    assert "(\n(" not in ground.log("slow")
