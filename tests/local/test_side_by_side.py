"""Two checkouts start at the same moment and do not share a port, though a port that nobody listens on is free."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

PLAN = """
from groundplan import *
from groundplan.resources import IngressNginx
plan = Platform("{name}")
space = plan.namespace("all")
web = space.add(Service("web", python("web"), http=18080))
plan.entry(space.add(IngressNginx()), {{"/": web.http}})
"""
WEB = """
from groundplan_runtime import http, service
from starlette.routing import Route

async def build(context):
    async def name(request):
        return http.Json({"name": NAME})
    return service.App(routes=[Route("/", name)])

service.run(build)
"""


def checkout(folder: pathlib.Path, name: str) -> pathlib.Path:
    home = folder / name
    home.mkdir()
    (home / "plan.py").write_text(PLAN.format(name=name))
    (home / "web.py").write_text(WEB.replace("NAME", repr(name)))
    return home


def groundplan(home: pathlib.Path, runtime: pathlib.Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "groundplan", *words],
        cwd=home,
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_checkouts_that_start_at_once_answer_for_themselves(tmp_path):
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    homes = [checkout(tmp_path, name) for name in ("one", "two", "three")]
    try:
        for starting in [groundplan(home, runtime, "up", "--detach") for home in homes]:
            said, _ = starting.communicate(timeout=60)
            assert starting.returncode == 0, said
        ports = set()
        for home in homes:
            shown = json.loads(groundplan(home, runtime, "ps", "web", "--json").communicate(timeout=60)[0])
            url = shown["instances"][0]["addresses"]["http"]
            ports.add(url)
            for _ in range(8):  # a shared port would answer for the other every second time
                with urllib.request.urlopen(url) as answer:
                    assert json.load(answer) == {"name": home.name}
        assert len(ports) == 3
    finally:
        for home in homes:
            groundplan(home, runtime, "down", "--wipe").communicate(timeout=60)
