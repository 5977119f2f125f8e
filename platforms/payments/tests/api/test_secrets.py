"""A card number or CVC is in no row, log or answer (I7)."""

from __future__ import annotations

import logging

import pytest

from platforms.payments.tests import engines
from platforms.payments.tests.api import conftest

NUMBER, CVC = "4000056655665556", "9371"
CARD = {"card[number]": NUMBER, "card[exp_month]": 12, "card[exp_year]": 2034, "card[cvc]": CVC}


async def test_no_number_stays_anywhere(
    api: conftest.Api, database: engines.Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    nested = {f"payment_method_data[{name.replace('[', '][', 1)}": value for name, value in CARD.items()}
    pay = {"amount": 5, "currency": "usd", "confirm": "true", "payment_method_data[type]": "card", **nested}
    wrong = CARD | {"card[number]": NUMBER[:-1] + "7", "type": "card"}
    answers = [
        await api.post("payment_methods", {"type": "card", **CARD}, idempotency_key="a"),
        await api.post("tokens", CARD, idempotency_key="b"),
        await api.post("payment_intents", pay, idempotency_key="c"),
        await api.post("payment_methods", wrong, idempotency_key="d"),
        await api.post("payment_intents", {"amount": 5, "currency": "usd", "description": f"card {NUMBER}"}),
        await api.post("payment_intents", {"amount": 5, "currency": "usd", NUMBER: CVC}),
        await api.post("payment_intents", {"amount": NUMBER, "currency": "usd"}),
        await api.post("payment_intents", {"amount": 5, "currency": NUMBER}),
        await api.post("payment_intents", {"amount": 5, "currency": "usd", f"metadata[{NUMBER}]": "x"}),
        await api.post("customers", {"metadata[card]": NUMBER}),
        await api.post("payment_intents", {"amount": 5, "currency": "usd", "number": NUMBER}),
        await api.post("payment_intents", {"amount": 5, "currency": "usd", "payment_method": NUMBER}),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200, 402, *[400] * 8]
    everything = database.dump() + caplog.text + "".join(answer.body.decode() for answer in answers)
    for secret in (NUMBER, NUMBER[:-1] + "7", CVC, "4000 0566 5566 5556"):
        assert secret not in everything
    assert "5556" in everything  # the scan sees what may be seen
