"""`up --with monitoring`: who watches a platform here, with files that the real programs take."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from hypothesis import given

from groundplan import Platform, Receivers
from groundplan.local.plan import lower, monitoring, site, units
from groundplan.model import platform
from groundplan.secrets import supplied
from groundplan.telemetry import routing
from tests import sites, strategies
from tests.kubernetes import worlds
from tests.telemetry import debian


def watched(plan: platform.Platform, only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> units.LocalPlan:
    here = sites.imagined(plan)
    names = [*monitoring.ports(plan)]
    found = {
        name: site.Found(wanted, {each: f"/bin/{each}" for each in wanted.programs}, wanted.product, "1.2", "nowhere")
        for name, wanted, _ in monitoring.binaries(plan)
        if name not in without
    }
    here = dataclasses.replace(
        here,
        programs={**here.programs, **found},
        ports={**{name: 20000 + number for number, name in enumerate(names)}, **here.ports},
    )
    return lower.lower(here, only, monitored=True)


def monitors(plan: units.LocalPlan) -> dict[str, units.Daemon]:
    return {unit.name: unit for unit in plan.units if isinstance(unit, units.Daemon) and unit.kind == "monitor"}


def contents(daemon: units.Daemon) -> dict[str, str]:
    return {pathlib.PurePath(file.path).name: file.content for file in daemon.files}


@given(strategies.drawings())
def test_every_replica_that_answers_on_a_metrics_port_is_scraped(drawing):
    plan = strategies.declare(drawing)
    settings = json.loads(contents(monitors(watched(plan))["prometheus"])["prometheus.yml"])
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in settings["scrape_configs"]}
    for program in plan.programs:
        if "metrics" in program.ports:
            assert len(jobs[program.name]) == program.replicas


@given(strategies.drawings())
def test_whatever_a_monitor_comes_after_is_there(drawing):
    plan = watched(strategies.declare(drawing))
    names = {unit.name for unit in plan.units}
    for daemon in monitors(plan).values():
        assert set(daemon.after) <= names


def test_the_real_programs_take_the_files(tmp_path):
    found = monitors(watched(worlds.payments()))
    for daemon in (found["prometheus"], found["prometheus-alertmanager"]):
        for name, content in contents(daemon).items():
            (tmp_path / name).write_text(content)
    for command in (
        ["promtool", "check", "config", "prometheus.yml"],
        ["amtool", "check-config", "alertmanager.yml"],
    ):
        argv = [debian.program(command[0]), *command[1:]]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_alert_goes_where_its_severity_says(tmp_path):
    found = monitors(watched(worlds.payments()))["prometheus-alertmanager"]
    (tmp_path / "alertmanager.yml").write_text(contents(found)["alertmanager.yml"])
    for severity, receiver in (*((each, each) for each in ("critical", "warning", "info")), ("none", "nobody")):
        argv = [debian.program("amtool"), "config", "routes", "test", f"severity={severity}", "job=web"]
        argv += [f"--config.file={tmp_path / 'alertmanager.yml'}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.strip() == receiver


def test_nobody_listens_but_on_the_loopback():
    for daemon in monitors(watched(worlds.payments())).values():
        listens = [word for word in daemon.instances[0].command.argv if "listen-address=" in word]
        assert listens
        assert all(word.endswith("listen-address=") or "=127.0.0.1:" in word for word in listens)


def test_an_exporters_password_stands_in_a_file_alone():
    for daemon in monitors(watched(worlds.payments())).values():
        command = daemon.instances[0].command
        assert "<secret" not in repr((command.argv, command.environment))
        assert all(file.secret for file in daemon.files if "<secret" in file.content)


def test_an_exporter_that_is_not_installed_is_left_out():
    plan = worlds.payments()
    lacking = watched(plan, without=("redis-exporter", "node-exporter"))
    assert set(monitors(watched(plan))) - set(monitors(lacking)) == {"redis-exporter", "node-exporter"}
    settings = json.loads(contents(monitors(lacking)["prometheus"])["prometheus.yml"])
    assert "redis-exporter" not in {job["job_name"] for job in settings["scrape_configs"]}


def test_only_what_runs_is_watched():
    some = watched(worlds.payments(), only=("tokenization-service",))
    settings = json.loads(contents(monitors(some)["prometheus"])["prometheus.yml"])
    jobs = {job["job_name"] for job in settings["scrape_configs"]}
    watching = {"prometheus", "prometheus-alertmanager", "node-exporter"}
    assert jobs == {"tokenization-service", "postgres-exporter", "redis-exporter", *watching}


def test_where_prometheus_is_missing_one_line_says_how_to_install_it(tmp_path):
    command = [sys.executable, "-m", "groundplan", "up", "payments", "--with", "monitoring", "--data", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=worlds.ROOT,
        env={**os.environ, "PATH": str(pathlib.Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "fix: sudo apt-get install prometheus prometheus-alertmanager" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_clusters_alertmanager_reads_what_is_secret_from_files_and_is_taken_by_the_real_one(tmp_path):
    by = receivers()
    told = routing.told(by, "/receivers")
    files = {f"/receivers/{file.name}" for file in by.files()}
    assert set(named(told)) == files and len(files) == 4
    assert set(told["critical"]) == {"email_configs", "slack_configs"}
    assert set(told["warning"]) == {"email_configs"}
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps(routing.tree(told)))
    assert amtool("check-config", str(file)).startswith("Checking")
    for labels, receiver in (
        (("alertname=Watchdog", "severity=none"), "watchdog"),
        (("alertname=InfoInhibitor", "severity=none"), "nobody"),
        (("alertname=ServiceDown", "severity=critical"), "critical"),
        (("alertname=HighLatency", "severity=warning"), "warning"),
        (("alertname=CardTesting", "severity=info"), "info"),
    ):
        assert amtool("config", "routes", "test", f"--config.file={file}", *labels).split() == [receiver]


def receivers() -> Receivers:
    plan = Platform("shop")
    kept = {name: plan.secret(f"alerts/{name}", supplied()) for name in ("password", "slack", "webhook", "watchdog")}
    where = {"mail": "oncall@example.com", "sender": "alerts@example.com", "smarthost": "smtp.example.com:587"}
    return Receivers(**where, user="a", **kept)


def named(told: dict) -> list[str]:
    return re.findall(r"/receivers/[a-z-]+", json.dumps(told))


def amtool(*words: str) -> str:
    done = subprocess.run([debian.program("amtool"), *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_only_where_somebody_is_told_may_alertmanager_call_outside():
    for one in worlds.payments_lowered():
        (release,) = [each for each in one.releases if each.component == "prometheus"]
        policies = {made.key.name for made in one.objects if made.key.kind == "NetworkPolicy"}
        is_told = one.environment == "production"
        assert ("alertmanager" in release.values) is is_told
        assert ("prometheus-callers" in policies) is is_told


BOARD = 'Board("b", "b", (("", (Panel("Odd", {"": "rate(odd_total[5m])"}),)),))'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'plan.namespace("all").add(Worker("prometheus-alertmanager", command(["sleep", "9"])))',
            "GP102 component prometheus-alertmanager",
        ),
        (f"plan.watch({BOARD})", "nobody exports odd_total"),
    ],
)
def test_a_plan_that_cannot_be_watched_is_found_before_anything_starts(tmp_path, line, said):
    (tmp_path / "plan.py").write_text(f'from groundplan import *\nplan = Platform("odd")\n{line}\n')
    command = [sys.executable, "-m", "groundplan", "up", str(tmp_path), "--with", "monitoring", "--data"]
    done = subprocess.run([*command, str(tmp_path / "data")], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr
