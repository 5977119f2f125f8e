"""One key: at most one effect, and every answer equal byte for byte (I4)."""

from __future__ import annotations

import asyncio

from platforms.payments.tests import asgi
from platforms.payments.tests.api import conftest

PAY = {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}


async def together(api: conftest.Api, path: str, form: dict[str, object], key: str, times: int) -> list[asgi.Answer]:
    return await asyncio.gather(*(api.post(path, form, idempotency_key=key) for _ in range(times)))


async def test_parallel_requests_under_one_key_pay_once(api: conftest.Api) -> None:
    api.fakes.transactions.delay = 0.05
    answers = await together(api, "payment_intents", PAY, "k1", 12)
    done = {answer.body for answer in answers if answer.status == 200}
    assert {answer.status for answer in answers} == {200, 409}
    assert len(done) == 1
    assert api.fakes.charged == 1
    busy = next(answer for answer in answers if answer.status == 409)
    assert (busy.json["error"]["type"], busy.json["error"]["code"]) == ("idempotency_error", "idempotency_key_in_use")
    later = await api.post("payment_intents", PAY, idempotency_key="k1")
    assert ({later.body}, later.headers["idempotent-replayed"]) == (done, "true")


async def test_parallel_creations_under_one_key_make_one_and_all_see_it(api: conftest.Api) -> None:
    answers = await together(api, "customers", {"email": "a@example.com"}, "k", 12)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert len((await api.get("customers")).json["data"]) == 1


async def test_other_parameters_under_a_used_key_are_refused(api: conftest.Api) -> None:
    await api.good("customers", {"email": "a@example.com"}, idempotency_key="k")
    other = await api.post("customers", {"email": "b@example.com"}, idempotency_key="k")
    assert (other.status, other.json["error"]["type"]) == (400, "idempotency_error")
    elsewhere = await api.post("payment_intents", PAY, idempotency_key="k")
    assert (elsewhere.status, elsewhere.json["error"]["type"]) == (400, "idempotency_error")


async def test_a_decline_is_replayed_and_a_validation_error_is_not_saved(api: conftest.Api) -> None:
    declined = PAY | {"payment_method": "pm_card_chargeDeclined"}
    first = await api.post("payment_intents", declined, idempotency_key="d")
    again = await api.post("payment_intents", declined, idempotency_key="d")
    assert (first.status, first.body, again.headers["idempotent-replayed"]) == (402, again.body, "true")
    assert api.fakes.charged == 1
    assert (await api.post("payment_intents", {"currency": "usd"}, idempotency_key="v")).status == 400
    assert (await api.post("payment_intents", PAY, idempotency_key="v")).status == 200


async def test_keys_belong_to_their_account(api: conftest.Api) -> None:
    mine = await api.good("customers", {"email": "a@example.com"}, idempotency_key="k")
    theirs = await api.other("acct_other").good("customers", {"email": "a@example.com"}, idempotency_key="k")
    assert mine["id"] != theirs["id"]


async def test_a_lost_answer_is_processing_and_is_settled_later_without_a_second_charge(api: conftest.Api) -> None:
    api.fakes.transactions.faults.waiting += ["lost"]
    first = await api.post("payment_intents", PAY, idempotency_key="k")
    assert first.json["status"] == "processing"
    await api.overdue()
    intent = (await api.get(f"payment_intents/{first.json['id']}")).json
    assert intent["status"] == "succeeded"
    assert api.fakes.charged == 1
    replay = await api.post("payment_intents", PAY, idempotency_key="k")
    assert (replay.body, replay.headers["idempotent-replayed"]) == (first.body, "true")
    assert await api.events(intent["id"]) == [
        "payment_intent.created", "payment_intent.processing", "payment_intent.succeeded",
    ]  # fmt: skip


async def test_who_died_before_asking_is_finished_by_the_settler_and_the_key_with_it(api: conftest.Api) -> None:
    """The request is cut off while it asks: its promise and its key stay behind."""
    api.fakes.transactions.delay = 10
    cut = asyncio.create_task(api.post("payment_intents", PAY, idempotency_key="k"))
    while not await api.pool.fetchval("SELECT count(*) FROM promise WHERE account_id = $1", api.account):
        await asyncio.sleep(0.01)
    cut.cancel()
    await asyncio.wait((cut,))
    api.fakes.transactions.delay = 0
    running = await api.post("payment_intents", PAY, idempotency_key="k")
    assert running.json["error"]["code"] == "idempotency_key_in_use"
    await api.overdue()
    done = await api.post("payment_intents", PAY, idempotency_key="k")
    assert (done.status, done.json["status"], done.headers["idempotent-replayed"]) == (200, "succeeded", "true")
    assert api.fakes.charged == 1


