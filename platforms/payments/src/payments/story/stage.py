"""A payments platform of its own, for benchmarks, drills and tests: up, looked at, down; all by the command line."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

PLAN = pathlib.Path(__file__).resolve().parents[3] / "plan.py"
TICKS = os.sysconf("SC_CLK_TCK")


class Stage:
    """The payments platform in a temporary data directory."""

    def __init__(self, *, replicas: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="groundplan-stage-")
        self._replicas = replicas
        self.up_seconds = self.down_seconds = 0.0
        self.platform: dict[str, Any] = {}

    @property
    def data(self) -> pathlib.Path:
        """Its data directory."""
        return pathlib.Path(self._folder.name) / "data"

    def __enter__(self) -> Stage:
        begun = time.monotonic()
        self.run("up", "--detach", "--replicas", str(self._replicas))
        self.up_seconds = time.monotonic() - begun
        return self

    def __exit__(self, *_: object) -> None:
        begun = time.monotonic()
        self.run("down")
        self.down_seconds = time.monotonic() - begun
        self._folder.cleanup()

    def run(self, verb: str, *words: str) -> str:
        """A verb on this platform. Raises RuntimeError with what it said when it fails."""
        command = [sys.executable, "-m", "groundplan", verb, str(PLAN), f"--data={self.data}", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def instances(self) -> list[dict[str, Any]]:
        """What runs, as `ps --json` says it."""
        shown = json.loads(self.run("ps", "--json"))
        self.platform = shown["platform"]
        return [each for each in shown["instances"] if each["pids"]]

    def memory(self) -> str:
        """Proportional set size of everything, the supervisor included."""
        total = sum(each["memory"] for each in self.instances()) + _pss(self.platform["pid"])
        return f"{total / 2**20:.0f} MiB PSS in all"

    def world(self) -> dict[str, str]:
        """What `payments.story.world.World` wants to know."""
        urls = {each["unit"]: each["addresses"] for each in self.instances()}
        prefix = f"{sys.executable} -m groundplan exec {PLAN} --data={self.data}"
        return {
            "PUBLIC_URL": urls["api-gateway"]["http"],
            "MAIL_CATCHER_URL": urls["mail-catcher"]["http"],
            "WEBHOOK_CATCHER_URL": urls["webhook-catcher"]["external"],
            "GROUNDPLAN_EXEC": prefix,
        }

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far, by instance."""
        return {each["name"]: sum(map(_cpu, each["pids"])) for each in self.instances()}


def _cpu(pid: int) -> float:
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    # With the children that were waited for (PostgreSQL's backends that ended).
    return sum(int(fields[number]) for number in (11, 12, 13, 14)) / TICKS


def _pss(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
