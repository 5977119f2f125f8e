"""The service as the platform starts it: settings, callers, migrations, readiness, drain."""

from __future__ import annotations

import pathlib
import urllib.parse

from platforms.payments.tests import engines, running
from platforms.payments.tests.api import fakes

HEADERS = {
    "content-type": "application/x-www-form-urlencoded",
    "x-account-id": "acct_process",
    "x-livemode": "false",
    "x-key-kind": "secret",
    "x-scopes": "*",
}


async def test_it_pays_as_a_process(tmp_path: pathlib.Path, database: engines.Database) -> None:
    import asyncio

    async with fakes.serving() as behind:
        await asyncio.to_thread(_pays, tmp_path, database, behind.port)


def _pays(directory: pathlib.Path, database: engines.Database, port: int) -> None:
    with running.Platform(directory) as platform:
        variables = {
            "DATABASE_DSN": platform.file("dsn", database.dsn),
            "CHECKOUT_URL": "https://pay.example.com",
            "TOKENIZATION_SERVICE_GRPC_ADDRESS": f"127.0.0.1:{port}",
            "TRANSACTION_SERVICE_GRPC_ADDRESS": f"127.0.0.1:{port}",
        }
        api = platform.start("payment-api-service", "payments.api", variables, {"api-gateway": {"http": ["*"]}})
        wanted = {"amount": 700, "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
        body = urllib.parse.urlencode(wanted).encode()
        paid = platform.call(api, "POST", "/v1/payment_intents", "api-gateway", headers=HEADERS, body=body)
        assert (paid.status, paid.json["status"]) == (200, "succeeded")
        stranger = platform.call(api, "POST", "/v1/payment_intents", "merchant-service", headers=HEADERS, body=body)
        assert stranger.status == 403
        assert stranger.json["error"]["type"] == "invalid_request_error"
        assert api.stop() == 0
        assert "4242" not in api.log.read_text()
