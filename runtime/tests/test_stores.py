"""The pool and the key store: found late, lost and found again, and tried again only where that is safe."""

import asyncio
import pathlib
import subprocess
from typing import Any

import asyncpg
import pytest
import redis.exceptions
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from groundplan_runtime import metrics, postgres, settings
from groundplan_runtime import redis as store
from platforms.payments.tests import engines
from runtime.tests import processes


@pytest.fixture
def database(postgres: engines.Postgres) -> engines.Database:
    return postgres.database()


async def test_json_columns_are_python_values(database: engines.Database) -> None:
    value = {"amount": 1099, "lines": [1.5, None, True], "text": "„ß”"}
    async with postgres.pool(settings.Secret(database.owner_dsn)) as pool:
        for kind in ("json", "jsonb"):
            assert await pool.fetchval(f"SELECT $1::{kind}", value) == value
        assert await pool.fetchval("SELECT $1::jsonb ->> 'text'", value) == "„ß”"


async def test_connections_say_who_they_are(database: engines.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_INSTANCE", "auth-service-1")
    async with postgres.pool(database.owner_dsn) as pool:
        assert await pool.fetchval("SHOW application_name") == "auth-service-1"
        assert await pool.fetchval("SHOW timezone") == "UTC"


async def test_pool_gauges_tell_idle_and_used(database: engines.Database) -> None:
    async with postgres.pool(database.owner_dsn, smallest=2, largest=4) as pool, pool.acquire():
        registry = CollectorRegistry()
        registry.register(metrics.Gauges("db_pool", "Connections.", ("state",), lambda: postgres.gauges(pool)))
        text = generate_latest(registry).decode()
    assert [line for line in text.splitlines() if line[0] != "#"] == [
        'db_pool{state="idle"} 1.0',
        'db_pool{state="used"} 1.0',
        'db_pool{state="limit"} 4.0',
    ]


async def test_a_transaction_commits_or_leaves_nothing(database: engines.Database) -> None:
    database.psql(f"CREATE TABLE item (n int); GRANT ALL ON item TO {database.name}_owner")
    async with postgres.pool(database.owner_dsn) as pool:

        async def insert(connection: Any) -> str:
            await connection.execute("INSERT INTO item VALUES (1)")
            return "done"

        async def fail(connection: Any) -> None:
            await insert(connection)
            raise ValueError("no")

        assert await postgres.transaction(pool, insert) == "done"
        with pytest.raises(ValueError, match="no"):
            await postgres.transaction(pool, fail, tries=3)
        assert await pool.fetchval("SELECT count(*) FROM item") == 1


@pytest.mark.parametrize("tries", [1, 50])
async def test_serialization_failures_are_tried_again_only_where_allowed(
    database: engines.Database, tries: int
) -> None:
    database.psql(f"CREATE TABLE counter AS SELECT 0 AS n; GRANT ALL ON counter TO {database.name}_owner")
    async with postgres.pool(database.owner_dsn, largest=8) as pool:
        barrier = asyncio.Barrier(8)

        async def once() -> None:
            first = True

            async def increment(connection: Any) -> None:
                nonlocal first
                n = await connection.fetchval("SELECT n FROM counter")
                if first:  # all have read before any writes, so all but one must fail
                    first = False
                    await barrier.wait()
                await connection.execute("UPDATE counter SET n = $1", n + 1)

            await postgres.transaction(pool, increment, isolation="serializable", tries=tries)

        results = await asyncio.gather(*(once() for _ in range(8)), return_exceptions=True)
        n = await pool.fetchval("SELECT n FROM counter")
    failed = [result for result in results if result is not None]
    if tries == 1:
        assert all(isinstance(error, asyncpg.SerializationError) for error in failed)
        assert (n, len(failed)) == (1, 7)
    else:
        assert (n, failed) == (8, [])


async def test_a_database_that_starts_late_is_waited_for(tmp_path: pathlib.Path) -> None:
    server = _Server(tmp_path)
    waiting = asyncio.ensure_future(_answer(server.dsn))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await asyncio.to_thread(server.start)
    try:
        assert await waiting == 1
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_database_that_never_starts_is_given_up_and_told() -> None:
    dsn = f"postgresql://nobody@127.0.0.1:{processes.free_port()}/none"
    with pytest.raises(postgres.Unavailable, match="did not accept a connection in time"):
        async with postgres.pool(dsn, start_timeout=0.3):
            raise AssertionError("there is no database")


async def test_a_database_that_died_and_returned_is_found_again(tmp_path: pathlib.Path) -> None:
    server = _Server(tmp_path)
    await asyncio.to_thread(server.start)
    try:
        async with postgres.pool(server.dsn, smallest=3) as pool:
            await postgres.check(pool)
            await asyncio.to_thread(server.stop)
            with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
                await postgres.check(pool)
            await asyncio.to_thread(server.start)
            await asyncio.gather(*(pool.fetchval("SELECT pg_sleep(0.05)") for _ in range(5)))
            await postgres.check(pool)
    finally:
        await asyncio.to_thread(server.stop)


async def _answer(dsn: str) -> Any:
    async with postgres.pool(dsn) as pool:
        return await pool.fetchval("SELECT 1")


class _Server:
    """A PostgreSQL that can be stopped and started."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.programs, self.directory, self.port = engines._postgres_programs(), directory, processes.free_port()
        engines._initdb(self.programs, directory)
        self.dsn = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = ("fsync=off", f"port={self.port}", f"unix_socket_directories={self.directory}")
        options = [option for setting in settings for option in ("-c", setting)]
        command = [str(self.programs / "postgres"), "-D", str(self.directory / "data"), *options]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(engines._unprivileged(command), stdout=log, stderr=log)
        ready = engines._accepts(self.programs, self.port)
        processes.until(lambda: subprocess.run(ready).returncode == 0, "PostgreSQL does not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(3)  # SIGQUIT: at once, as a crash does
            self.process.wait(processes.LIMIT)


async def test_the_store_uses_only_its_prefix(valkey: engines.Valkey) -> None:
    async with store.store(settings.Secret(valkey.url("rate:"))) as rate:
        await rate.check()
        assert rate.key("login", 7) == "rate:login:7"
        await rate.client.set(rate.key("login", 7), "1")
        assert await rate.client.get("rate:login:7") == b"1"
        with pytest.raises(redis.exceptions.NoPermissionError):
            await rate.client.get("session:7")


async def test_a_store_that_is_gone_is_told_at_once_and_found_again() -> None:
    with engines.valkey_server() as first:
        async with store.store(f"redis://127.0.0.1:{first.port}/0") as opened:
            await opened.check()
            subprocess.run(["kill", "-9", str(first.pid)], check=True)
            for _ in range(2):
                with pytest.raises(redis.exceptions.ConnectionError):
                    await opened.check()


@given(st.text("abc:_-", min_size=1), st.sampled_from(["", "&protocol=3", "&db=2"]))
def test_the_prefix_is_taken_out_of_the_url(prefix: str, rest: str) -> None:
    url, found = store.split(f"redis://u:p%40ss@localhost:6379/0?prefix={prefix}{rest}")
    assert found == prefix
    assert url == f"redis://u:p%40ss@localhost:6379/0{rest.replace('&', '?')}"
