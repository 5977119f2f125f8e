"""Processes die, money stays: kill -9 and restarts while payments go on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import stripe


class Load(threading.Thread):
    """Pays on and on; remembers what it was told had succeeded."""

    def __init__(self, live) -> None:
        super().__init__(daemon=True)
        self._client = live.client()
        self._ended = threading.Event()
        self.paid: list[str] = []
        self.failed: list[str] = []

    def run(self) -> None:
        wanted = {"amount": 1500, "currency": "eur", "payment_method_types": ["card"], "payment_method": "pm_card_visa"}
        while not self._ended.is_set():
            try:
                intent = self._client.v1.payment_intents.create({**wanted, "confirm": True})
            except stripe.StripeError as error:
                self.failed.append(f"{type(error).__name__}: {error}")
                time.sleep(0.05)
                continue
            if intent.status == "succeeded":
                self.paid.append(intent.id)

    def end(self) -> None:
        self._ended.set()
        self.join(60)


def running(live, name: str) -> dict:
    return next(each for each in live.stage.instances() if each["name"] == name)


def until(condition, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


def settled(live, intents: list[str]) -> None:
    """Every one of `intents` is there and succeeded, and the books are even."""
    client = live.client()
    for intent in intents:
        assert client.v1.payment_intents.retrieve(intent).status == "succeeded"
    said = live.world.operator("transaction-service", "python", "-m", "payments.transaction.trial_balance", "--json")
    assert set(json.loads(said)["sums"].values()) == {0}


def test_committed_payments_survive_a_killed_postgres(live):
    load = Load(live)
    load.start()
    until(lambda: len(load.paid) >= 20, "payments before the kill")
    os.kill(running(live, "postgres")["pids"][0], signal.SIGKILL)
    before = len(load.paid)
    until(lambda: len(load.paid) >= before + 20, "payments after PostgreSQL came back")
    load.end()
    settled(live, load.paid)


def test_a_killed_service_comes_back_and_loses_nothing(live):
    load = Load(live)
    load.start()
    until(lambda: len(load.paid) >= 10, "payments before the kill")
    for name in ("payment-api-service-0", "transaction-service-0"):
        os.kill(running(live, name)["pids"][0], signal.SIGKILL)
    before = len(load.paid)
    until(lambda: len(load.paid) >= before + 20, "payments after the kill")
    load.end()
    settled(live, load.paid)
    live.stage.run("wait", "--timeout", "60")


def test_a_rolling_restart_fails_no_request(live):
    load = Load(live)
    load.start()
    until(lambda: len(load.paid) >= 10, "payments before the restart")
    live.stage.run("restart", "payment-api-service", "transaction-service", "api-gateway")
    before = len(load.paid)
    until(lambda: len(load.paid) >= before + 10, "payments after the restart")
    load.end()
    assert load.failed == []
    settled(live, load.paid)
