"""The restore drill: real payments, a backup under load, everything destroyed, restored, compared row by row."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import pathlib
import threading
import time
from collections.abc import Iterator

import pytest
import redis
import stripe

from payments.story import onboarding, stage, world
from platforms.payments.tests import engines

pytestmark = pytest.mark.slow

SHOPS = 4
CALM = 30.0
"""Seconds in which webhooks and settling come to rest once nobody pays any more."""
DATABASES = "SELECT datname FROM pg_database WHERE datname ~ '^micro_' ORDER BY 1"
TABLES = """
SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
ROWS = "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '')"


@dataclasses.dataclass
class Paid:
    """A payment that the platform acknowledged, and when."""

    id: str
    amount: int
    when: float


class Drill:
    """One platform, its books looked at from outside the platform, and a merchant on it."""

    def __init__(self, platform: stage.Stage, sets: pathlib.Path) -> None:
        self.stage, self.sets = platform, sets
        self.outside = world.World(platform.world())
        self.key = onboarding.onboard(self.outside)
        self.paid: list[Paid] = []

    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient(self.key, base_addresses={"api": self.outside.public}, max_network_retries=0)

    def load(self, ended: threading.Event) -> None:
        """Shops that pay, capture and refund until told to end."""

        def shop(number: int) -> None:
            client, card = self.client(), {"payment_method": "pm_card_visa", "confirm": True}
            for turn in range(10_000):
                if ended.is_set():
                    return
                wanted = {"amount": 1000 + turn, "currency": "eur", "payment_method_types": ["card"], **card}
                intent = client.v1.payment_intents.create(wanted)
                self.paid.append(Paid(intent.id, wanted["amount"], time.time()))
                if turn % 3 == number % 3:
                    client.v1.refunds.create({"payment_intent": intent.id, "amount": 10 + turn % 5})

        with concurrent.futures.ThreadPoolExecutor(SHOPS) as shops:
            list(shops.map(shop, range(SHOPS)))

    def backup(self) -> dict:
        return json.loads(self.stage.run("backup", f"--to={self.sets}", "--json"))["backup"]

    def restore(self, *words: str) -> dict:
        return json.loads(self.stage.run("restore", f"--from={self.sets}", "--json", *words))

    def address(self) -> tuple[str, str]:
        """Host and port of the database server; after a wipe they are others."""
        (found,) = (each["addresses"]["postgres"] for each in self.stage.instances() if each["unit"] == "postgres")
        host, _, port = found.partition(":")
        return host, port

    def psql(self, database: str, sql: str, address: tuple[str, str] | None = None) -> str:
        host, port = address or self.address()
        services = f"PGSERVICEFILE={self.stage.data}/files/postgres/services.conf"
        program = str(engines._postgres_programs() / "psql")
        reach = [program, "-XqAt", "-h", host, "-p", port, "-U", "postgres", "-d", database]
        return engines._checked(["env", "PGSERVICE=admin", services, *reach, "-c", sql]).strip()

    def rows(self) -> dict[str, str]:
        """The number and the checksum of all rows, by table of every database."""
        found, there = {}, self.address()
        for database in self.psql("postgres", DATABASES, there).split():
            for table in self.psql(database, TABLES, there).split():
                found[f"{database} {table}"] = self.psql(database, f"{ROWS} FROM {table} t", there)
        return found

    def keys(self) -> dict[str, str]:
        """The checksum of every durable key in Redis, by name; those that end by themselves in a minute are none."""
        found = {}
        for path in sorted(self.stage.data.glob("files/*/secrets/*")):
            text = path.read_text() if path.is_file() else ""
            if text.startswith("redis://"):
                url, _, prefix = text.partition("?prefix=")
                client = redis.Redis.from_url(url)
                for key in client.scan_iter(f"{prefix}*", count=1000):
                    value, left = client.dump(key), client.ttl(key)
                    if value is not None and (left < 0 or left > 600):
                        found[key.decode()] = hashlib.sha256(value).hexdigest()
        return found

    def books(self) -> dict:
        said = self.outside.operator(
            "transaction-service", "python", "-m", "payments.transaction.trial_balance", "--json"
        )
        return json.loads(said)

    def at_rest(self) -> dict[str, str]:
        """All rows, once two looks in a row see the same."""
        before, deadline = self.rows(), time.monotonic() + CALM
        while True:
            time.sleep(1.0)
            now = self.rows()
            if now == before:
                return now
            assert time.monotonic() < deadline, [name for name in now if now[name] != before.get(name)]
            before = now

    def assert_all_there(self, until: float) -> int:
        """Every payment that was acknowledged before `until` is there, as it was."""
        client = self.client()
        wanted = [each for each in self.paid if each.when < until]
        for each in wanted:
            found = client.v1.payment_intents.retrieve(each.id)
            assert (found.status, found.amount) == ("succeeded", each.amount)
        return len(wanted)

    def orphans(self) -> set[str]:
        """Transactions that the payment service wrote down and the ledger's database does not know."""
        sql = "SELECT DISTINCT inner_body->>'transaction' FROM payment_intent WHERE inner_body->>'transaction' <> ''"
        known = set(self.psql("micro_transaction", "SELECT id FROM transaction").split())
        named = set(self.psql("micro_payment", sql).split())
        assert named
        return named - known


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    with stage.Stage(replicas=1) as platform:
        yield Drill(platform, tmp_path_factory.mktemp("sets"))


