"""No answer is unknown, never failed: whatever goes wrong between us and the acquirer, the books agree in the end."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import grpc
import pytest

from payments.rpc import transaction_pb2 as pb
from payments.transaction import acquirer, reconcile
from platforms.payments.tests import money, running

UNSETTLED = (pb.PENDING, pb.UNKNOWN)


async def settled(client: money.Client, one: pb.Transaction) -> pb.Transaction:
    """The transaction once nobody doubts it any more."""
    async with asyncio.timeout(running.LIMIT):
        while (found := await client.get(one)).state in UNSETTLED:
            await asyncio.sleep(0.05)
        return found


async def differences(house: money.House, environment: pytest.MonkeyPatch) -> reconcile.Report:
    """What the Job would print."""
    environment.setenv("DATABASE_DSN", house.file("job-dsn", house.ledger_db.dsn))
    environment.setenv("ACQUIRER_URL", f"http://127.0.0.1:{house.acquirer.http}")
    return await reconcile._main()


@pytest.mark.parametrize("kind", ["timeout_after_charge", "error_after_charge"])
async def test_a_charge_without_an_answer_is_unknown_and_found_again(
    house: money.House, client: money.Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.faults(kind, seconds=2)
    paid = await client.pay(1000)
    assert paid.state == pb.UNKNOWN
    assert (await settled(client, paid)).state == pb.CAPTURED
    assert (await client.balance())["pending"] == {"usd": 941}
    assert (await differences(house, monkeypatch)).differences == ()


async def test_a_charge_that_comes_late_is_taken_in_when_it_comes_in_time(
    house: money.House, client: money.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.faults("late_success", seconds=1.1)
    paid = await client.pay(1000, capture=False)
    assert paid.state == pb.UNKNOWN
    assert (await settled(client, paid)).state == pb.AUTHORIZED
    assert (await differences(house, monkeypatch)).differences == ()


async def test_a_charge_that_comes_too_late_is_refused_since_its_key_was_reversed(
    house: money.House, client: money.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.faults("late_success", seconds=6)
    paid = await client.pay(1000)
    assert paid.state == pb.UNKNOWN
    declined = await settled(client, paid)
    assert (declined.state, declined.error_code) == (pb.DECLINED, "processing_error")
    await asyncio.sleep(5)  # until the acquirer has had its late say
    assert await client.balance() == {"available": {}, "pending": {}, "held": {}}
    assert (await differences(house, monkeypatch)).differences == ()


async def test_captures_voids_and_refunds_without_an_answer_happen_once(
    house: money.House, client: money.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, voided = await client.pay(1000, capture=False), await client.pay(300, capture=False)
    house.faults("error_after_charge", operation="capture")
    request = money.request()
    assert (await client.capture(held, 600, request_id=request)).state == pb.UNKNOWN
    assert (await settled(client, held)).captured == 600
    assert (await client.capture(held, 600, request_id=request)).captured == 600
    house.faults("error_after_charge", operation="refund")
    back = money.request()
    assert (await client.refund(held, 100, request_id=back)).state == "unknown"
    await settled(client, held)
    assert (await client.refund(held, 100, request_id=back)).state == "succeeded"
    house.faults("error_after_charge", operation="void")
    assert (await client.void(voided)).state == pb.UNKNOWN
    assert (await settled(client, voided)).state == pb.VOIDED
    assert (await client.balance())["held"] == {"usd": 400}
    assert (await client.get(held)).refunded == 100
    assert (await differences(house, monkeypatch)).differences == ()


async def test_an_acquirer_that_is_down_charges_nobody(house: money.House, client: money.Client) -> None:
    house.faults("down", count=200)
    tries = [await client.pay(1000) for _ in range(3)]
    house.heal()
    ended = [await settled(client, one) for one in tries]
    assert {one.state for one in ended} == {pb.DECLINED}
    assert await client.balance() == {"available": {}, "pending": {}, "held": {}}


async def test_a_caller_that_hangs_up_does_not_stop_what_was_begun(house: money.House, client: money.Client) -> None:
    token, asked = (await client.tokenize()).id, _asked()
    house.faults("timeout_after_charge", seconds=0.4)
    message = pb.AuthorizeRequest(
        account_id=client.account_id, amount=1000, card_token=token, currency="usd", capture=True, **asked
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await client.money.Authorize(message, timeout=0.2)
    found = pb.GetRequest(account_id=client.account_id, reference=asked["reference"])
    one = await settled(client, await client.money.Get(found))
    assert one.state == pb.CAPTURED
    assert (await client.authorize(1000, token, capture=True, **asked)).id == one.id


def _asked() -> dict[str, Any]:
    return {"request_id": money.request(), "reference": money.request()}


async def _killed(house: money.House, when: str, work: Any) -> None:
    """A second service, killed with -9 while `work(client)` runs and the acquirer does what `when` says."""
    victim = house.start_transactions(RECONCILE_EVERY="1000")
    async with house.client(victim) as doomed:
        known = _operations(house)
        house.faults(when, seconds=2)
        doing = asyncio.ensure_future(work(doomed))
        async with asyncio.timeout(running.LIMIT):
            while _operations(house) == known:  # it is written down before the acquirer is asked
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        victim.stop(signal.SIGKILL)
        with pytest.raises(grpc.aio.AioRpcError):
            await doing
    house.heal()


@pytest.mark.parametrize("when", ["late_success", "timeout_after_charge"])
async def test_a_service_killed_while_it_asks_leaves_nothing_open_and_nothing_twice(
    house: money.House, client: money.Client, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, paid = await client.pay(1000, capture=False), await client.pay(900)
    token, request = (await client.tokenize()).id, {"request_id": money.request(), "reference": money.request()}

    def as_merchant(doomed: money.Client) -> money.Client:
        doomed.account_id = client.account_id
        return doomed

    await _killed(house, when, lambda doomed: as_merchant(doomed).authorize(700, token, capture=True, **request))
    await _killed(house, when, lambda doomed: as_merchant(doomed).capture(held, 1000))
    await _killed(house, when, lambda doomed: as_merchant(doomed).refund(paid, 900))
    await _open_are(house, 0)
    one = await client.money.Get(pb.GetRequest(account_id=client.account_id, reference=request["reference"]))
    assert one.state == pb.CAPTURED
    assert (await client.get(held)).captured == 1000
    assert (await client.get(paid)).refunded == 900
    assert (await differences(house, monkeypatch)).differences == ()


async def test_a_service_killed_between_two_steps_leaves_nothing_open(
    house: money.House, client: money.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step 1 written and nothing sent, and the answer given and step 3 not written: as rows, without a process."""
    held = await client.pay(1000, capture=False)
    db = house.ledger_db
    db.psql(
        "INSERT INTO operation (id, transaction_id, account_id, kind, request_id, parameters, amount, state,"
        f" created_at, lease_until) VALUES ('op_step1', '{held.id}', '{client.account_id}', 'capture', 'r', '', 400,"
        " 'pending', now(), now())"
    )
    db.psql(f"UPDATE transaction SET capturing = 400, version = version + 1 WHERE id = '{held.id}'")
    await _open_are(house, 0)
    assert (await client.get(held)).captured == 400
    assert (await differences(house, monkeypatch)).differences == ()


