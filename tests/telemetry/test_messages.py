"""Messages: a real Alertmanager, with the configuration of a cluster, tells each what is for them, and reads where to
from files."""

from __future__ import annotations

import contextlib
import http.server
import json
import pathlib
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from groundplan import Platform, Receivers
from groundplan.secrets import supplied
from groundplan.shapes import alerts
from groundplan.telemetry import routing
from tests.telemetry import debian

SAID = {"mail": "oncall@example.com", "sender": "alerts@example.com", "smarthost": "127.0.0.1:9", "user": "alerts"}
"""Port 9 discards what comes, where anybody listens at all: no mail is sent."""
PATIENCE = 30.0


class Desk:
    """Who is told: everything that came, by path."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.came.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def told(self, path: str) -> list[dict]:
        return [body for where, body in self.came if where == path]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


@contextlib.contextmanager
def alertmanager(folder: pathlib.Path) -> Iterator[str]:
    """Its address; it reads where to send messages from files of `folder`."""
    plan = Platform("shop")
    kept = {name: plan.secret(f"alerts/{name}", supplied()) for name in ("password", "slack", "webhook", "watchdog")}
    config = routing.tree(routing.told(Receivers(**SAID, **kept), str(folder)), wait="1s")
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    words = [f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data", "--cluster.listen-address="]
    command = [debian.program("prometheus-alertmanager"), *words, "--web.listen-address=127.0.0.1:0"]
    said = folder / "log"
    with said.open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            (place,) = eventually(lambda: re.findall(r"Listening on.*address=(127\.0\.0\.1:\d+)", said.read_text()))
            yield f"http://{place}"
        finally:
            running.terminate()
            running.wait(10)


def eventually(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (answer := found()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
    return answer


def test_what_is_down_as_a_whole_silences_the_warnings_about_it(tmp_path):
    for name in (alerts.PASSWORD, alerts.SLACK, alerts.WEBHOOK, alerts.WATCHDOG):
        (tmp_path / name).write_text("http://127.0.0.1:9")
    with alertmanager(tmp_path) as address:
        for name, job in (("TargetDown", "db-exporter"), ("ReplicaDown", "db-exporter"), ("ReplicaDown", "web")):
            fire(address, name, "warning", job)
        states = eventually(lambda: len(found := states_of(address)) == 3 and "suppressed" in found.values() and found)
    assert states == {
        ("TargetDown", "db-exporter"): "active",
        ("ReplicaDown", "db-exporter"): "suppressed",
        ("ReplicaDown", "web"): "active",
    }


def states_of(address: str) -> dict[tuple[str, str], str]:
    with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=5) as answer:
        found = json.loads(answer.read())
    return {(each["labels"]["alertname"], each["labels"]["job"]): each["status"]["state"] for each in found}


def fire(address: str, name: str, severity: str, job: str = "", **said: str) -> None:
    told = [{"labels": {"alertname": name, "severity": severity, "job": job or name}, "annotations": said}]
    request = urllib.request.Request(
        f"{address}/api/v2/alerts", json.dumps(told).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=5).close()


def test_each_is_told_what_is_for_them_at_urls_that_are_read_anew_for_each_message(tmp_path, desk):
    (tmp_path / alerts.PASSWORD).write_text("a password")
    for name, path in ((alerts.SLACK, "/slack"), (alerts.WEBHOOK, "/info"), (alerts.WATCHDOG, "/watchdog")):
        (tmp_path / name).write_text(desk.url(path))
    with alertmanager(tmp_path) as address:
        fire(address, alerts.ALWAYS, "none")
        fire(address, "Quiet", "none")
        fire(address, "CardTesting", "info")
        fire(address, "ServiceDown", "critical")
        eventually(lambda: desk.told("/watchdog") and desk.told("/info") and desk.told("/slack"))
        assert [body["alerts"][0]["labels"]["alertname"] for body in desk.told("/watchdog")] == [alerts.ALWAYS]
        assert [body["alerts"][0]["labels"]["alertname"] for body in desk.told("/info")] == ["CardTesting"]
        assert len(desk.told("/slack")) == 1
        (tmp_path / alerts.SLACK).write_text(desk.url("/slack-anew"))
        # As the rules of a chart have it: a runbook under another name, and no summary.
        fire(address, "KubeAPIDown", "critical", runbook_url="https://runbooks.example.com")
        (message,) = eventually(lambda: desk.told("/slack-anew"))
        (shown,) = message["attachments"]
        assert (shown["title"], shown["text"]) == ("KubeAPIDown", "https://runbooks.example.com")
        assert {path for path, _ in desk.came} == {"/watchdog", "/info", "/slack", "/slack-anew"}
