"""Payments a second through the gateway, and where the time goes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pyqwest
import stripe

from payments.story import onboarding, stage, world

CLIENTS = (1, 8, 16)
THREADS = (1, 4)
HOOK = "/hooks/bench"
BODY = b"amount=2000&currency=eur&payment_method_types[]=card"
CONFIRM = b"payment_method=pm_card_visa"


def report(platform: stage.Stage, seconds: float) -> None:
    """Prints the figures; raises RuntimeError when an invariant does not hold after the run."""
    known = platform.world()
    outside = world.World(known)
    key = onboarding.onboard(outside)
    print("\ncreate + confirm through the gateway, lean client")
    best = 0.0
    for clients in CLIENTS:
        best = max(best, _lean(platform, known["PUBLIC_URL"], key, clients, seconds))
    for threads in THREADS:
        official = _official(known["PUBLIC_URL"], key, threads, seconds / 2)
        print(f"stripe-python, {threads} thread(s): {official:.0f}/s ({official / best:.2f} of the lean client's best)")
    _with_webhooks(platform, outside, known["PUBLIC_URL"], key, seconds)
    sums = json.loads(
        outside.operator("transaction-service", "python", "-m", "payments.transaction.trial_balance", "--json")
    )
    if any(sums["sums"].values()):
        raise RuntimeError(f"the ledger does not sum to zero: {sums}")
    print(f"after the run the ledger sums to zero: {sums['sums']}")


def _lean(platform: stage.Stage, url: str, key: str, clients: int, seconds: float) -> float:
    before, own = platform.cpu(), time.process_time()
    begun = time.monotonic()
    taken = asyncio.run(_load(url, key, clients, seconds))
    rate = len(taken) / (time.monotonic() - begun)
    own, after = time.process_time() - own, platform.cpu()
    p50, p99 = statistics.median(taken) * 1000, sorted(taken)[int(len(taken) * 0.99)] * 1000
    print(f"  {clients:>3} at once: {rate:6.0f}/s   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms")
    if clients == CLIENTS[-1]:
        spent = {name: (after[name] - before.get(name, 0)) / len(taken) * 1e6 for name in after}
        print(f"      CPU a payment, in µs (client {own / len(taken) * 1e6:.0f}):")
        for name, micros in sorted(spent.items(), key=lambda each: -each[1]):
            if micros >= 1:
                print(f"      {name:<24} {micros:6.0f}")
        print(f"      {'all of the platform':<24} {sum(spent.values()):6.0f}")
    return rate


async def _load(url: str, key: str, clients: int, seconds: float) -> list[float]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/x-www-form-urlencoded"}
    taken: list[float] = []
    deadline = time.monotonic() + seconds
    transport = pyqwest.HTTPTransport(pool_max_idle_per_host=clients)
    client = pyqwest.Client(transport)

    async def work() -> None:
        while time.monotonic() < deadline:
            begun = time.monotonic()
            intent = await _ask(client, f"{url}/v1/payment_intents", headers, BODY)
            paid = await _ask(client, f"{url}/v1/payment_intents/{intent['id']}/confirm", headers, CONFIRM)
            if paid["status"] != "succeeded":
                raise RuntimeError(f"a payment ended {paid['status']}: {paid}")
            taken.append(time.monotonic() - begun)

    workers: list[Awaitable[None]] = [work() for _ in range(clients)]
    await asyncio.gather(*workers)
    await transport.aclose()
    return taken


async def _ask(client: pyqwest.Client, url: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    answer = await client.execute("POST", url, headers, body)
    if answer.status != 200:
        raise RuntimeError(f"{url} answered {answer.status}: {bytes(answer.content).decode(errors='replace')}")
    found: dict[str, str] = json.loads(bytes(answer.content))
    return found


def _with_webhooks(platform: stage.Stage, outside: world.World, url: str, key: str, seconds: float) -> None:
    """The same load while each event is delivered to a listener, and until the last one is."""
    client = stripe.StripeClient(key, base_addresses={"api": url})
    client.v1.webhook_endpoints.create({"url": outside.webhooks + HOOK, "enabled_events": ["*"]})
    print("the same with every event delivered to a listener")
    begun, before = time.monotonic(), outside.deliveries(HOOK, _newest, "nothing yet") or 0
    rate = _lean(platform, url, key, CLIENTS[1], seconds)
    quiet, last = time.monotonic(), before
    while time.monotonic() - quiet < 1:
        newest = outside.deliveries(HOOK, _newest, "a delivery")
        quiet, last = (time.monotonic(), newest) if newest != last else (quiet, last)
        time.sleep(0.1)
    print(
        f"      {(last - before) / (time.monotonic() - begun - 1):.0f} deliveries a second beside {rate:.0f} payments"
    )


def _newest(came: list[dict[str, Any]]) -> int:
    return int(came[-1]["number"]) if came else 0


def _official(url: str, key: str, threads: int, seconds: float) -> float:
    client = stripe.StripeClient(key, base_addresses={"api": url})
    wanted = {"amount": 2000, "currency": "eur", "payment_method_types": ["card"]}
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda _: _rate(lambda: _pay(client, wanted), seconds), range(threads)))


def _pay(client: stripe.StripeClient, wanted: object) -> None:
    intent = client.v1.payment_intents.create(wanted)  # type: ignore[arg-type]
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


def _rate(act: Callable[[], None], seconds: float) -> float:
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        act()
        count += 1
    return count / (time.monotonic() - begun)


if __name__ == "__main__":
    with stage.Stage(replicas=int(os.environ.get("REPLICAS", "1"))) as one:
        report(one, 5.0)