async def test_a_difference_is_found(house: money.House, client: money.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (await differences(house, monkeypatch)).differences
    assert before == ()
    card = {"number": money.VISA, "exp_month": 1, "exp_year": 2034}
    orphan = {"key": "op_of_nobody", "amount": 5, "currency": "usd", "card": card, "capture": True}
    running.ask(house.acquirer.http, "POST", "/authorizations", json_body=orphan)
    report = await differences(house, monkeypatch)
    assert [line.split(":")[0] for line in report.differences] == ["op_of_nobody"]
    running.ask(house.acquirer.http, "POST", "/reversals", json_body={"key": "op_of_nobody"})
    held = await client.pay(1000, capture=False)
    key = house.ledger_db.psql(f"SELECT id FROM operation WHERE transaction_id = '{held.id}'").strip()
    running.ask(house.acquirer.http, "POST", "/reversals", json_body={"key": key})
    assert [str(line) for line in (await differences(house, monkeypatch)).differences] == [
        f"{key}: {held.id}: held 1000 here, 0 there"
    ]
    await client.void(held)
    assert (await differences(house, monkeypatch)).differences == ()


def _operations(house: money.House) -> int:
    return int(house.ledger_db.psql("SELECT count(*) FROM operation"))


async def _open_are(house: money.House, count: int) -> None:
    sql = "SELECT count(*) FROM operation WHERE state IN ('pending', 'unknown')"
    async with asyncio.timeout(running.LIMIT):
        while int(house.ledger_db.psql(sql)) != count:
            await asyncio.sleep(0.1)


async def test_a_dispute_that_is_notified_twice_is_recorded_once(house: money.House, client: money.Client) -> None:
    house.faults("duplicate_notification")
    paid = await client.pay(1000, "4000000000000259")
    async with asyncio.timeout(running.LIMIT):
        while (await client.get(paid)).disputed != 1000:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)  # further rounds of the reconciler
    assert house.ledger_db.psql(f"SELECT count(*) FROM dispute WHERE transaction_id = '{paid.id}'").strip() == "1"
    assert (await client.balance())["available"] == {"usd": -1000}
    wanted: dict[str, Any] = {"account_id": client.account_id, "transaction_id": paid.id, "request_id": money.request()}
    with pytest.raises(grpc.aio.AioRpcError, match="0 of"):
        await client.refund(paid, 1)
    won = await client.money.RecordDispute(pb.RecordDisputeRequest(**wanted, outcome="won"))
    assert (won.state, won.amount) == ("won", 1000)
    again = await client.money.RecordDispute(pb.RecordDisputeRequest(**wanted, outcome="won"))
    assert again.SerializeToString() == won.SerializeToString()
    assert (await client.balance())["available"] == {}


