"""What must hold of money, keys and cards while the whole platform runs (the invariants of its design)."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import json
import random
import secrets
import urllib.error
import urllib.parse
import urllib.request

import asyncpg
import pytest
import stripe

CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "7391"[:3]}


def pay(live, amount=2000, method="pm_card_visa", **more):
    wanted = {"amount": amount, "currency": "eur", "payment_method_types": ["card"], "payment_method": method}
    return live.client().v1.payment_intents.create({**wanted, "confirm": True, **more})


def trial_balance(live) -> dict[str, int]:
    said = live.world.operator("transaction-service", "python", "-m", "payments.transaction.trial_balance", "--json")
    return json.loads(said)["sums"]


def post(live, path: str, body: dict[str, str], key: str) -> tuple[int, bytes, str]:
    """Status, body and Idempotent-Replayed of a request with an idempotency key."""
    headers = {"authorization": f"Bearer {live.key}", "idempotency-key": key}
    request = urllib.request.Request(live.url + path, urllib.parse.urlencode(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers.get("idempotent-replayed", "")
    except urllib.error.HTTPError as error:
        return error.code, error.read(), ""


def test_entries_sum_to_zero_whatever_parallel_shops_do(live):
    def shop(seed: int) -> None:
        dice = random.Random(seed)
        client = live.client()
        for _ in range(6):
            intent = pay(live, dice.randrange(100, 9000), capture_method=dice.choice(["manual", "automatic"]))
            if intent.status == "requires_capture":
                if dice.random() < 0.3:
                    client.v1.payment_intents.cancel(intent.id)
                    continue
                client.v1.payment_intents.capture(intent.id, {"amount_to_capture": dice.randrange(50, intent.amount)})
            if dice.random() < 0.7:
                client.v1.refunds.create({"payment_intent": intent.id, "amount": dice.randrange(1, 50)})

    with concurrent.futures.ThreadPoolExecutor(6) as shops:
        list(shops.map(shop, range(6)))
    sums = trial_balance(live)
    assert sums
    assert set(sums.values()) == {0}


def test_parallel_refunds_never_give_back_more_than_was_captured(live):
    intent = pay(live, 1000)

    def refund(_: int) -> int:
        try:
            live.client().v1.refunds.create({"payment_intent": intent.id, "amount": 300})
        except stripe.InvalidRequestError:
            return 0
        return 300

    with concurrent.futures.ThreadPoolExecutor(8) as many:
        given_back = sum(many.map(refund, range(8)))
    assert given_back == 900
    charge = live.client().v1.charges.retrieve(live.client().v1.payment_intents.retrieve(intent.id).latest_charge)
    assert charge.amount_refunded == 900


def test_parallel_captures_never_take_more_than_was_authorized(live):
    intent = pay(live, 1000, capture_method="manual")

    def capture(_: int) -> int:
        try:
            return live.client().v1.payment_intents.capture(intent.id).amount_received
        except stripe.InvalidRequestError:
            return 0

    with concurrent.futures.ThreadPoolExecutor(6) as many:
        taken = list(many.map(capture, range(6)))
    assert live.client().v1.payment_intents.retrieve(intent.id).amount_received == 1000
    assert set(taken) <= {0, 1000}


def test_one_key_has_one_effect_and_all_its_answers_are_equal(live):
    key, body = secrets.token_hex(8), {"amount": "700", "currency": "eur", "payment_method_types[]": "card"}
    with concurrent.futures.ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: post(live, "/v1/payment_intents", body, key), range(8)))
    answers.append(post(live, "/v1/payment_intents", body, key))
    assert {status for status, _, _ in answers} <= {200, 409}
    assert len({content for status, content, _ in answers if status == 200}) == 1
    assert answers[-1][0] == 200
    assert answers[-1][2] == "true"
    other = post(live, "/v1/payment_intents", {**body, "amount": "701"}, key)
    assert other[0] == 400
    assert json.loads(other[1])["error"]["type"] == "idempotency_error"


async def test_each_history_is_a_path_of_the_graph_and_each_step_made_its_events_once(live):
    from payments.api import graph

    pay(live)
    connection = await asyncpg.connect(live.dsn("payment-api-service"))
    try:
        rows = await connection.fetch("SELECT kind, object_id, edge, before, after FROM history ORDER BY number")
        made = await connection.fetch("SELECT object_id, type, count(*) AS made FROM outbox_event GROUP BY 1, 2")
    finally:
        await connection.close()
    assert rows
    histories = collections.defaultdict(list)
    for row in rows:
        histories[row["kind"], row["object_id"]].append(row)
    owed = collections.Counter()
    for (kind, thing), steps in histories.items():
        for former, later in itertools.pairwise(steps):
            assert former["after"] == later["before"], thing
        for step in steps:
            assert graph.allows(step["before"], step["after"], kind), tuple(step)
            owed.update((thing, event) for event in graph.edge(kind, step["edge"], step["before"]).events)
    assert {(row["object_id"], row["type"]): row["made"] for row in made} == owed


def test_no_card_number_and_no_cvc_is_anywhere(live):
    number, cvc = "4000056655665556", "739"
    client = live.client()
    method = client.v1.payment_methods.create({"type": "card", "card": {**CARD, "number": number, "cvc": cvc}})
    pay(live, 3333, method.id)
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.create({"type": "card", "card": {**CARD, "number": "4242424242424241"}})
    searched = 0
    for file in live.data.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            searched += 1
            for secret in (number, "4242424242424241", "4000 0566 5566 5556", f'"cvc":"{cvc}"', f"cvc={cvc}"):
                assert secret.encode() not in content, file
    assert searched > 500  # the databases, Redis' file, the acquirer's book and every log are among them


def test_a_foreign_id_is_not_found(live):
    from payments.story import onboarding

    intent = pay(live)
    other = stripe.StripeClient(onboarding.onboard(live.world), base_addresses={"api": live.url})
    for act in (
        lambda: other.v1.payment_intents.retrieve(intent.id),
        lambda: other.v1.payment_intents.cancel(intent.id),
        lambda: other.v1.refunds.create({"payment_intent": intent.id}),
        lambda: other.v1.charges.retrieve(intent.latest_charge),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            act()
        assert refused.value.http_status == 404
