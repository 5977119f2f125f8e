"""The emitted CronJobs, container by container on this machine: the dump, its keeping, its fetching, its way back."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

from groundplan.resources import Volume
from platforms.payments.tests import engines
from tests.backup import test_clusters

postgres, valkey = engines.postgres, engines.valkey


class Node:
    """Runs containers here: volumes are folders, names are loopback ports, images are what is installed."""

    def __init__(self, root: pathlib.Path, ports: dict[str, int], programs: pathlib.Path) -> None:
        self.root, self.ports = root, ports
        (root / "files").mkdir()
        python = root / "bin"
        python.mkdir()
        (python / "python").symlink_to(sys.executable)
        self.path = f"{python}{os.pathsep}{programs}{os.pathsep}{os.environ['PATH']}"
        self.site = os.pathsep.join(each for each in sys.path if each)

    def run(self, cronjob: dict, **more: str) -> str:
        """The containers of its pod in their order, as a kubelet starts them; all that they said."""
        spec = test_clusters.spec_of(cronjob)
        own = [each for each in (*spec.get("initContainers", ()), *spec["containers"]) if each["name"] != "secrets"]
        return "".join(self._run(each, more) for each in own)

    def _run(self, container: dict, more: dict[str, str]) -> str:
        given = {each["name"]: self._here(each["value"]) for each in container.get("env", ())}
        known = set(given) & set(more)
        variables = {"PATH": self.path, "PYTHONPATH": self.site, **given, **{name: more[name] for name in known}}
        # The engines here are not of the plan's versions, and so would be refused.
        words = [self._here(word) for word in container["command"] if not word.startswith("--reader=")]
        done = subprocess.run(words, env=variables, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{container['name']}: {done.stdout}{done.stderr}"
        return done.stdout

    def _here(self, text: str) -> str:
        text = text.replace("$$", "$")  # as the kubelet undoes it
        for folder in ("backups", "files", "data"):
            text = re.sub(rf"(?<![\w.-])/{folder}\b", f"{self.root}/{folder}", text)
        for name, port in self.ports.items():
            text = "127.0.0.1" if text == f"{name}.space" else text
            text = str(port) if text == {"db": "5432", "keys": "6379"}[name] else text
        return text


@pytest.fixture
def node(tmp_path: pathlib.Path, postgres: engines.Postgres, valkey: engines.Valkey) -> Node:
    made = Node(tmp_path, {"db": postgres.port, "keys": valkey.port}, postgres.programs)
    for stem in ("backup", "restore"):
        (tmp_path / "files" / f"{stem}-services.conf").write_text(f"[{stem}]\npassword=x\n")
    (tmp_path / "files" / "backup-password").write_text("secret")
    (tmp_path / "data").mkdir()
    return made


@pytest.fixture(scope="module")
def orders(postgres: engines.Postgres) -> engines.Postgres:
    """The server with a database whose table hides its rows from all but their owner, and the role that dumps."""
    postgres.psql("CREATE ROLE orders_owner LOGIN")
    postgres.psql("CREATE ROLE db_backup LOGIN BYPASSRLS IN ROLE pg_read_all_data")
    postgres.psql("CREATE DATABASE orders OWNER orders_owner")
    postgres.psql("SET ROLE orders_owner; CREATE SCHEMA own; CREATE TABLE own.thing AS SELECT 1 AS n", "orders")
    postgres.psql(
        "ALTER TABLE own.thing ENABLE ROW LEVEL SECURITY; ALTER TABLE own.thing FORCE ROW LEVEL SECURITY", "orders"
    )
    return postgres


def test_databases_come_back_and_an_older_backup_can_be_chosen(node: Node, orders: engines.Postgres) -> None:
    found = test_clusters.lowered(backups=Volume("9Gi"))
    (node.root / "files" / "restore-clear.sql").write_text(
        found["ConfigMap db-restore-files"]["data"]["files_restore-clear.sql"]
    )
    said = node.run(found["CronJob db-backup"])
    (stamp,) = re.findall(r"kept db/(\w+): 2 files", said)
    assert not (node.root / "backups" / ".work" / "save").exists()
    orders.psql("UPDATE own.thing SET n = 2; CREATE TABLE later ()", "orders")
    assert "restored orders" in node.run(found["CronJob db-restore"], BACKUP_AT=stamp)
    assert orders.psql("SELECT n FROM own.thing", "orders") == "1\n"
    assert orders.psql("SELECT to_regclass('later') IS NULL", "orders") == "t\n"
    assert orders.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'thing'", "orders") == "orders_owner\n"
    with pytest.raises(AssertionError, match="no backup of db is as old as 20010101T000000Z"):
        node.run(found["CronJob db-restore"], BACKUP_AT="2001-01-01")


def test_a_restore_that_fails_half_way_leaves_the_database_as_it_was(node: Node, orders: engines.Postgres) -> None:
    found = test_clusters.lowered(backups=Volume("9Gi"))
    clear = found["ConfigMap db-restore-files"]["data"]["files_restore-clear.sql"]
    (node.root / "files" / "restore-clear.sql").write_text(clear)
    node.run(found["CronJob db-backup"])
    orders.psql("UPDATE own.thing SET n = 7", "orders")
    # Everything is dropped by then, and nothing is back yet.
    (node.root / "files" / "restore-clear.sql").write_text(f"{clear}SELECT 1 / 0;\n")
    with pytest.raises(AssertionError, match="division by zero"):
        node.run(found["CronJob db-restore"])
    assert orders.psql("SELECT n FROM own.thing", "orders") == "7\n"


def test_keys_come_back_into_the_volume_of_a_stopped_server(node: Node, valkey: engines.Valkey) -> None:
    found = test_clusters.lowered(backups=Volume("9Gi"))
    rule = ("on", ">secret", "resetkeys", "resetchannels", "-@all", "+sync", "+replconf", "+info")
    valkey.command("ACL", "SETUSER", "keys-backup", *rule)
    valkey.command("SET", "kept", "yes")
    node.run(found["CronJob keys-backup"])
    node.run(found["CronJob keys-restore"])
    with engines.valkey_server(node.root / "data", append_only=True) as other:
        assert other.command("GET", "kept") == b"$3\r\nyes\r\n"