async def test_an_expired_hold_is_freed_exactly_once(house: money.House, client: money.Client) -> None:
    second = house.start_transactions()
    try:
        held = [await client.pay(100, capture=False) for _ in range(5)]
        part = await client.pay(100, capture=False)
        await client.capture(part, 30)
        ids = ", ".join(f"'{one.id}'" for one in (*held, part))
        house.ledger_db.psql(f"UPDATE transaction SET expires_at = now() WHERE id IN ({ids})")
        async with asyncio.timeout(running.LIMIT):
            while (await client.balance())["held"]:
                await asyncio.sleep(0.05)
        assert {(await client.get(one)).state for one in held} == {pb.EXPIRED}
        assert (await client.get(part)).state == pb.CAPTURED
        with pytest.raises(grpc.aio.AioRpcError):
            await client.capture(part, 1)
    finally:
        second.stop()
    released = (
        f"SELECT transaction_id, sum(amount) FROM entry WHERE kind = 'release' AND amount > 0"
        f" AND transaction_id IN ({ids}) GROUP BY 1"
    )
    assert {line.split("|")[1] for line in house.ledger_db.psql(released).split()} == {"100"}


async def test_captured_money_becomes_available(house: money.House, client: money.Client) -> None:
    await client.pay(1000)
    house.ledger_db.psql(f"UPDATE settlement SET available_at = now() WHERE account_id = '{client.account_id}'")
    async with asyncio.timeout(running.LIMIT):
        while (await client.balance())["available"] != {"usd": 941}:
            await asyncio.sleep(0.05)
    assert (await client.balance())["pending"] == {}


def test_what_the_acquirer_does_not_say_in_its_own_words_is_unknown() -> None:
    with pytest.raises(acquirer.Unknown):
        acquirer._read(200, b"<html>502 Bad Gateway</html>", acquirer.Listed)
    with pytest.raises(acquirer.Unknown):
        acquirer._read(404, b"<html>not here</html>", acquirer.Listed)
