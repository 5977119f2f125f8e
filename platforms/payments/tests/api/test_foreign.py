"""What belongs to another account, or to the other mode, does not exist (I9); keys may do what they say and no more."""

from __future__ import annotations

from typing import Any

import pytest

from payments.api import app
from platforms.payments.tests.api import conftest

PAY = {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}


async def everything(api: conftest.Api) -> dict[str, str]:
    """One object of each kind, by the first part of its path."""
    customer = await api.good("customers", {"email": "a@example.com"})
    method = await api.good("payment_methods/pm_card_visa/attach", {"customer": customer["id"]})
    intent = await api.good("payment_intents", PAY)
    refund = await api.good("refunds", {"payment_intent": intent["id"], "amount": 1})
    session = {
        "mode": "payment", "success_url": "https://a.example/",
        "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": 5,
        "line_items[0][price_data][product_data][name]": "x",
    }  # fmt: skip
    card = {"card[number]": "4242424242424242", "card[exp_month]": 1, "card[exp_year]": 2040, "card[cvc]": "123"}
    return {
        "customers": customer["id"],
        "payment_methods": method["id"],
        "payment_intents": intent["id"],
        "charges": intent["latest_charge"],
        "refunds": refund["id"],
        "setup_intents": (await api.good("setup_intents"))["id"],
        "checkout/sessions": (await api.good("checkout/sessions", session))["id"],
        "tokens": (await api.good("tokens", card))["id"],
        "balance_transactions": (await api.get("balance_transactions")).json["data"][0]["id"],
        "events": (await api.get("events")).json["data"][0]["id"],
        "webhook_endpoints": (
            await api.good("webhook_endpoints", {"url": "https://a.example/", "enabled_events[]": "*"})
        )["id"],
    }


# What a request must carry to get as far as looking at the id in its path.
_NEEDED = {
    "/v1/payment_methods/{id}/attach": {"customer": "cus_x"},
    "/v1/events/{id}/retry": {"webhook_endpoint": "we_x"},
}


async def test_every_endpoint_answers_404_for_a_foreign_id(api: conftest.Api) -> None:
    mine = await everything(api)
    routes = [route for kind in app.HANDLERS for route in kind(api.world).routes() if "{id}" in route.path]
    strangers: list[tuple[conftest.Api, dict[str, Any]]] = [
        (api.other("acct_stranger"), {}), (api, {"x_livemode": "true"}),
    ]  # fmt: skip
    asked = 0
    for route in routes:
        kind = route.path.removeprefix("/v1/").split("/{")[0]
        path = route.path.replace("{id}", mine[kind])
        for stranger, headers in strangers:
            answer = await stranger.ask(route.method, path, _NEEDED.get(route.path, {}), **headers)
            assert (answer.status, answer.json["error"]["code"]) == (404, "resource_missing"), (route.path, answer.body)
            asked += 1
    assert asked >= 70


@pytest.mark.parametrize(
    ("path", "param", "kind", "more"),
    [
        ("payment_intents", "customer", "customers", PAY),
        ("payment_intents", "payment_method", "payment_methods", PAY),
        ("refunds", "charge", "charges", {}),
        ("refunds", "payment_intent", "payment_intents", {}),
        ("payment_methods/pm_card_visa/attach", "customer", "customers", {}),
        ("customers", "payment_method", "payment_methods", {}),
        ("customers", "invoice_settings[default_payment_method]", "payment_methods", {}),
        (
            "payment_methods", "card[token]", "tokens", {"type": "card"},
        ),
    ],
)  # fmt: skip
async def test_a_foreign_id_as_parameter_is_404_too(
    api: conftest.Api, path: str, param: str, kind: str, more: dict[str, object]
) -> None:
    mine = await everything(api)
    answer = await api.other("acct_stranger").post(path, more | {param: mine[kind]})
    assert (answer.status, answer.json["error"]["code"]) == (404, "resource_missing"), answer.body
    assert answer.json["error"]["param"] == param


async def test_foreign_cursors_filters_and_expansions_show_nothing(api: conftest.Api) -> None:
    mine = await everything(api)
    stranger = api.other("acct_stranger2")
    for kind in mine:
        if kind == "tokens":
            continue
        assert (await stranger.get(kind, {"starting_after": mine[kind]})).status == 404, kind
        assert (await stranger.get(kind)).json["data"] == []
    assert (await stranger.get("charges", {"payment_intent": mine["payment_intents"]})).json["data"] == []


async def test_restricted_keys_do_what_their_scopes_say(api: conftest.Api) -> None:
    restricted: dict[str, Any] = {"x_key_kind": "restricted", "x_scopes": "payment_intents:write,charges:read"}
    intent = await api.good("payment_intents", {"amount": 5, "currency": "usd"}, **restricted)
    assert (await api.get(f"payment_intents/{intent['id']}", **restricted)).status == 200
    refused = await api.post("customers", {}, **restricted)
    assert refused.status == 403
    assert "customers:write" in refused.json["error"]["message"]
    assert (await api.get("charges", **restricted)).status == 200
    expanded = await api.get(f"payment_intents/{intent['id']}", {"expand[]": "customer"}, **restricted)
    assert expanded.status == 200  # nothing there to expand
    paid = await api.good("payment_intents", PAY)
    form = {"expand[]": "payment_method"}
    assert (await api.get(f"payment_intents/{paid['id']}", form, **restricted)).status == 403


async def test_a_publishable_key_needs_the_client_secret_and_sees_less(api: conftest.Api) -> None:
    public: dict[str, Any] = {"x_key_kind": "publishable", "x_scopes": ""}
    intent = await api.good("payment_intents", {"amount": 500, "currency": "usd", "metadata[secret]": "x"})
    path = f"payment_intents/{intent['id']}"
    assert (await api.post("payment_intents", {"amount": 5, "currency": "usd"}, **public)).status == 403
    assert (await api.get(path, **public)).json["error"]["code"] == "parameter_missing"
    assert (await api.get(path, {"client_secret": "wrong"}, **public)).status == 404
    seen = (await api.get(path, {"client_secret": intent["client_secret"]}, **public)).json
    assert "metadata" not in seen
    card = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": 1, "card[exp_year]": 40}
    method = await api.good("payment_methods", card | {"card[cvc]": "123"}, **public)
    form = {"client_secret": intent["client_secret"], "payment_method": method["id"]}
    paid = await api.good(f"{path}/confirm", form, **public)
    assert (paid["status"], "latest_charge" in paid) == ("succeeded", False)


async def test_without_an_account_nobody_is_let_in(api: conftest.Api) -> None:
    answer = await api.get("charges", x_account_id="")
    assert (answer.status, answer.json["error"]["type"]) == (401, "invalid_request_error")
