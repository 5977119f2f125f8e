"""Migrations are applied once, in order, whole or not at all; and the roles end with exactly their rights."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplan_runtime.migrate import files
from groundplan_runtime.migrate.problems import MigrationError
from platforms.payments.tests import engines
from runtime.tests import processes

TABLE = "CREATE TABLE account (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);"
ENTRY = "CREATE TABLE entry (id bigserial PRIMARY KEY, amount bigint); CREATE SEQUENCE number;"


class Package:
    """A Python package with SQL files, and the command run on it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.directory = root / "shop" / "migrations"
        self.directory.mkdir(parents=True)

    def write(self, title: str, up: str | None, down: str | None = "SELECT 1") -> None:
        for side, sql in (("up", up), ("down", down)):
            if sql is not None:
                (self.directory / f"{title}.{side}.sql").write_text(sql)

    def start(self, database: engines.Database, *arguments: str, grants: Any = None) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.root), "DATABASE_DSN": database.owner_dsn}
        if grants is not None:
            (self.root / "grants.json").write_text(json.dumps({"roles": grants}))
            environment["DATABASE_GRANTS"] = f"file://{self.root}/grants.json"
        command = [sys.executable, "-m", "groundplan_runtime.migrate", arguments[0], "shop.migrations", *arguments[1:]]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, database: engines.Database, *arguments: str, grants: Any = None) -> tuple[int, str, str]:
        process = self.start(database, *arguments, grants=grants)
        out, err = process.communicate(timeout=processes.LIMIT)
        return process.returncode, out, err


@pytest.fixture
def package(tmp_path: pathlib.Path) -> Package:
    made = Package(tmp_path)
    made.write("0001_accounts", TABLE, "DROP TABLE account")
    made.write("0002_entries", ENTRY, "DROP TABLE entry; DROP SEQUENCE number")
    return made


@pytest.fixture
def database(postgres: engines.Postgres) -> engines.Database:
    return postgres.database()


def tables(database: engines.Database) -> list[str]:
    return database.psql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                         " AND relkind = 'r' ORDER BY 1").split()  # fmt: skip


def test_up_applies_what_is_missing_once(package: Package, database: engines.Database) -> None:
    assert package.run(database, "up", "--to", "1") == (0, "applied 0001_accounts\n", "")
    assert package.run(database, "up") == (0, "applied 0002_entries\n", "")
    assert package.run(database, "up") == (0, "nothing to apply\n", "")
    assert tables(database) == ["account", "entry", "groundplan_migration"]


def test_down_takes_back_the_last_or_all_above_a_number(package: Package, database: engines.Database) -> None:
    package.run(database, "up")
    assert package.run(database, "down") == (0, "took back 0002_entries\n", "")
    assert tables(database) == ["account", "groundplan_migration"]
    package.run(database, "up")
    assert package.run(database, "down", "--to", "0") == (0, "took back 0002_entries, 0001_accounts\n", "")
    assert tables(database) == ["groundplan_migration"]
    assert package.run(database, "down") == (0, "nothing to take back\n", "")
    assert package.run(database, "up") == (0, "applied 0001_accounts, 0002_entries\n", "")


def test_status_lists_what_is_applied(package: Package, database: engines.Database) -> None:
    package.run(database, "up", "--to", "1")
    code, out, _ = package.run(database, "status")
    first, second = out.splitlines()
    assert code == 0
    assert first.startswith("0001_accounts  applied 20")
    assert second == "0002_entries  not applied"


def test_a_failing_file_is_told_with_its_line_and_does_nothing(package: Package, database: engines.Database) -> None:
    package.write("0003_wrong", "CREATE TABLE half (id int);\nSELECT\n  nonsense;\n")
    code, _, err = package.run(database, "up")
    assert code == 1
    assert '0003_wrong.up.sql line 3: column "nonsense" does not exist; nothing of this file was done' in err
    assert tables(database) == ["account", "entry", "groundplan_migration"]
    package.write("0003_wrong", "CREATE TABLE whole (id int)")
    assert package.run(database, "up") == (0, "applied 0003_wrong\n", "")


@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_an_edited_or_vanished_migration_is_an_error(package: Package, database: engines.Database, verb: str) -> None:
    package.run(database, "up")
    package.write("0001_accounts", TABLE + " -- and more", "DROP TABLE account")
    for side in ("up", "down"):
        (package.directory / f"0002_entries.{side}.sql").unlink()
    code, _, err = package.run(database, verb)
    assert code == 1
    assert "0001_accounts.up.sql was edited after it was applied" in err
    assert "0002_entries is applied, but its files are gone" in err
    assert tables(database) == ["account", "entry", "groundplan_migration"]


def test_several_at_once_apply_each_file_once(package: Package, database: engines.Database) -> None:
    package.write("0003_slow", "SELECT pg_sleep(0.3); CREATE TABLE slow (id int)")
    running = [package.start(database, "up") for _ in range(4)]
    results = [(process.communicate(timeout=processes.LIMIT), process.returncode) for process in running]
    said = sorted(out for (out, _), _ in results)
    assert [code for _, code in results] == [0, 0, 0, 0], results
    assert said == ["applied 0001_accounts, 0002_entries, 0003_slow\n"] + ["nothing to apply\n"] * 3


