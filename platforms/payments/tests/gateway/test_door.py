"""What passes the gateway and what does not."""

from __future__ import annotations

import base64
import json
import socket
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from payments.common import keys
from payments.gateway import credentials, matching, openapi, routes
from platforms.payments.tests import running
from platforms.payments.tests.gateway.conftest import Door, public


def _headers(answer: running.Answer) -> dict[str, str]:
    return dict(answer.json["headers"])


def test_a_secret_key_becomes_headers_that_say_whose_it_is(started: Door) -> None:
    key = started.issue(account_id="acct_1", key_id="key_7")
    answer = started.ask("POST", "/v1/payment_intents?expand[]=customer", key=key, body=b"amount=100")
    assert answer.status == 200, answer.body
    assert answer.json["target"] == "/v1/payment_intents?expand[]=customer"
    assert answer.json["body"] == "amount=100"
    seen = _headers(answer)
    wanted = {
        "x-account-id": "acct_1",
        "x-livemode": "false",
        "x-key-id": "key_7",
        "x-key-kind": "secret",
        "x-scopes": "*",
    }
    assert seen.items() >= wanted.items()
    assert "authorization" not in seen and key not in answer.body.decode()
    assert int(seen["x-request-timeout-ms"]) <= 30_000


def test_basic_authentication_carries_the_key_as_user_name(started: Door) -> None:
    given = base64.b64encode(f"{started.issue()}:".encode()).decode()
    assert started.ask("GET", "/v1/balance", headers={"authorization": f"Basic {given}"}).status == 200


@pytest.mark.parametrize(
    "header",
    ["x-account-id", "X-Account-Id", "x-user-id", "x-roles", "x-scopes", "x-livemode", "x-key-kind", "x-session-id",
     "x_account_id", "X_User_Id", "x-workload-token", "x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip",
     "x-request-id", "traceparent", "x-request-timeout-ms"],
)  # fmt: skip
def test_what_only_the_gateway_may_say_is_taken_off(started: Door, header: str) -> None:
    asked: tuple[tuple[str, dict[str, str]], ...] = (
        ("/v1/balance", {"key": started.issue()}),
        ("/checkout/c", {}),
        ("/auth/me", {"token": started.sign_in()}),
    )
    for path, options in asked:
        answer = started.ask("GET", path, headers={header: "forged-1"}, **options)
        assert answer.status == 200, answer.body
        values = [value for name, value in answer.json["headers"] if name != "authorization"]
        assert not any("forged" in value for value in values)
        assert not any("_" in name for name, _ in answer.json["headers"])


def test_headers_of_one_hop_stay_on_it(started: Door) -> None:
    sent = {"connection": "keep-alive, x-secret-hop", "x-secret-hop": "1", "te": "trailers", "stripe-version": "2025"}
    answer = started.ask("GET", "/checkout/c", headers=sent)
    seen = _headers(answer)
    assert seen["stripe-version"] == "2025"
    assert not {"x-secret-hop", "te"} & set(seen)
    assert answer.headers["idempotent-replayed"] == "true"
    assert "x-private" not in answer.headers.get("connection", "")


