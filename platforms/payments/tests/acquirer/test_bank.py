"""The acquirer behaves as its table says: test cards, keys, faults, pages, and a book that survives its death."""

from __future__ import annotations

import secrets
import signal

import pytest

from payments.acquirer import testcards
from platforms.payments.tests import running
from platforms.payments.tests.acquirer import conftest


def key() -> str:
    return f"key_{secrets.token_hex(8)}"


@pytest.mark.parametrize(("number", "code"), testcards._DECLINES)
def test_a_documented_card_is_declined_as_documented(bank: conftest.Bank, number: str, code: str) -> None:
    _, made = bank.authorize(key(), number=number)
    assert (made["status"], made["decline_code"], made["captured"]) == ("declined", code, 0)


def test_one_key_has_one_effect_and_other_parameters_are_refused(bank: conftest.Bank) -> None:
    mine = key()
    first, again = bank.authorize(mine), bank.authorize(mine)
    assert first == again
    assert bank.authorize(mine, amount=1001)[0] == 409
    assert bank.get(f"/authorizations?key={mine}") == first
    one, two = first[1]["id"], key()
    captured = bank.post(f"/authorizations/{one}/captures", key=two, amount=400)
    assert captured == bank.post(f"/authorizations/{one}/captures", key=two, amount=400)
    assert captured[1]["authorization"]["held"] == 600
    assert bank.post(f"/authorizations/{one}/captures", key=two, amount=401)[0] == 409


def test_no_more_is_captured_or_refunded_than_there_is(bank: conftest.Bank) -> None:
    _, one = bank.authorize(key())
    assert bank.post(f"/authorizations/{one['id']}/captures", key=key(), amount=1001)[0] == 402
    assert bank.post(f"/authorizations/{one['id']}/refunds", key=key(), amount=1)[0] == 402
    assert bank.post(f"/authorizations/{one['id']}/captures", key=key(), amount=700, final=True)[0] == 200
    assert bank.post(f"/authorizations/{one['id']}/captures", key=key(), amount=1)[0] == 402
    assert bank.post(f"/authorizations/{one['id']}/refunds", key=key(), amount=701)[0] == 402
    assert bank.post(f"/authorizations/{one['id']}/refunds", key=key(), amount=700)[0] == 200


def test_a_reversed_key_is_refused_when_it_arrives_later(bank: conftest.Bank) -> None:
    early, late = key(), key()
    bank.authorize(early, capture=True)
    assert bank.post("/reversals", key=early) == (200, {"status": "reversed"})
    _, undone = bank.get(f"/authorizations?key={early}")
    assert (undone["status"], undone["captured"]) == ("voided", 0)
    assert bank.post("/reversals", key=late) == (200, {"status": "nothing"})
    assert bank.authorize(late)[0] == 409
    assert bank.get(f"/authorizations?key={late}")[0] == 404


def test_a_holder_authenticates_without_javascript(bank: conftest.Bank) -> None:
    _, asked = bank.authorize(key(), number="4000002760003184")
    assert asked["status"] == "requires_action"
    path = asked["authentication_url"].split(str(bank.process.http), 1)[1] + "?return_url=http%3A%2F%2Fshop.test%2Fback"
    page = running.ask(bank.process.http, "GET", path)
    assert (page.status, b"<script" in page.body) == (200, False)
    proof = {"number": "4000002760003184", "authentication": asked["authentication"]}
    assert bank.authorize(key(), **proof)[1]["status"] == "declined"
    form = {"content-type": "application/x-www-form-urlencoded"}
    answered = running.ask(bank.process.http, "POST", path, body=b"answer=approve", headers=form)
    assert answered.status == 303
    assert (
        answered.headers["location"]
        == f"http://shop.test/back?authentication={asked['authentication']}&result=succeeded"
    )
    paid = bank.authorize(key(), **proof)[1]
    assert paid["status"] == "authorized"
    # A proof is good for one payment.
    used = bank.authorize(key(), **proof)[1]
    assert used["decline_code"] == "authentication_failed"


def test_a_holder_who_fails_is_declined_and_no_return_address_but_http_is_followed(bank: conftest.Bank) -> None:
    _, asked = bank.authorize(key(), number="4000000000003220")
    path = asked["authentication_url"].split(str(bank.process.http), 1)[1]
    answered = running.ask(bank.process.http, "POST", f"{path}?return_url=javascript:alert(1)", body=b"answer=fail")
    assert (answered.status, b"failed" in answered.body, "location" in answered.headers) == (200, True, False)
    declined = bank.authorize(key(), number="4000000000003220", authentication=asked["authentication"])[1]
    assert declined["decline_code"] == "authentication_failed"


def test_a_card_that_was_set_up_is_charged_without_its_holder(bank: conftest.Bank) -> None:
    number = "4000002500003155"
    off = bank.authorize(key(), number=number, off_session=True)[1]
    assert off["decline_code"] == "authentication_required"
    _, asked = bank.authorize(key(), amount=0, number=number)
    path = asked["authentication_url"].split(str(bank.process.http), 1)[1]
    running.ask(bank.process.http, "POST", path, body=b"answer=approve")
    verified = bank.authorize(key(), amount=0, number=number, authentication=asked["authentication"])[1]
    assert verified["status"] == "authorized"
    assert bank.authorize(key(), number=number, off_session=True)[1]["status"] == "authorized"
    # The one that always asks does not care.
    assert bank.authorize(key(), number="4000002760003184", off_session=True)[1]["status"] == "declined"


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [("error_after_charge", 500, True), ("down", 503, False), ("timeout_after_charge", 504, True)],
)
def test_faults_do_what_they_say(bank: conftest.Bank, kind: str, status: int, done: bool) -> None:
    bank.post("/faults", kind=kind, count=1, seconds=0.05)
    mine = key()
    assert bank.authorize(mine)[0] == status
    assert bank.get(f"/authorizations?key={mine}")[0] == (200 if done else 404)
    assert bank.authorize(mine)[0] == 200


def test_the_book_pages_through_everything_and_survives_a_kill(bank: conftest.Bank) -> None:
    mine = [key() for _ in range(7)]
    for one in mine:
        bank.authorize(one)
    bank.process.stop(signal.SIGKILL)
    bank.start()
    after: str | None = ""
    seen: list[str] = []
    while after is not None:
        _, page = bank.get(f"/book?limit=3&after={after}")
        seen.extend(each["key"] for each in page["authorizations"])
        after = page["next"]
    assert seen[-7:] == mine
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/authorizations", {"key": "k", "amount": -1, "currency": "usd", "card": {}}),
        ("/authorizations", {"amount": 1}),
        ("/faults", {"kind": "gremlins"}),
    ],
)
def test_malformed_requests_are_refused(bank: conftest.Bank, path: str, body: dict[str, object]) -> None:
    assert bank.post(path, **body)[0] == 400


def test_its_files_hold_no_number(bank: conftest.Bank) -> None:
    number = "4000056655665556"
    bank.authorize(key(), number=number)
    files = [path for path in bank.data.iterdir() if path.is_file()]
    assert files
    assert not [path for path in files if number.encode() in path.read_bytes()]
    assert any(number[-4:].encode() in path.read_bytes() for path in files)
