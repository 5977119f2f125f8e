"""payment-api by itself: create + confirm a second: ``python -m platforms.payments.bench.payment_api [SECONDS]``.

One process of the service, one of stand-ins for tokenization and transaction, a real PostgreSQL with fsync on. What
counts is the service's own CPU and the statements of a payment; the whole platform is measured by the benchmark
beside this one (``python platforms/payments/bench``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import psutil
import pyqwest

from groundplan_runtime import contract
from platforms.payments.tests import engines, running

GATEWAY = "api-gateway"
CLIENTS = (1, 8, 32)
_FAKES = """
import asyncio, sys
import uvloop
from platforms.payments.tests.api import fakes
async def main():
    async with fakes.serving() as behind:
        print(behind.port, flush=True)
        await asyncio.Event().wait()
uvloop.run(main())
"""


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with contextlib.ExitStack() as started:
        server = started.enter_context(engines.postgres_server(fsync=True))
        database = server.database("payments.api.migrations")
        directory = pathlib.Path(started.enter_context(tempfile.TemporaryDirectory()))
        port = _fakes(started)
        platform = started.enter_context(running.Platform(directory))
        api = _service(platform, database, port)
        headers = _headers(platform, api)
        for clients in CLIENTS:
            _measure(api, database, headers, clients, seconds)


def _fakes(started: contextlib.ExitStack) -> int:
    process = subprocess.Popen([sys.executable, "-c", _FAKES], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    started.callback(process.wait)
    started.callback(process.kill)
    assert process.stdout is not None
    return int(process.stdout.readline())


def _service(platform: running.Platform, database: engines.Database, port: int) -> running.Running:
    variables = {
        "DATABASE_DSN": platform.file("dsn", database.dsn),
        "TOKENIZATION_SERVICE_GRPC_ADDRESS": f"127.0.0.1:{port}",
        "TRANSACTION_SERVICE_GRPC_ADDRESS": f"127.0.0.1:{port}",
    }
    return platform.start("payment-api-service", "payments.api", variables, {GATEWAY: {"http": ["*"]}})


def _headers(platform: running.Platform, api: running.Running) -> dict[str, str]:
    return {
        contract.WORKLOAD_TOKEN_HEADER: platform.token(GATEWAY, api.name),
        "content-type": "application/x-www-form-urlencoded",
        "x-account-id": "acct_bench",
        "x-livemode": "false",
        "x-key-kind": "secret",
        "x-scopes": "*",
    }


def _measure(
    api: running.Running, database: engines.Database, headers: dict[str, str], clients: int, seconds: float
) -> None:
    process = psutil.Process(api.process.pid)
    before, statements = process.cpu_times(), _commits(database)
    taken = asyncio.run(_load(api, headers, clients, seconds))
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    rate, median, p99 = len(taken) / seconds, statistics.median(taken), sorted(taken)[int(len(taken) * 0.99)]
    each = (_commits(database) - statements) / len(taken)
    print(f"{clients:>3} at once: {rate:6.0f} create+confirm/s", end="  ")
    print(f"p50 {median * 1000:5.1f} ms  p99 {p99 * 1000:5.1f} ms", end="  ")
    print(f"{used / len(taken) * 1e6:5.0f} µs CPU and {each:.1f} transactions a payment")


def _commits(database: engines.Database) -> int:
    time.sleep(1.2)  # the counters are published once a second
    return int(database.psql(f"SELECT xact_commit FROM pg_stat_database WHERE datname = '{database.name}'"))  # noqa: S608


async def _load(api: running.Running, headers: dict[str, str], clients: int, seconds: float) -> list[float]:
    base, end, taken = f"http://127.0.0.1:{api.http}/v1/payment_intents", time.monotonic() + seconds, list[float]()
    client = pyqwest.Client()

    async def shop() -> None:
        while time.monotonic() < end:
            begun = time.monotonic()
            made = await client.post(base, headers, b"amount=1000&currency=usd")
            intent = json.loads(made.content)["id"]
            paid = await client.post(f"{base}/{intent}/confirm", headers, b"payment_method=pm_card_visa")
            assert paid.status == 200, paid.content
            taken.append(time.monotonic() - begun)

    await asyncio.gather(*(shop() for _ in range(clients)))
    return taken


if __name__ == "__main__":
    main()
