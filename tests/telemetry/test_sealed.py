"""What a Vault counts while it is sealed, which is less than one would think: asked of a real OpenBao."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.live import openbaos

TELEMETRY = """
telemetry {
  prometheus_retention_time = "2m"
  disable_hostname = true
}
"""


@pytest.fixture
def server(tmp_path) -> Iterator[str]:
    with openbaos.served(tmp_path, more=TELEMETRY) as address:
        yield address


def ask(address: str, path: str, body: dict | None = None, token: str = "") -> dict:
    data = json.dumps(body).encode() if body is not None else None
    asked = urllib.request.Request(f"{address}/v1/{path}", data, {"X-Vault-Token": token})
    asked.method = "PUT" if data else "GET"
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.loads(answer.read() or "{}")


def counted(address: str, name: str) -> dict[str, float]:
    """The values of a metric by its labels, as one who is nobody is told them."""
    with urllib.request.urlopen(f"{address}/v1/sys/metrics?format=prometheus", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line.startswith(name)}


def test_just_unsealed_it_says_so_beside_what_it_said_before(server):
    keys = ask(server, "sys/init", {"secret_shares": 1, "secret_threshold": 1})
    before = counted(server, "vault_core_unsealed")
    ask(server, "sys/unseal", {"key": keys["keys"][0]})
    until = time.monotonic() + 20
    while 1.0 not in (now := counted(server, "vault_core_unsealed")).values() and time.monotonic() < until:
        time.sleep(0.2)
    assert set(before.values()) <= {0.0}
    assert sorted(now.values()) == [*before.values(), 1.0]