def test_each_answer_has_an_id_and_strict_headers(started: Door) -> None:
    for path in ("/checkout/c", "/nowhere", "/v1/nowhere"):
        answer = started.ask("GET", path, headers={"x-request-id": "chosen"})
        assert answer.headers["request-id"].startswith("req_")
        assert answer.headers["x-request-id"] == answer.headers["request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_unknown_paths_and_methods_are_told_in_the_shape_of_their_world(started: Door) -> None:
    stripe = started.ask("GET", "/v1/spaceships")
    assert (stripe.status, stripe.json["error"]["type"]) == (404, "invalid_request_error")
    assert stripe.json["error"]["message"] == "Unrecognized request URL (GET: /v1/spaceships)."
    plain = started.ask("GET", "/spaceships")
    assert (plain.status, plain.json["title"], plain.headers["content-type"]) == (
        404,
        "Not Found",
        "application/problem+json",
    )
    method = started.ask("DELETE", "/v1/payment_intents")
    assert (method.status, method.headers["allow"]) == (405, "GET, POST")
    assert started.ask("OPTIONS", "/auth/login").status == 405


@pytest.mark.parametrize(
    "path",
    ["/v1//payment_intents", "/v1/payment_intents/", "/v1/payment_intents/..", "/v1/../auth/me", "/checkout/../auth/me",
     "/checkout/%2e%2e/auth/me", "/v1/payment_intents/pi%2Fconfirm", "/checkout//x", "/checkout/a%00", "/V1/balance"],
)  # fmt: skip
def test_paths_that_two_servers_could_read_differently_do_not_exist(started: Door, path: str) -> None:
    before = started.seen()
    assert started.ask("GET", path, key=started.issue()).status == 404
    assert started.seen() == before


def test_keys_that_are_missing_made_up_or_unknown_are_refused_in_stripes_words(started: Door) -> None:
    missing = started.ask("GET", "/v1/balance")
    assert missing.status == 401 and missing.json["error"]["message"].startswith("You did not provide an API key.")
    before = started.asked("key")
    made_up = started.ask("GET", "/v1/balance", key="sk_test_4eC39HqLyjWDarjtT1zdp7dc")
    assert (made_up.status, started.asked("key")) == (401, before)
    unknown = keys.new("secret", False)
    refused = started.ask("GET", "/v1/balance", key=unknown)
    assert refused.status == 401 and "Invalid API Key provided" in refused.json["error"]["message"]
    assert unknown not in refused.body.decode()


def test_a_publishable_key_reaches_what_browsers_may_do_alone(started: Door) -> None:
    key = started.issue("publishable")
    for route in (route for route in routes.ROUTES if route.access == "api_key"):
        path = route.path.replace("{id}", "pi_1").replace("{payment_method}", "pm_1")
        answer = started.ask(route.method, path, key=key)
        if route.publishable:
            assert answer.status == 200
        else:
            assert (answer.status, answer.json["error"]["code"]) == (403, "secret_key_required")


def test_a_key_is_asked_for_once_in_a_while(started: Door) -> None:
    key = started.issue()
    before = started.asked("key")
    for _ in range(5):
        assert started.ask("GET", "/v1/balance", key=key).status == 200
    assert started.asked("key") == before + 1


def test_access_tokens_become_headers_and_strangers_tokens_ask_nobody(started: Door) -> None:
    seen = _headers(started.ask("GET", "/merchants", token=started.sign_in("usr_9")))
    assert seen.items() >= {"x-user-id": "usr_9", "x-session-id": "ses_usr_9", "x-roles": "user"}.items()
    before = started.asked("token")
    stranger = ed25519.Ed25519PrivateKey.generate()
    for token in (started.sign_in(key=stranger), started.sign_in(kid="other"), "nonsense", started.issue()):
        answer = started.ask("GET", "/merchants", token=token)
        assert answer.status == 401 and "invalid_token" in answer.headers["www-authenticate"]
    unsigned = jwt.encode({"sub": "usr_1"}, "", "none", {"kid": "one"})
    assert started.ask("GET", "/merchants", token=unsigned).status == 401
    assert started.asked("token") == before
    assert started.ask("GET", "/merchants").status == 401


def test_an_api_key_is_no_access_token_nor_the_other_way(started: Door) -> None:
    assert started.ask("GET", "/merchants", token=started.issue()).status == 401
    assert started.ask("GET", "/v1/balance", key=started.sign_in()).status == 401


def test_a_revoked_session_is_refused(own: Door) -> None:
    own.start_gateway()
    token = own.sign_in()
    own.forget()
    answer = own.ask("GET", "/merchants", token=token)
    assert (answer.status, "revoked" in answer.json["detail"]) == (401, True)


def test_a_new_signing_key_is_found_and_unknown_ones_are_not_asked_for_each_time(own: Door) -> None:
    own.start_gateway()
    assert own.ask("GET", "/merchants", token=own.sign_in()).status == 200
    fetched = own.asked("jwks")
    for number in range(5):
        own.ask("GET", "/merchants", token=own.sign_in(kid=f"made-up-{number}"))
    assert own.asked("jwks") <= fetched + 1
    fresh = ed25519.Ed25519PrivateKey.generate()
    own.platform.file("jwks", json.dumps({"keys": [public(fresh, "two"), public(own.key, "one")]}))
    rotated = own.sign_in("usr_2", fresh, "two")
    running.until(
        lambda: own.ask("GET", "/merchants", token=own.sign_in("usr_2", fresh, "two")).status == 200, "no key"
    )
    assert rotated


def test_bodies_are_bounded_whether_their_length_is_said_or_not(started: Door) -> None:
    key = started.issue()
    large = b"x" * ((10 << 20) + 1)
    said = started.ask("POST", "/v1/customers", key=key, headers={"content-length": str(len(large))})
    assert (said.status, said.json["error"]["code"]) == (413, "content_too_large")
    assert started.ask("POST", "/v1/customers", key=key, body=large[:-1]).json["length"] == 10 << 20
    assert _chunked(started, key, large).startswith(b"HTTP/1.1 413")


def _chunked(door: Door, key: str, content: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", door.gateway.http), running.LIMIT) as connection:
        lines = ("POST /v1/customers HTTP/1.1", "host: x", f"authorization: Bearer {key}", "transfer-encoding: chunked")
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            for at in range(0, len(content), 1 << 16):
                part = content[at : at + (1 << 16)]
                connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        except OSError:
            pass  # refused and closed before all of it was sent
        return connection.recv(1000)


def test_head_is_answered_without_a_body(started: Door) -> None:
    answer = started.ask("HEAD", "/checkout/c")
    assert (answer.status, answer.body) == (200, b"")


def test_health_speaks_the_documents_words(started: Door) -> None:
    document = started.ask("GET", "/health").json
    names = ("auth", "merchant", "payment")
    assert document == {
        "service": "api-gateway",
        "status": "ok",
        "version": "1.0.0",
        "services": dict.fromkeys(names, "open"),
        "breaker": dict.fromkeys(names, "closed"),
    }


def test_the_openapi_document_lists_every_route_and_nothing_else(started: Door) -> None:
    document = started.ask("GET", "/openapi.json").json
    listed = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    assert listed == {(route.method, route.path.replace("...}", "}")) for route in routes.ROUTES}
    assert document == json.loads(json.dumps(openapi.document(routes.ROUTES, "1.0.0")))
    names = [operation["operationId"] for operations in document["paths"].values() for operation in operations.values()]
    assert len(names) == len(set(names))


def test_each_route_is_found_by_its_own_path() -> None:
    table = matching.Table(routes.ROUTES)
    for route in routes.ROUTES:
        path = "/" + "/".join("x1" if part.startswith("{") else part for part in route.segments)
        found = table.find(path)
        assert found is not None and found[route.method] is route


def test_a_route_cannot_be_declared_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        matching.Table((routes.ROUTES[0], routes.ROUTES[0]))


async def test_one_question_is_asked_once_at_a_time_and_forgotten_in_time() -> None:
    now, asked = [0.0], []

    async def ask() -> tuple[str, float]:
        asked.append(now[0])
        return "yes", 10.0

    remembered: credentials.Remembered[str] = credentials.Remembered(lambda: now[0])
    for moment in (0.0, 9.9, 10.0, 19.0):
        now[0] = moment
        assert await remembered.get("key", ask) == "yes"
    assert asked == [0.0, 10.0]


async def test_memory_of_credentials_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "REMEMBERED", 3)
    asked: list[str] = []
    remembered: credentials.Remembered[str] = credentials.Remembered()
    for name in ("a", "b", "c", "d", "d", "a"):

        async def ask(name: str = name) -> tuple[str, float]:
            asked.append(name)
            return name, 60.0

        await remembered.get(name, ask)
    assert asked == ["a", "b", "c", "d", "a"]


def test_an_expiring_key_is_not_believed_longer_than_it_lives() -> None:
    assert credentials._until(int(time.time()) + 3) <= 3
    assert credentials._until(int(time.time()) - 3) == 0
    assert credentials._until(0) == credentials.GOOD_FOR
