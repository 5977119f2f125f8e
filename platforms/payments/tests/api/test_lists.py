"""Lists show each row once, newest first, while others insert (I10)."""

from __future__ import annotations

import asyncio

import pytest

from platforms.payments.tests.api import conftest


async def test_pages_visit_each_row_once_while_inserts_run(api: conftest.Api) -> None:
    made = [(await api.good("customers", {"name": str(number)}))["id"] for number in range(25)]
    stop = asyncio.Event()

    async def insert() -> None:
        while not stop.is_set():
            await api.good("customers", {"name": "later"})

    inserting = asyncio.create_task(insert())
    seen: list[str] = []
    form: dict[str, object] = {"limit": 4}
    while True:
        page = (await api.get("customers", form)).json
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        form["starting_after"] = seen[-1]
    stop.set()
    await inserting
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one in made] == sorted(made, reverse=True)


async def test_ending_before_goes_back_in_the_same_order(api: conftest.Api) -> None:
    made = sorted([(await api.good("customers"))["id"] for _ in range(6)], reverse=True)
    page = (await api.get("customers", {"ending_before": made[4], "limit": 2})).json
    assert ([row["id"] for row in page["data"]], page["has_more"]) == (made[2:4], True)
    first = (await api.get("customers", {"ending_before": made[2], "limit": 5})).json
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (made[:2], False)


async def test_created_bounds_and_columns_filter(api: conftest.Api) -> None:
    customer = await api.good("customers", {"email": "a@example.com"})
    await api.good("customers", {"email": "b@example.com"})
    found = (await api.get("customers", {"email": "a@example.com"})).json["data"]
    assert [row["id"] for row in found] == [customer["id"]]
    at = customer["created"]
    bounds = {"gte": (at, 2), "lt": (at, 0), "gt": (at + 100, 0), "lte": (at + 100, 2)}
    for form, count in (({f"created[{name}]": bound}, count) for name, (bound, count) in bounds.items()):
        assert len((await api.get("customers", form)).json["data"]) == count


@pytest.mark.parametrize(
    ("form", "param"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"limit": "x"}, "limit"), ({"created[xx]": 1}, "created[xx]"),
     ({"starting_after": "cus_nobody"}, "starting_after")],
)  # fmt: skip
async def test_wrong_questions_say_what_is_wrong(api: conftest.Api, form: dict[str, object], param: str) -> None:
    answer = await api.get("customers", form)
    assert (answer.status in (400, 404), answer.json["error"]["param"]) == (True, param)


async def test_expansion_goes_down_four_levels_and_into_lists(api: conftest.Api) -> None:
    customer = await api.good("customers", {"email": "a@example.com"})
    form = {"amount": 5, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    form["customer"] = customer["id"]
    wanted = {"expand[0]": "latest_charge.balance_transaction", "expand[1]": "customer"}
    paid = await api.good("payment_intents", form | wanted)
    assert paid["customer"]["email"] == "a@example.com"
    assert paid["latest_charge"]["balance_transaction"]["object"] == "balance_transaction"
    listed = (await api.get("payment_intents", {"expand[]": "data.latest_charge.customer"})).json
    assert listed["data"][0]["latest_charge"]["customer"]["id"] == customer["id"]
    deep = await api.get("payment_intents", {"expand[]": "data.a.b.c.d.e"})
    assert "more than 4 levels" in deep.json["error"]["message"]
    wrong = await api.post("payment_intents", form | {"expand[]": "nonsense"})
    assert (wrong.status, api.fakes.charged) == (400, 1)


async def test_events_are_listed_by_type_and_name_their_request(api: conftest.Api) -> None:
    await api.good("customers", {"name": "x"}, idempotency_key="k9")
    await api.good("payment_intents", {"amount": 5, "currency": "usd"})
    (event,) = (await api.get("events", {"type": "customer.created"})).json["data"]
    assert event["request"]["idempotency_key"] == "k9"
    assert event["data"]["object"]["name"] == "x"
    assert event["pending_webhooks"] == 0
    both = (await api.get("events", {"types[]": ["customer.created", "payment_intent.created"]})).json["data"]
    assert len(both) == 2
    one = (await api.get(f"events/{event['id']}")).json
    assert one == event
