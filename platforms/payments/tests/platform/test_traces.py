"""One payment is one trace, from the gateway to the acquirer's door, with the statements on its way."""

from __future__ import annotations

import time

from groundplan.local.traces import reading, trees

LIMIT = 30.0
"""Seconds until spans must have arrived; they are sent once a second."""
TRACE = "0af7651916cd43dd8448eb211c80319d"


WAYS = {
    ("api-gateway", "payment-api-service"),
    ("payment-api-service", "transaction-service"),
    ("transaction-service", "tokenization-service"),
}


def ways(trace: trees.Trace) -> set[tuple[str, str]]:
    """From which service to which other one it went."""
    by_id = {span.id: span for span in trace.spans}
    return {(by_id[span.parent].service, span.service) for span in trace.spans if span.parent in by_id}


def arrived(live) -> trees.Trace:
    """The trace once every service has sent its part."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        found = [each for each in reading.traces(live.data / "data") if each.id == TRACE]
        if found and ways(found[0]) >= WAYS:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"not all of the trace arrived: {[ways(each) for each in found]}")


def test_a_payment_is_followed_through_every_service(live):
    live.client().v1.payment_intents.create(
        {"amount": 4200, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa",
         "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}},
        {"headers": {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}},
    )  # fmt: skip
    trace = arrived(live)
    titles = {span.title for span in trace.spans}
    assert "POST → acquirer" in titles
    assert any(title.startswith("INSERT ") for title in titles)
    assert trace.root.service == "api-gateway"
    assert not trace.errors
    assert not any("4242" in str(span.attributes) for span in trace.spans)