def test_everything_comes_back_and_what_was_saved_under_load_adds_up(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, figures = threading.Event(), collections.OrderedDict[str, object]()
    with concurrent.futures.ThreadPoolExecutor(1) as background:
        shops = background.submit(drill.load, ended)
        time.sleep(4)
        begun = time.time()
        under_load = drill.backup()
        time.sleep(1)
        ended.set()
        shops.result()
    figures["payments"] = (
        f"{len(drill.paid)}, {sum(each.when >= begun for each in drill.paid)} since the first backup began"
    )
    figures["backup under load"] = f"{under_load['seconds']:.1f} s, {under_load['bytes'] / 2**20:.1f} MiB"

    rows, keys, books = drill.at_rest(), drill.keys(), drill.books()
    at_rest = drill.backup()
    assert drill.rows() == rows
    drill.stage.run("down", "--wipe")
    assert not (drill.stage.data / "data").exists()
    clock = time.monotonic()
    restored = drill.restore()
    figures["restore of the whole platform"] = f"{restored['seconds']:.1f} s"
    drill.stage.run("up", "--detach", "--replicas", "1")
    figures["until it takes payments again"] = f"{time.monotonic() - clock:.1f} s"
    assert restored["stamp"] == at_rest["stamp"]
    now = drill.rows()
    assert {name: (rows.get(name), now.get(name)) for name in rows | now if rows.get(name) != now.get(name)} == {}
    assert drill.keys().items() >= keys.items()
    assert drill.books() == books
    assert books["even"] and books["entries"] > len(drill.paid)
    assert drill.assert_all_there(time.time()) == len(drill.paid)
    drill.outside.operator("reconcile", "python", "-m", "payments.transaction.reconcile")
    figures["compared"] = (
        f"{len(rows)} tables with {sum(int(each.split()[0]) for each in rows.values())} rows, {len(keys)} keys"
    )

    again = drill.restore("--replace", "--at", under_load["stamp"])
    figures["the first backup in place of it"] = f"{again['seconds']:.1f} s, from running to running"
    assert again["started"] and all(each["ok"] for each in again["verified"])
    figures["acknowledged before it, all there"] = drill.assert_all_there(begun)
    assert drill.orphans() == set()
    assert drill.books()["even"]
    new = drill.client().v1.payment_intents.create(
        {
            "amount": 999,
            "currency": "eur",
            "payment_method_types": ["card"],
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )
    assert new.status == "succeeded"
    with capsys.disabled():
        print("\n\nrestore drill", *(f"  {name:<36} {said}" for name, said in figures.items()), sep="\n")


def test_one_flipped_byte_is_refused_and_the_platform_goes_on(drill: Drill) -> None:
    dump = sorted(drill.sets.rglob("micro_transaction.dump"))[-1]
    whole = bytearray(dump.read_bytes())
    whole[len(whole) // 2] ^= 1
    dump.write_bytes(whole)
    with pytest.raises(RuntimeError, match=r"micro_transaction\.dump is damaged"):
        drill.restore("--replace")
    assert drill.books()["even"]
