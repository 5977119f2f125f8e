"""Signals are true: a real Prometheus scrapes the platform as `up --with monitoring` runs it, every query has an
answer, every series was declared, and an alert reaches whoever it is for."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator

import asyncpg
import pytest
import redis

from groundplan.model import service
from groundplan.telemetry import catalogue, queries, targets
from groundplan_runtime import contract
from tests.kubernetes import worlds
from tests.telemetry import asking, debian

PLAYS = 6
"""Of the platform's story, while Prometheus scrapes: the load."""
PATIENCE = 90.0
"""Seconds for everything to have an answer, from the last play."""

pytestmark = pytest.mark.slow


class Running:
    """The payments platform with whoever watches it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PATH": f"{debian.folder()}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *words: str) -> str:
        command = [sys.executable, "-m", "groundplan", *words, "--data", str(self.folder)]
        done = subprocess.run(
            command, env=self.environment, cwd=worlds.ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def shown(self) -> dict:
        return json.loads(self.run("ps", "payments", "--json"))

    def address(self, name: str) -> str:
        return next(url for url in self.instance(name)["addresses"].values() if url.startswith("http"))

    def instance(self, name: str) -> dict:
        return next(each for each in self.shown["instances"] if each["unit"] == name)

    @functools.cached_property
    def prometheus(self) -> asking.Prometheus:
        return asking.Prometheus(self.address("prometheus"))

    def play(self) -> None:
        """The platform's story, once."""
        shown = self.shown
        variables = {"PUBLIC_URL": shown["platform"]["entries"][0][1]}
        for each in shown["instances"]:
            urls = [url for url in each.get("addresses", {}).values() if url.startswith("http")]
            if each["kind"] == "stand-in" and urls:
                variables[contract.url_variable(each["name"])] = urls[0]
        variables["GROUNDPLAN_EXEC"] = f"{sys.executable} -m groundplan exec {worlds.PAYMENTS} --data {self.folder}"
        variables["PYTHONPATH"] = str(worlds.PAYMENTS.parent / "src")
        command = [sys.executable, "-m", "payments.story"]
        done = subprocess.run(
            command, env=self.environment | variables, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("signals") / "data")
    try:
        made.run("up", "payments", "--detach", "--with", "monitoring")
        for _ in range(PLAYS):
            made.play()
            time.sleep(3)  # scrapes come between plays: a rate needs two
        yield made
    finally:
        made.run("down", "payments", "--wipe")


def eventually(found: Callable[[], object], seconds: float) -> object:
    """What `found` returns as soon as it is empty or false no more, or at the end."""
    deadline = time.monotonic() + seconds
    while not (answer := found()) and time.monotonic() < deadline:
        time.sleep(2)
    return answer


def test_every_query_over_what_runs_here_returns_data(running, capsys):
    plan = worlds.payments()
    here, there = asking.split(plan)
    far = asking.elsewhere(plan)
    names = {selector.name for query in there for selector in queries.selectors(query.text)} & far
    left = here

    def all_answered() -> bool:
        nonlocal left
        left = [query for query in left if not running.prometheus.values(query.text)]
        return not left

    eventually(all_answered, PATIENCE)
    with capsys.disabled():
        print(f"\nsignals: {len(here)} queries tried, {len(here) - len(left)} with data, {len(left)} without")
        print(f"signals: {len(there)} more queries need a cluster; their {len(names)} names are in the catalogue")
    assert left == []
    assert len(here) > 150


def test_every_program_exports_what_was_declared_and_nothing_else(running):
    for target in targets.of(worlds.payments()):
        if not isinstance(target.owner, service.Program):
            continue
        declared = {name: labels for metric in target.metrics for name, labels in metric.series().items()}
        series = running.prometheus.get("/api/v1/series", **{"match[]": f'{{job="{target.job}"}}'})
        found = [each for each in series if not _added(each["__name__"])]
        assert {each["__name__"] for each in found} == set(declared), target.job
        for each in found:
            assert set(each) - {"__name__"} <= declared[each["__name__"]] | targets.SCRAPED, each


