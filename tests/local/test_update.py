"""What a second `up` does, and what it leaves alone."""

from __future__ import annotations

import pathlib
import re
import sys

from groundplan.local import errors
from groundplan.local.plan import units
from tests.local import running

SAY = "import sys, time; print(sys.argv); time.sleep(1000)"


def shop(migration: str = "1", api: str = "1", engine: str = "1") -> units.LocalPlan:
    """An engine, a migration in it, a service behind that, and one on its own."""
    return running.plan(
        running.daemon("engine", f"{running.FOREVER} # {engine}", kind="engine"),
        running.task("migrate", f"print('migrated to {migration}')", after=("engine",)),
        running.daemon("api", f"{running.FOREVER} # {api}", after=("migrate",)),
        running.daemon("site", needs=("api",)),
    )


def test_the_same_plan_again_changes_nothing_and_says_so(ground: running.Ground) -> None:
    ground.up(shop())
    before = ground.pids()
    assert ground.again(shop()).did == ()
    assert ground.pids() == before
    assert ground.log("migrate") == "migrated to 1\n"


def test_a_changed_service_restarts_alone(ground: running.Ground) -> None:
    ground.up(shop())
    before = ground.pids()
    assert ground.again(shop(api="2")).did == ("restarted api (changed)",)
    after = ground.pids()
    assert {name for name in after if after[name] != before[name]} == {"api"}


def test_a_changed_migration_runs_again_and_restarts_what_comes_after_it(ground: running.Ground) -> None:
    ground.up(shop())
    before = ground.pids()
    assert ground.again(shop(migration="2")).did == ("ran again migrate (changed)", "restarted api (after migrate)")
    after = ground.pids()
    assert {name for name in after if after[name] != before[name]} == {"api"}
    assert ground.log("migrate") == "migrated to 1\nmigrated to 2\n"


def test_a_changed_engine_restarts_and_its_tasks_run_again_but_no_service_restarts(ground: running.Ground) -> None:
    ground.up(shop())
    before = ground.pids()
    assert ground.again(shop(engine="2")).did == ("restarted engine (changed)", "ran again migrate (after engine)")
    after = ground.pids()
    assert {name for name in after if after[name] != before[name]} == {"engine"}


def test_what_is_no_longer_in_the_plan_is_stopped_and_forgotten(ground: running.Ground) -> None:
    ground.up(shop())
    gone = ground.pids()["site"]
    left = running.plan(*(unit for unit in shop().units if unit.name != "site"))
    assert ground.again(left).did == ("stopped site",)
    assert not running.lives(gone)
    assert ground.state("site") == "unknown"


def test_a_part_of_the_plan_leaves_the_rest_running(ground: running.Ground) -> None:
    ground.up(shop())
    before = ground.pids()
    part = running.plan(*(unit for unit in shop(api="2").units if unit.name != "site"))
    assert ground.again(part, partial=True).did == ("restarted api (changed)",)
    assert ground.pids()["site"] == before["site"]


def test_a_failed_task_runs_again_though_nothing_changed(ground: running.Ground, tmp_path: pathlib.Path) -> None:
    code = f"import os, sys; sys.exit(not os.path.exists({str(tmp_path / 'mended')!r}))"
    wanted = running.plan(running.task("migrate", code), running.daemon("api", after=("migrate",)))
    ground.up(running.plan(running.daemon("other")))
    first = ground.again(wanted)
    assert (first.ok, first.failed) == (False, ("migrate",))
    assert ground.state("api") == "waiting"
    (tmp_path / "mended").touch()
    second = ground.again(wanted)
    assert second.ok
    assert "ran again migrate (as asked)" in second.did
    assert ground.state("api") == "ready"


def test_a_plan_that_cannot_run_changes_nothing(ground: running.Ground) -> None:
    ground.up(shop())
    before = ground.pids()
    try:
        ground.again(running.plan(running.daemon("api", after=("nobody",))))
    except errors.PlanUnusable as error:
        assert "api waits for nobody" in str(error)
    else:
        raise AssertionError("it was taken")
    assert ground.pids() == before


