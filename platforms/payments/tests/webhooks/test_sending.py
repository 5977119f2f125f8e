"""What happened reaches every endpoint that wants it, signed, at least once, and no dead one delays another."""

from __future__ import annotations

import asyncio
import random
import ssl

import pytest
import standardwebhooks
import stripe

from payments.webhooks import guard, posting, schedule, sender, store
from platforms.payments.tests.webhooks import certificates
from platforms.payments.tests.webhooks.conftest import Post, Received, Server


def accepted(received: Received, secret: str) -> None:
    """Both official verifiers take it."""
    event = stripe.Webhook.construct_event(received.body, received.headers["stripe-signature"], secret)
    assert event.id == received.headers["webhook-id"]
    assert standardwebhooks.Webhook(secret).verify(received.body, received.headers)["id"] == event.id


def refused(received: Received, secret: str) -> None:
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(received.body, received.headers["stripe-signature"], secret)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(received.body, received.headers)


async def test_both_official_verifiers_accept_a_delivery_and_refuse_it_when_tampered_with(
    post: Post, server: Server
) -> None:
    post.allow(server)
    endpoint = await post.endpoint(server.url)
    event = await post.happen()
    assert await post.round() == 1
    (received,) = server.received
    secret = endpoint.inner.secrets[0].value
    accepted(received, secret)
    assert received.event["data"]["object"]["email"] == "zoë@example.com"
    refused(Received(received.headers, received.body.replace(b"customer.created", b"customer.deleted")), secret)
    refused(received, "whsec_" + "A" * 43 + "=")
    assert await post.attempts(event) == [(200, "")]
    assert await post.states() == ["delivered"]
    assert await post.round() == 0


async def test_while_a_secret_is_rolled_old_and_new_verify(post: Post, server: Server) -> None:
    post.allow(server)
    endpoint = await post.endpoint(server.url)
    new, old = "whsec_" + "B" * 43 + "=", endpoint.inner.secrets[0].value
    expires = int(post.clock.now) + 100
    inner = f'{{"secrets": [{{"value": "{new}"}}, {{"value": "{old}", "expires_at": {expires}}}]}}'
    await post.pool.execute(
        "UPDATE webhook_endpoint SET inner_body = $2::text::jsonb WHERE id = $1", endpoint.id, inner
    )
    await post.happen()
    await post.round()
    accepted(server.received[0], new)
    accepted(server.received[0], old)
    post.clock.pass_(200)
    await post.happen()
    await post.round()
    accepted_headers = server.received[1].headers["webhook-signature"]
    assert len(accepted_headers.split()) == 1


async def test_only_wanted_types_are_sent(post: Post, server: Server) -> None:
    post.allow(server)
    await post.endpoint(server.url, "payment_intent.succeeded")
    await post.happen()
    assert await post.round() == 0


async def test_a_failing_endpoint_is_tried_for_days_and_then_given_up(post: Post, server: Server) -> None:
    post.allow(server)
    server.answer = b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"
    await post.endpoint(server.url)
    event = await post.happen()
    start, tried = post.clock.now, []
    while await post.states() == ["pending"]:
        if await post.round():
            tried.append(post.clock.now - start)
        else:
            post.clock.pass_(60)
    assert len(tried) == len(schedule.DELAYS) + 1
    assert 2.5 * 86_400 < tried[-1] < 5 * 86_400
    for usual, before, after in zip(schedule.DELAYS, tried, tried[1:], strict=False):
        # The clock here moves by minutes, and an endpoint that failed often is left alone for up to ten.
        assert usual * 0.8 <= after - before <= usual * 1.2 + sender.LONGEST + 120
    assert await post.states() == ["given_up"]
    assert [status for status, _ in await post.attempts(event)] == [500] * len(tried)


async def test_a_redirect_is_not_followed_and_is_no_success(post: Post, server: Server) -> None:
    post.allow(server)
    server.answer = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    await post.endpoint(server.url)
    event = await post.happen()
    await post.round()
    assert await post.attempts(event) == [(302, "")]
    assert await post.states() == ["pending"]


async def test_an_endless_answer_is_cut_off(post: Post, server: Server) -> None:
    post.allow(server)
    server.answer = b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000
    await post.endpoint(server.url)
    event = await post.happen()
    await post.round()
    ((status, error),) = await post.attempts(event)
    assert status is None
    assert error


