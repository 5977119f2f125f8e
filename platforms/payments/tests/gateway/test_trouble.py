"""What the gateway does when there is too much, or when something behind it is slow, broken or away."""

from __future__ import annotations

import signal
import threading
from concurrent import futures

import pytest

from platforms.payments.tests import running
from platforms.payments.tests.gateway.conftest import Door


def _many(door: Door, count: int, path: str = "/checkout/c", **options: str) -> list[running.Answer]:
    with futures.ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda _: door.ask("GET", path, **options), range(count)))


def test_an_account_has_a_rate_and_is_told_so_in_both_shapes(own: Door) -> None:
    own.start_gateway(RATE_LIMIT_API_TEST="5", RATE_LIMIT_PUBLIC="5")
    first, other = own.issue(), own.issue()
    answers = _many(own, 30, "/v1/balance", key=first)
    limited = [answer for answer in answers if answer.status == 429]
    served = [answer for answer in answers if answer.status == 200]
    assert limited and served
    assert limited[0].json["error"]["code"] == "rate_limit"
    assert int(limited[0].headers["retry-after"]) >= 1
    assert served[0].headers["ratelimit-policy"] == '"api_test";q=5;w=1'
    assert served[0].headers["ratelimit"].startswith('"api_test";r=')
    assert own.ask("GET", "/v1/balance", key=other).status == 200
    plain = [answer for answer in _many(own, 30) if answer.status == 429]
    assert plain[0].json["code"] == "rate_limit"


def test_guessing_keys_is_limited_by_address(own: Door) -> None:
    own.start_gateway(RATE_LIMIT_REFUSED="3")
    statuses = {answer.status for answer in _many(own, 30, "/v1/balance", key="sk_test_made_up")}
    assert statuses == {401, 429}
    assert own.ask("GET", "/v1/balance", key=own.issue()).status == 200


def test_without_redis_requests_pass_and_limits_hold_in_each_process(own: Door) -> None:
    away = own.platform.file("away", "redis://127.0.0.1:9/0?prefix=rate:")
    own.start_gateway(RATE_LIMIT_URL=away, RATE_LIMIT_API_TEST="5")
    key = own.issue()
    statuses = [answer.status for answer in _many(own, 30, "/v1/balance", key=key)]
    assert set(statuses) == {200, 429}
    assert own.metric("gateway_rate_limit_fallback_total") >= 1
    assert running.ask(own.gateway.ops, "GET", "/readyz").status == 200


def test_reads_are_tried_again_a_bounded_number_of_times(own: Door) -> None:
    own.start_gateway()
    answer = own.ask("GET", "/v1/balance?status=503", key=own.issue())
    assert answer.status == 503
    assert own.seen().count("GET /v1/balance") == 3


def test_writes_are_tried_again_only_with_an_idempotency_key(own: Door) -> None:
    own.start_gateway()
    key = own.issue()
    own.ask("POST", "/v1/refunds?status=503", key=key)
    assert own.seen().count("POST /v1/refunds") == 1
    own.ask("POST", "/v1/refunds?status=503", key=key, headers={"idempotency-key": "k1"})
    assert own.seen().count("POST /v1/refunds") == 4


def test_a_backend_that_is_away_opens_its_breaker_and_no_other(own: Door) -> None:
    own.start_gateway()
    payments = own.backends["payment-api-service"]
    payments.stop(signal.SIGKILL)
    answers = [own.ask("POST", "/v1/customers", key=own.issue()) for _ in range(8)]
    assert {answer.status for answer in answers} == {503}
    assert answers[0].json["error"]["type"] == "api_error"
    assert int(answers[-1].headers["retry-after"]) >= 1
    running.until(lambda: own.ask("GET", "/health").json["services"]["payment"] == "closed", "still open")
    health = own.ask("GET", "/health").json
    assert health["status"] == "degraded"
    assert (health["breaker"]["payment"], health["breaker"]["merchant"]) in (
        ("open", "closed"),
        ("half_open", "closed"),
    )
    assert own.ask("GET", "/merchants", token=own.sign_in()).status == 200
    own.start_backend("payment-api-service", (payments.http, payments.grpc))
    running.until(lambda: own.ask("POST", "/v1/customers", key=own.issue()).status == 200, "did not come back")


def test_a_backend_that_dies_in_a_request_costs_that_request_alone(own: Door) -> None:
    own.start_gateway()
    assert own.ask("POST", "/v1/customers?die=1", key=own.issue()).status == 503
    assert own.seen().count("POST /v1/customers") == 1


def test_without_auth_service_nobody_new_gets_in_and_nobody_is_called_a_stranger(own: Door) -> None:
    own.start_gateway()
    known, new = own.issue(), own.issue()
    assert own.ask("GET", "/v1/balance", key=known).status == 200
    own.backends["auth-service"].stop(signal.SIGKILL)
    assert own.ask("GET", "/v1/balance", key=known).status == 200  # remembered for a few seconds
    refused = own.ask("GET", "/v1/balance", key=new)
    assert (refused.status, refused.json["error"]["type"]) == (503, "api_error")


def test_more_than_fits_is_shed(own: Door) -> None:
    own.start_gateway(MAX_IN_FLIGHT="4")
    answers = _many(own, 16, "/checkout/c?sleep=0.5")
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 503} and statuses.count(200) >= 4
    shed = next(answer for answer in answers if answer.status == 503)
    assert (shed.json["code"], shed.headers["retry-after"]) == ("overloaded", "1")


def test_a_client_that_asks_for_less_time_gets_no_more(own: Door) -> None:
    own.start_gateway()
    answer = own.ask("GET", "/v1/balance?sleep=20", key=own.issue(), headers={"x-request-timeout-ms": "300"})
    assert (answer.status, answer.json["error"]["code"]) == (504, "timeout")


def test_what_was_begun_is_finished_before_the_gateway_ends(own: Door) -> None:
    gateway = own.start_gateway()
    answers: list[running.Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(own.ask("GET", "/checkout/c?sleep=1")))
    waiting.start()
    running.until(lambda: "GET /checkout/c" in own.seen(), "the request did not arrive")
    assert gateway.stop() == 0
    waiting.join(running.LIMIT)
    assert [answer.status for answer in answers] == [200]
    with pytest.raises(OSError):
        own.ask("GET", "/health")