def test_every_exporter_answers_what_its_catalogue_says(running):
    for target in targets.of(worlds.payments()):
        if target.exports.exporter:
            series = running.prometheus.get("/api/v1/series", **{"match[]": f'{{job="{target.job}"}}'})
            names = {each["__name__"] for each in series}
            catalogued = {name for metric in target.metrics for name in metric.series()}
            assert catalogued - names - RARE == set(), target.job


def test_those_who_watch_answer_what_their_catalogues_say(running):
    for name, job in (("prometheus", "prometheus"), ("alertmanager", "prometheus-alertmanager")):
        series = running.prometheus.get("/api/v1/series", **{"match[]": f'{{job="{job}"}}'})
        labels = {each["__name__"]: set(each) - {"__name__"} for each in series}
        for metric in catalogue.of(name).shapes():
            for shape, declared in metric.series().items():
                assert labels[shape] == declared | (labels[shape] & targets.SCRAPED), shape


RARE = {"redis_errors_total", "redis_target_scrape_request_errors_total"}
"""Series that come about with the first such event."""


def _added(name: str) -> bool:
    return name in ("up", "ALERTS", "ALERTS_FOR_STATE") or name.startswith("scrape_") or ":" in name


def test_prometheus_has_found_nothing_wrong_with_any_rule_or_target(running):
    for group in running.prometheus.get("/api/v1/rules")["groups"]:
        assert [rule.get("lastError") for rule in group["rules"] if rule["health"] == "err"] == []
    unhealthy = [each for each in running.prometheus.get("/api/v1/targets")["activeTargets"] if each["health"] != "up"]
    assert unhealthy == []


def test_the_alert_that_fires_while_all_is_well_fires(running):
    assert running.prometheus.values('ALERTS{alertname="Watchdog", alertstate="firing"}') == [1.0]


async def test_an_exporter_may_look_and_touch_nothing(running):
    files = running.folder / "files"
    password = (files / "postgres-exporter" / "password").read_text()
    place = f"postgresql://_exporter:{password}@{running.instance('postgres')['addresses']['postgres']}"
    looking = await asyncpg.connect(f"{place}/postgres")
    try:
        assert await looking.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query <> ''") > 0
    finally:
        await looking.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(f"{place}/micro_payment")
    address, secret = next(iter(json.loads((files / "redis-exporter" / "passwords.json").read_text()).items()))
    client = redis.Redis.from_url(address, username="_exporter", password=secret)
    assert client.info()["db0"]["keys"] > 0
    for command in (("GET", "rate:x"), ("SET", "rate:x", "1"), ("KEYS", "*"), ("CONFIG", "SET", "maxmemory", "1")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)


def test_an_alert_about_a_service_that_hangs_reaches_its_receiver(running):
    """With the rules as they are, but for their patience: minutes become seconds."""
    rules = running.folder / "files" / "prometheus" / "rules.yml"
    rules.write_text(rules.read_text().replace('"for": "5m"', '"for": "5s"'))
    (watching,) = running.instance("prometheus")["pids"]
    os.kill(watching, signal.SIGHUP)
    (hung,) = running.instance("webhook-sender")["pids"]
    os.kill(hung, signal.SIGSTOP)
    try:
        told = eventually(lambda: alerts_told(running), 60)
    finally:
        with contextlib.suppress(ProcessLookupError):  # its liveness may have failed meanwhile
            os.kill(hung, signal.SIGCONT)
    assert told
    (alert,) = told
    assert alert["labels"]["severity"] == "critical"
    assert alert["labels"]["namespace"] == "services"
    assert alert["annotations"]["summary"] == "webhook-sender is down: not one replica answers"
    assert "logs" in alert["annotations"]["runbook"]


def alerts_told(running: Running) -> list[dict]:
    with urllib.request.urlopen(f"{running.address('webhook-catcher')}/deliveries", timeout=10) as answer:
        came = [each for each in json.loads(answer.read()) if each["path"] == "/alerts/critical"]
    found = [alert for each in came for alert in json.loads(each["body"])["alerts"]]
    wanted = {"alertname": "ServiceDown", "job": "webhook-sender"}
    return [each for each in found if wanted.items() <= each["labels"].items() and each["status"] == "firing"][:1]