async def test_a_hanging_endpoint_delays_no_other(post: Post, server: Server) -> None:
    dead = Server()
    await dead.start()
    dead.hangs = True
    post.allow(server, dead)
    await post.endpoint(dead.url)
    await post.endpoint(server.url)
    for _ in range(30):
        await post.happen()
    for _ in range(30):
        await post.sender.look()
        if len(server.received) == 30:
            break
        await asyncio.sleep(0.05)
    assert len(server.received) == 30
    assert len(dead.received) <= sender.UNPROVEN
    await dead.stop()
    await post.sender.settle()


async def test_an_endpoint_that_fails_is_left_alone_and_found_again(post: Post, server: Server) -> None:
    post.allow(server)
    good, server.answer = server.answer, b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
    await post.endpoint(server.url)
    for _ in range(sender.OPENS_AFTER + 3):
        await post.happen()
    while await post.round():
        pass
    after_first_failures = len(server.received)
    assert after_first_failures <= sender.OPENS_AFTER + sender.UNPROVEN
    assert await post.round() == 0
    server.answer = good
    post.clock.pass_(sender.SHORTEST * 2**4)
    for _ in range(40):
        await post.round()
        post.clock.pass_(60)
    assert set(await post.states()) == {"delivered"}


async def test_what_a_dead_sender_took_is_sent_by_the_next(post: Post, server: Server) -> None:
    post.allow(server)
    await post.endpoint(server.url)
    await post.happen()
    taken = await store.Store(post.pool).take(post.clock(), {}, 8, 8)
    assert len(taken) == 1  # and then it died
    assert await post.round() == 0
    post.clock.pass_(store.LEASE + 1)
    assert await post.round() == 1
    assert await post.states() == ["delivered"]


async def test_two_senders_never_take_the_same(post: Post, server: Server) -> None:
    await post.endpoint(server.url)
    for _ in range(20):
        await post.happen()
    both = await asyncio.gather(*(store.Store(post.pool).take(post.clock(), {}, 20, 20) for _ in range(4)))
    events = [delivery.event for one in both for delivery in one]
    assert len(events) == len(set(events)) == 20


async def test_connections_are_used_again(post: Post, server: Server) -> None:
    post.allow(server)
    await post.endpoint(server.url)
    for _ in range(3):
        await post.happen()
        await post.round()
    assert (len(server.received), server.connections) == (3, 1)


async def test_a_deleted_endpoint_gets_nothing_more(post: Post, server: Server) -> None:
    post.allow(server)
    endpoint = await post.endpoint(server.url)
    await post.happen()
    await post.pool.execute("UPDATE webhook_endpoint SET state = 'deleted' WHERE id = $1", endpoint.id)
    await post.round()
    assert server.received == []
    assert await post.states() == ["given_up"]


async def test_tls_is_verified_for_the_name_and_connected_to_the_checked_address() -> None:
    authority = certificates.Authority()
    server = Server()
    await server.start(authority.server("shop.example.com"))
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    wall = guard.Guard(guard.exemptions(f"127.0.0.0/8:{server.port}"), resolve=resolve)
    poster = posting.Poster(wall, authority.client())
    good = await poster.post(f"https://shop.example.com:{server.port}/", [], b"{}")
    assert (good.status, good.error) == (200, "")
    assert server.received[0].headers["host"] == f"shop.example.com:{server.port}"
    wrong = await poster.post(f"https://other.example.com:{server.port}/", [], b"{}")
    assert wrong.status is None
    assert wrong.error.startswith("TLS: ")
    strict = posting.Poster(wall, ssl.create_default_context())
    unknown = await strict.post(f"https://shop.example.com:{server.port}/", [], b"{}")
    assert unknown.error.startswith("TLS: ")
    assert asked == ["shop.example.com", "other.example.com", "shop.example.com"]
    poster.close()
    await server.stop()


def test_delays_grow_and_are_jittered_by_a_fifth() -> None:
    dice = random.Random(3)
    for tries, usual in enumerate(schedule.DELAYS, 1):
        found = [schedule.delay(tries, dice) or 0 for _ in range(200)]
        assert all(usual * 0.8 <= one <= usual * 1.2 for one in found)
        assert len(set(found)) > 100
    assert schedule.delay(len(schedule.DELAYS) + 1, dice) is None
