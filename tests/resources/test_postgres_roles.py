"""Roles on a real PostgreSQL are what the edges say, and end when the edge does."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import asyncpg
import pytest

PLAN = """
from groundplan import *
from groundplan.resources import *
plan = Platform("roles")
space = plan.namespace("all")
p = space.add(Postgres("postgres", version=17))
orders = p.database("orders")
a = space.add(Worker("a", command(["sleep", "1000"])))
b = space.add(Worker("b", command(["sleep", "1000"])))
a.needs(orders.owned())
EDGE
"""


class Running:
    """A platform of two workers on a database."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def groundplan(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "groundplan", *words],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, edge: str) -> None:
        (self.folder / "plan.py").write_text(PLAN.replace("EDGE", edge))
        running = (self.folder / ".groundplan/local/lock").exists()
        self.groundplan("up", *([] if running else ["--detach"]))
        self.groundplan("wait")

    def dsn(self, worker: str) -> str:
        return (self.folder / f".groundplan/local/files/{worker}/secrets/database-dsn").read_text()


@pytest.fixture
def running(tmp_path):
    platform = Running(tmp_path)
    yield platform
    platform.groundplan("down", "--wipe")


async def test_an_owner_makes_tables_and_whoever_lost_the_edge_may_not_connect(running):
    running.up("b.needs(orders.read())")
    assert len(json.loads(running.groundplan("ps", "--json"))["instances"]) == 5
    owner = await asyncpg.connect(running.dsn("a"))
    await owner.execute("CREATE TABLE mine (x int)")
    other = running.dsn("b")
    await (await asyncpg.connect(other)).close()
    running.up("")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(other)
    assert await owner.fetchval("SELECT count(*) FROM mine") == 0
    await owner.close()
