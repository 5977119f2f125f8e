"""Logins a second, beside what the hash alone allows: ``python -m platforms.payments.bench.logins [SECONDS]``.

The service runs as a process of its own on a real PostgreSQL (fsync on) and Valkey; a client with several connections
signs in different people, so that no throttle and no single row stands in the way.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import time

import asyncpg
import pyqwest

from groundplan_runtime import contract
from payments.auth import passwords
from platforms.payments.tests import engines, running

PASSWORD = "correct horse battery staple"  # noqa: S105  (of people made up for this run)
PEOPLE, AT_ONCE = 40, 8
GATEWAY = "api-gateway"


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    cores = os.cpu_count() or 1
    alone, all_cores = _bare(seconds / 2, 1), _bare(seconds / 2, cores)
    print(f"argon2id {passwords.MEMORY_KIB // 1024} MiB, t={passwords.PASSES}, p={passwords.LANES}:", end=" ")
    print(f"{alone:.1f} hashes/s on one core, {all_cores:.1f}/s on {cores}")
    with contextlib.ExitStack() as started:
        rate, used = _measured(started, seconds)
    print(f"logins: {rate:.1f}/s ({rate / all_cores:.2f} of the bare hash on {cores} cores)")
    print(f"auth-service used {used * 1000:.1f} ms CPU a login, the hash alone {1000 / alone:.1f} ms")


def _bare(seconds: float, threads: int) -> float:
    """Hashes a second with nothing else around them."""
    hasher, end, begun = passwords.argon2id(), time.monotonic() + seconds, time.monotonic()

    def work() -> int:
        count = 0
        while time.monotonic() < end:
            hasher.hash(PASSWORD)
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: work(), range(threads)))
    return done / (time.monotonic() - begun)


def _measured(started: contextlib.ExitStack, seconds: float) -> tuple[float, float]:
    """Logins a second, and CPU seconds of the service for each."""
    directory = pathlib.Path(started.enter_context(tempfile.TemporaryDirectory()))
    postgres = started.enter_context(engines.postgres_server(fsync=True))
    valkey = started.enter_context(engines.valkey_server())
    platform = started.enter_context(running.Platform(directory))
    database = postgres.database("payments.auth.migrations", append_only=("audit",))
    asyncio.run(_people(database.dsn))
    variables = {
        "DATABASE_DSN": platform.file("dsn", database.dsn),
        "REDIS_URL": platform.file("redis", valkey.url("session:auth:")),
        "JWT_SIGNING_KEY": platform.file("signing", running.signing_keys("one")),
        "API_KEY_PEPPER": platform.file("pepper", "a pepper of a benchmark that is long enough"),
        "SMTP": platform.file("smtp", "{}"),
        "SMTP_ADDRESS": "127.0.0.1:9",
        "PUBLIC_URL": "https://pay.example.com",
    }
    auth = platform.start("auth-service", "payments.auth", variables, {GATEWAY: {"http": ["*"]}})
    headers = [
        (contract.WORKLOAD_TOKEN_HEADER, platform.token(GATEWAY, auth.name)),
        ("content-type", "application/json"),
    ]
    before, begun = _cpu(auth.process.pid), time.monotonic()
    done = asyncio.run(_load(f"http://127.0.0.1:{auth.http}/auth/login", headers, seconds))
    return done / (time.monotonic() - begun), (_cpu(auth.process.pid) - before) / done


async def _people(dsn: str) -> None:
    stored = passwords.argon2id().hash(PASSWORD)
    connection = await asyncpg.connect(dsn)
    rows = [(f"usr_{n}", f"{n}@example.com", f"{n}@example.com", "Ada", stored) for n in range(PEOPLE)]
    statement = "INSERT INTO users (id, email, email_key, name, password_hash) VALUES ($1, $2, $3, $4, $5)"
    await connection.executemany(statement, rows)
    await connection.close()


async def _load(url: str, headers: list[tuple[str, str]], seconds: float) -> int:
    client, end, people = pyqwest.Client(), time.monotonic() + seconds, iter(range(1_000_000))

    async def work() -> int:
        count = 0
        while time.monotonic() < end:
            body = {"email": f"{next(people) % PEOPLE}@example.com", "password": PASSWORD}
            answer = await client.post(url, headers, json.dumps(body).encode())
            if answer.status != 200:
                raise RuntimeError(f"a login was answered with {answer.status}: {answer.text()}")
            count += 1
        return count

    return sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))


def _cpu(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
