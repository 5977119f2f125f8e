"""The gateway's table and payment-api's own routes agree: nothing is out of reach, and nothing is promised in vain."""

from __future__ import annotations

import re
from unittest import mock

import pytest

from payments.api import app
from payments.api.wire import routes as wire
from payments.gateway import matching, routes

# Routes are declared before anything is connected, so what stands behind the handlers does not matter here.
ANSWERED = [route for kind in app.HANDLERS for route in kind(mock.MagicMock()).routes()]


@pytest.mark.parametrize("answered", ANSWERED, ids=lambda route: f"{route.method} {route.path}")
def test_the_gateway_lets_through_what_payment_api_answers(answered: wire.Route) -> None:
    path = "/".join("x1" if part.startswith("{") else part for part in answered.path.split("/"))
    found = matching.Table(routes.ROUTES).find(path)
    assert found is not None and answered.method in found
    assert found[answered.method].publishable == answered.publishable


def test_the_gateway_promises_nothing_that_payment_api_does_not_answer() -> None:
    def plain(path: str) -> str:
        return re.sub(r"\{\w+\}", "{}", path).strip("/").removeprefix("v1/")

    answered = {(route.method, plain(route.path)) for route in ANSWERED}
    promised = {(route.method, plain(route.path)) for route in routes.ROUTES if route.path.startswith("/v1/")}
    assert promised - answered == set()