def test_everything_wrong_with_the_files_is_told_at_once(package: Package, database: engines.Database) -> None:
    package.write("0002_other", "SELECT 1")
    package.write("0004_late", "SELECT 1", None)
    package.write("0006_back", None)
    (package.directory / "five.sql").touch()
    code, _, err = package.run(database, "up")
    assert code == 2
    for said in (
        "five.sql: the name is not like 0001_name.up.sql",
        "0002_other.up.sql: 0002 is taken by 0002_entries.up.sql: renumber one",
        "0002_other.down.sql: 0002 is taken by 0002_entries.down.sql",
        "0003 is missing: number the files without gaps from 0001",
        "0004_late.down.sql is missing: add it",
        "0006_back.up.sql is missing: add it",
    ):
        assert said in err
    assert tables(database) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("up", "--to", "9"), "--to 9: there are the numbers 1 to 2"),
        (("sideways",), "invalid choice: 'sideways'"),
    ],
)
def test_unusable_arguments_are_told(
    package: Package, database: engines.Database, arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = package.run(database, *arguments)
    assert code == 2
    assert said in err


def test_a_missing_package_and_a_missing_dsn_are_told(tmp_path: pathlib.Path) -> None:
    def run(package: str) -> str:
        command = [sys.executable, "-m", "groundplan_runtime.migrate", "up", package]
        done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=processes.LIMIT)
        assert done.returncode == 2
        return done.stderr

    assert "there is no package nowhere.at.all" in run("nowhere.at.all")
    assert "there is no package json" in run("json.decoder.x")


@given(st.lists(st.integers(1, 9), unique=True, min_size=1))
def test_only_numbers_without_gaps_are_accepted(numbers: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        for number in numbers:
            for side in ("up", "down"):
                pathlib.Path(name, f"{number:04d}_step.{side}.sql").write_text(f"SELECT {number}")
        whole = sorted(numbers) == list(range(1, len(numbers) + 1))
        with contextlib.nullcontext() if whole else pytest.raises(MigrationError, match="is missing"):
            assert [found.number for found in files.read(pathlib.Path(name))] == sorted(numbers)


async def rights(dsn: str, table: str) -> set[str]:
    """What a role can do with a table, found out by the server."""
    connection = await asyncpg.connect(dsn)
    try:
        asked = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
        query = "SELECT has_table_privilege($1, $2)"
        return {right for right in asked if await connection.fetchval(query, f"public.{table}", right)}
    finally:
        await connection.close()


async def test_each_role_ends_with_exactly_its_rights(
    package: Package, database: engines.Database, postgres: engines.Postgres
) -> None:
    reader = f"{database.name}_reader"
    postgres.psql(f"CREATE ROLE {reader} LOGIN")
    write, append, read = {"SELECT", "INSERT", "UPDATE", "DELETE"}, {"SELECT", "INSERT"}, {"SELECT"}
    steps: list[tuple[list[Any], dict[tuple[str, str], set[str]]]] = [
        (
            [
                {"role": database.role, "privilege": "read_write", "tables": [], "append_only": ["entry"]},
                {"role": reader, "privilege": "read", "tables": ["account"]},
            ],
            {
                (database.role, "account"): write,
                (database.role, "entry"): append,
                (database.role, "groundplan_migration"): set(),
                (reader, "account"): read,
                (reader, "entry"): set(),
                (reader, "groundplan_migration"): set(),
            },
        ),
        (  # what was given before and is not said now is taken away
            [
                {"role": database.role, "privilege": "write", "tables": ["account"]},
                {"role": database.role, "privilege": "read", "tables": ["entry"]},
                {"role": reader, "privilege": "read"},
            ],
            {
                (database.role, "account"): write,
                (database.role, "entry"): read,
                (reader, "account"): read,
                (reader, "entry"): read,
                (reader, "groundplan_migration"): set(),
            },
        ),
    ]
    for grants, expected in steps:
        code, _, err = package.run(database, "up", grants=grants)
        assert (code, err) == (0, "")
        found = {(role, table): await rights(postgres.dsn(database.name, role), table) for role, table in expected}
        assert found == expected


async def test_a_writer_can_use_sequences_and_nobody_has_ddl(package: Package, database: engines.Database) -> None:
    grants = [{"role": database.role, "privilege": "write", "tables": [], "append_only": ["entry"]}]
    package.run(database, "up", grants=grants)
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute("INSERT INTO account DEFAULT VALUES; INSERT INTO entry (amount) VALUES (1)")
        assert await connection.fetchval("SELECT nextval('number')") == 1
        for refused in (
            "UPDATE entry SET amount = 2",
            "DELETE FROM entry",
            "TRUNCATE entry",
            "CREATE TABLE mine (id int)",
            "DROP TABLE entry",
            "ALTER TABLE account ADD COLUMN mine int",
            "SELECT setval('number', 7)",
            "SELECT * FROM groundplan_migration",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
    finally:
        await connection.close()


def test_grants_for_what_does_not_exist_are_told_at_once(package: Package, database: engines.Database) -> None:
    grants = [
        {"role": "nobody_known", "privilege": "read", "tables": ["acount"]},
        {"role": database.role, "privilege": "write", "append_only": ["entries", "groundplan_migration"]},
    ]
    code, _, err = package.run(database, "up", grants=grants)
    assert code == 1
    assert "the grants of nobody_known name the table acount; schema public has: account, entry" in err
    assert "the grants name the role nobody_known, which does not exist" in err
    assert f"the grants of {database.role} name the table entries" in err
    assert f"the grants of {database.role} name the table groundplan_migration" in err


def test_an_unusable_grants_file_is_told(package: Package, database: engines.Database) -> None:
    code, _, err = package.run(database, "up", grants=[{"role": "a", "privilege": "own"}])
    assert code == 2
    assert "DATABASE_GRANTS refers to" in err
    assert "Invalid enum value 'own'" in err