async def test_an_acquirer_that_does_not_know_is_asked_until_it_does(api: conftest.Api) -> None:
    api.fakes.transactions.faults.waiting += ["unknown"]
    first = await api.good("payment_intents", PAY)
    assert (first["status"], first["latest_charge"]) == ("processing", None)
    await api.overdue()
    assert (await api.get(f"payment_intents/{first['id']}")).json["status"] == "succeeded"
    assert api.fakes.transactions.calls[-1] == "Get"


async def test_a_service_that_is_down_for_long_leaves_a_payment_processing(api: conftest.Api) -> None:
    api.fakes.transactions.faults.waiting += ["down"] * 3
    first = await api.good("payment_intents", PAY)
    await api.overdue()
    await api.overdue()
    assert (await api.get(f"payment_intents/{first['id']}")).json["status"] == "processing"
    await api.overdue()
    assert (await api.get(f"payment_intents/{first['id']}")).json["status"] == "succeeded"
    assert [edge for edge, _, _ in await api.history(first["id"])] == ["create_ready", "submit", "unanswered", "pay"]


async def test_an_unknown_capture_void_and_refund_are_settled_too(api: conftest.Api) -> None:
    held = PAY | {"capture_method": "manual"}
    one, two = [await api.good("payment_intents", held) for _ in range(2)]
    api.fakes.transactions.faults.waiting += ["lost", "unknown"]
    waiting = await api.good(f"payment_intents/{one['id']}/capture", {"amount_to_capture": 700})
    assert waiting["status"] == "requires_capture"
    waiting = await api.good(f"payment_intents/{two['id']}/cancel")
    assert waiting["status"] == "requires_capture"
    await api.overdue()
    taken = (await api.get(f"payment_intents/{one['id']}")).json
    assert (taken["status"], taken["amount_received"]) == ("succeeded", 700)
    assert (await api.get(f"payment_intents/{two['id']}")).json["status"] == "canceled"
    api.fakes.transactions.faults.waiting += ["lost"]
    refund = await api.good("refunds", {"payment_intent": one["id"], "amount": 100})
    assert refund["status"] == "pending"
    await api.overdue()
    assert (await api.get(f"refunds/{refund['id']}")).json["status"] == "succeeded"


async def test_a_failed_refund_gives_the_amount_free_again(api: conftest.Api) -> None:
    paid = await api.good("payment_intents", PAY)
    api.fakes.transactions.faults.waiting += ["failed"]
    refund = await api.good("refunds", {"payment_intent": paid["id"]})
    assert (refund["status"], refund["failure_reason"]) == ("failed", "declined")
    charge = (await api.get(f"charges/{paid['latest_charge']}")).json
    assert (charge["amount_refunded"], charge["refunded"]) == (0, False)
    assert (await api.good("refunds", {"payment_intent": paid["id"]}))["status"] == "succeeded"


async def test_parallel_refunds_never_return_more_than_was_taken(api: conftest.Api) -> None:
    paid = await api.good("payment_intents", PAY)
    answers = await asyncio.gather(
        *(api.post("refunds", {"payment_intent": paid["id"], "amount": 300}) for _ in range(8))
    )
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 400, 400, 400, 400, 400]
    charge = (await api.get(f"charges/{paid['latest_charge']}")).json
    assert charge["amount_refunded"] == 900


async def test_parallel_captures_take_once(api: conftest.Api) -> None:
    held = await api.good("payment_intents", PAY | {"capture_method": "manual"})
    api.fakes.transactions.delay = 0.03
    answers = await asyncio.gather(*(api.post(f"payment_intents/{held['id']}/capture") for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400]
    assert len([call for call in api.fakes.transactions.calls if call.startswith("Capture")]) == 1


async def test_a_refused_authorization_is_no_charge_and_no_processing(api: conftest.Api) -> None:
    api.fakes.transactions.faults.waiting += ["refused"]
    answer = await api.post("payment_intents", PAY)
    assert (answer.status, answer.json["error"]["code"]) == (402, "processing_error")
    assert answer.json["error"]["payment_intent"]["status"] == "requires_payment_method"