def test_new_words_about_a_unit_restart_nothing(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api", origin="plan.py:3")))
    before = ground.pids()
    assert ground.again(running.plan(running.daemon("api", origin="plan.py:4", runs="Python"))).did == ()
    assert ground.pids() == before
    described = ground.model().unit("api")
    assert described is not None and described.origin == "plan.py:4"


def test_a_rolling_restart_has_one_replica_ready_at_every_moment(
    ground: running.Ground, tmp_path: pathlib.Path
) -> None:
    # A replica writes when it serves, and when it has ended.
    journal = tmp_path / "journal"
    code = f"""
        import pathlib, signal, sys, time
        flag = pathlib.Path({str(tmp_path)!r}, f"ready-{{sys.argv[1]}}")
        def end(*_):
            flag.unlink()
            open({str(journal)!r}, "a").write(f"- {{sys.argv[1]}}\\n")
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        open({str(journal)!r}, "a").write(f"+ {{sys.argv[1]}}\\n")
        flag.touch()
        time.sleep(1000)
    """
    ready = [running.exists(tmp_path / f"ready-api-{index}") for index in range(3)]
    found = tuple(
        units.Instance(name=f"api-{i}", command=running.python(code, f"api-{i}"), readiness=ready[i]) for i in range(3)
    )
    ground.up(running.plan(units.Daemon(name="api", kind="service", instances=found)))
    before = ground.pids()
    assert ground.restart("api").did == ("restarted api",)
    assert not set(before.values()) & set(ground.pids().values())
    serving, fewest = 0, []
    for line in journal.read_text().splitlines():
        serving += 1 if line.startswith("+") else -1
        fewest.append(serving)
    assert serving == 3
    assert min(fewest[3:]) == 2
    assert re.findall(r"[+-] api-\d", journal.read_text())[3:] == [
        "- api-0", "+ api-0", "- api-1", "+ api-1", "- api-2", "+ api-2",
    ]  # fmt: skip


def test_more_replicas_are_added_beside_those_that_run(ground: running.Ground) -> None:
    ground.up(running.plan(running.replicas("api", SAY, 2)))
    before = ground.pids()
    assert ground.again(running.plan(running.replicas("api", SAY, 3))).did == ("adjusted api (2 → 3 instances)",)
    after = ground.pids()
    assert {name: after[name] for name in before} == before
    assert ground.again(running.plan(running.replicas("api", SAY, 1))).did == ("adjusted api (3 → 1 instances)",)
    assert set(ground.pids()) == {"api-0"}


def test_restarting_an_unknown_service_says_which_one_is_meant(ground: running.Ground) -> None:
    ground.up(shop())
    try:
        ground.restart("apy")
    except errors.UnknownName as error:
        assert "did you mean api?" in str(error)
    else:
        raise AssertionError("it was taken")


def test_an_update_in_the_middle_of_a_roll_ends_at_the_newest_plan(ground: running.Ground) -> None:
    import threading

    def version(word: str) -> units.LocalPlan:
        return running.plan(running.replicas("api", f"{SAY} # {word}", 2, drain=0.2))

    ground.up(version("one"))
    other = threading.Thread(target=ground.again, args=(version("two"),))
    other.start()
    running.until(lambda: "stopping" in (ground.state("api-0"), ground.state("api-1")) or not other.is_alive())
    assert ground.again(version("three")).ok
    other.join(running.PATIENCE)
    for pid in ground.pids().values():
        assert "# three" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    assert sys.platform == "linux"


def test_restarting_one_is_not_blamed_for_the_failure_of_another(ground: running.Ground) -> None:
    ground.up(shop())
    assert not ground.again(running.plan(*shop().units, running.task("bad", "raise SystemExit(1)"))).ok
    assert ground.restart("site").ok
