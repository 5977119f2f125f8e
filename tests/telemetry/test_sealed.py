"""What a Vault counts while it is sealed, which is less than one would think: asked of a real OpenBao."""

from __future__ import annotations

import functools
import json
import ssl
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.live import openbaos, rafts

TELEMETRY = """
telemetry {
  prometheus_retention_time = "2m"
  disable_hostname = true
}
"""

FORGOTTEN = 10.0
"""Seconds after which nothing is left of what was not counted again."""


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


def counted(address: str, name: str, authority: str | None = None) -> dict[str, float]:
    """The values of a metric by its labels, as one who is nobody is told them."""
    trust = ssl.create_default_context(cafile=authority) if authority else None
    with urllib.request.urlopen(f"{address}/v1/sys/metrics?format=prometheus", timeout=10, context=trust) as answer:
        lines = answer.read().decode().splitlines()
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line.startswith(name)}


def test_just_unsealed_it_says_so_beside_what_it_said_before(server):
    keys = ask(server, "sys/init", {"secret_shares": 1, "secret_threshold": 1})
    before = counted(server, "vault_core_unsealed")
    ask(server, "sys/unseal", {"key": keys["keys"][0]})
    rafts.until(lambda: 1.0 in counted(server, "vault_core_unsealed").values(), "it says that it is unsealed")
    now = counted(server, "vault_core_unsealed")
    assert set(before.values()) <= {0.0}
    assert sorted(now.values()) == [*before.values(), 1.0]
    rafts.until(lambda: list(counted(server, "vault_core_active").values()) == [1.0], "it leads, alone")


@pytest.fixture
def three(tmp_path) -> Iterator[rafts.Cluster]:
    """Production's replicas. What they do not count again they forget, and sooner than there."""
    made = rafts.Cluster(tmp_path)
    for each in made.replicas:
        written, there = each.config.read_text(), 'prometheus_retention_time = "2m"'
        assert there in written
        each.config.write_text(written.replace(there, 'prometheus_retention_time = "5s"'))
    try:
        made.start()
        yield made
    finally:
        made.kill()


def told(cluster: rafts.Cluster, name: str) -> list[set[float]]:
    """What each replica says of itself."""
    authority = str(cluster.authority.file)
    return [set(counted(each.address, name, authority).values()) for each in cluster.replicas]


def is_unsealed(replica: rafts.Replica, key: str) -> bool:
    return replica.ask("PUT", "sys/unseal", {"key": key}).body.get("sealed") is False


@pytest.mark.slow
def test_a_standby_goes_on_saying_so_and_a_replica_that_starts_anew_does_not(three):
    (key,) = three.replicas[0].ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).body["keys"]
    for each in three.replicas:
        rafts.until(functools.partial(is_unsealed, each, key), f"{each.name} has joined and is unsealed")
    time.sleep(FORGOTTEN)
    assert told(three, "vault_core_unsealed") == [{1.0}, {1.0}, {1.0}]
    assert sorted(map(max, told(three, "vault_core_active"))) == [0.0, 0.0, 1.0]
    three.standby().kill()
    (gone,) = (number for number, each in enumerate(three.replicas) if not each.runs)
    three.start(gone)
    time.sleep(FORGOTTEN)
    now = told(three, "vault_core_unsealed")
    assert now.pop(gone) <= {0.0}
    assert now == [{1.0}, {1.0}]
    three.leader().kill()
    time.sleep(FORGOTTEN)
    (left,) = (each for number, each in enumerate(three.replicas) if each.runs and number != gone)
    assert 1.0 not in counted(left.address, "vault_core_active", str(three.authority.file)).values()
