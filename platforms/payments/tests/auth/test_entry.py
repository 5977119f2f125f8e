"""Getting an account, signing in, staying in, getting out."""

from __future__ import annotations

import asyncio
import time

import jwt

from payments.auth import entry
from payments.rpc import auth_pb2 as pb
from platforms.payments.tests.auth.conftest import PASSWORD, Auth


async def test_a_confirmed_address_gets_a_session_that_validates(auth: Auth) -> None:
    user_id = await auth.person("ada@example.com")
    granted = await auth.login("Ada@Example.com")
    principal = await auth.servicer.ValidateToken(pb.ValidateTokenRequest(token=granted["access_token"]), None)
    assert (principal.valid, principal.user_id, list(principal.roles)) == (True, user_id, ["user"])
    assert principal.session_id == granted["session_id"]
    assert principal.expires_at.seconds - time.time() <= 900
    assert jwt.get_unverified_header(granted["access_token"]) == {"alg": "EdDSA", "kid": "two", "typ": "JWT"}


async def test_an_unconfirmed_address_cannot_sign_in(auth: Auth) -> None:
    await auth.client.post("/auth/register", email="new@example.com", password=PASSWORD, name="New")
    answer = await auth.client.post("/auth/login", email="new@example.com", password=PASSWORD)
    assert (answer.status, answer.json["code"]) == (401, "invalid_credentials")


async def test_everything_wrong_with_a_registration_is_told_at_once(auth: Auth) -> None:
    answer = await auth.client.post("/auth/register", email="nowhere", password="short", colour="red")
    assert answer.status == 400
    wrong = {error["field"]: error["code"] for error in answer.json["errors"]}
    assert wrong == {"email": "format", "password": "length", "colour": "unknown", "name": "missing"}


async def test_the_password_is_that_of_the_link_that_was_followed(auth: Auth) -> None:
    email = "owner@example.com"
    await auth.client.post("/auth/register", email=email, password="the thief's password", name="Thief")
    await auth.person(email)
    theirs = await auth.client.post("/auth/login", email=email, password="the thief's password")
    assert theirs.status == 401
    assert (await auth.login(email))["token_type"] == "Bearer"


async def test_a_link_works_once(auth: Auth) -> None:
    await auth.client.post("/auth/register", email="once@example.com", password=PASSWORD, name="Once")
    token = await auth.token_for("once@example.com")
    first = await auth.client.post("/auth/verify", token=token)
    again = await auth.client.post("/auth/verify", token=token)
    assert (first.status, again.status, again.json["code"]) == (200, 400, "invalid_token")


async def test_answers_and_work_do_not_tell_who_has_an_account(auth: Auth) -> None:
    await auth.person("here@example.com")

    async def told(path: str, email: str, **more: str) -> tuple[int, bytes, int]:
        before = auth.hasher.hashes
        answer = await auth.client.post(path, email=email, **more)
        document = answer.json | {"email": "", "request_id": ""}
        return answer.status, repr(document).encode(), auth.hasher.hashes - before

    for path, more, hashes in (
        ("/auth/register", {"password": PASSWORD, "name": "Ada"}, 1),
        ("/auth/login", {"password": "a wrong password"}, 1),
        ("/auth/password/forgot", {}, 0),
    ):
        known = await told(path, "here@example.com", **more)
        unknown = await told(path, "absent@example.com", **more)
        assert known == unknown
        assert known[2] == hashes
    assert "have an account" in await auth.pool.fetchval("SELECT string_agg(subject, ',') FROM mail")


async def test_a_refresh_token_is_exchanged_once(auth: Auth) -> None:
    await auth.person("rotate@example.com")
    granted = await auth.login("rotate@example.com")
    second = await auth.client.post("/auth/refresh", refresh_token=granted["refresh_token"])
    third = await auth.client.post("/auth/refresh", refresh_token=second.json["refresh_token"])
    assert second.json["session_id"] == third.json["session_id"] == granted["session_id"]
    assert len({granted["refresh_token"], second.json["refresh_token"], third.json["refresh_token"]}) == 3


async def test_a_lost_reply_may_be_asked_for_again_and_gives_the_same_successor(auth: Auth) -> None:
    await auth.person("lost@example.com")
    token = (await auth.login("lost@example.com"))["refresh_token"]
    answers = [await auth.client.post("/auth/refresh", refresh_token=token) for _ in range(3)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1


async def test_parallel_refreshes_agree_on_one_successor(auth: Auth) -> None:
    await auth.person("parallel@example.com")
    token = (await auth.login("parallel@example.com"))["refresh_token"]
    answers = await asyncio.gather(*(auth.client.post("/auth/refresh", refresh_token=token) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    count = "SELECT count(*) FROM refresh_token WHERE session_id = $1"
    assert await auth.pool.fetchval(count, answers[0].json["session_id"]) == 2


async def _reused(auth: Auth, granted: dict[str, str], token: str) -> None:
    answer = await auth.client.post("/auth/refresh", refresh_token=token)
    assert (answer.status, answer.json["code"]) == (401, "refresh_token_reused")
    principal = await auth.servicer.ValidateToken(pb.ValidateTokenRequest(token=granted["access_token"]), None)
    assert (principal.valid, principal.reason) == (False, "revoked")


async def test_a_token_used_again_after_its_successor_ends_the_family(auth: Auth) -> None:
    await auth.person("stolen@example.com")
    granted = await auth.login("stolen@example.com")
    second = (await auth.client.post("/auth/refresh", refresh_token=granted["refresh_token"])).json
    third = (await auth.client.post("/auth/refresh", refresh_token=second["refresh_token"])).json
    await _reused(auth, granted, granted["refresh_token"])
    answer = await auth.client.post("/auth/refresh", refresh_token=third["refresh_token"])
    assert (answer.status, answer.json["code"]) == (401, "invalid_refresh_token")


async def test_a_token_used_again_after_the_grace_ends_the_family(auth: Auth) -> None:
    await auth.person("late@example.com")
    granted = await auth.login("late@example.com")
    await auth.client.post("/auth/refresh", refresh_token=granted["refresh_token"])
    later = f"UPDATE refresh_token SET used_at = used_at - interval '{entry.GRACE + 1} seconds'"
    await auth.pool.execute(later)
    await _reused(auth, granted, granted["refresh_token"])


async def test_sessions_are_listed_and_ended_by_their_owner_alone(auth: Auth) -> None:
    ada, eve = await auth.person("ada2@example.com"), await auth.person("eve@example.com")
    first, second = await auth.login("ada2@example.com"), await auth.login("ada2@example.com")
    mine = auth.client.known(ada, session_id=second["session_id"])
    listed = (await mine.get("/auth/sessions")).json["data"]
    assert {one["id"]: one["current"] for one in listed} == {first["session_id"]: False, second["session_id"]: True}
    path = f"/auth/sessions/{first['session_id']}"
    assert (await auth.client.known(eve).ask("DELETE", path)).status == 404
    assert (await mine.ask("DELETE", path)).status == 204
    assert (await mine.ask("DELETE", path)).status == 404
    principal = await auth.servicer.ValidateToken(pb.ValidateTokenRequest(token=first["access_token"]), None)
    assert principal.reason == "revoked"


async def test_logout_ends_one_session_and_logout_all_the_rest(auth: Auth) -> None:
    user_id = await auth.person("out@example.com")
    granted = [await auth.login("out@example.com") for _ in range(3)]
    answer = await auth.client.post("/auth/logout", refresh_token=granted[0]["refresh_token"])
    assert answer.status == 204
    assert (await auth.client.known(user_id).post("/auth/logout-all")).json == {"revoked": 2}
    for one in granted:
        assert (await auth.client.post("/auth/refresh", refresh_token=one["refresh_token"])).status == 401


async def test_a_new_password_ends_all_sessions(auth: Auth) -> None:
    await auth.person("forgot@example.com")
    granted = await auth.login("forgot@example.com")
    await auth.client.post("/auth/password/forgot", email="FORGOT@example.com")
    token = await auth.token_for("forgot@example.com")
    fresh = "another long password"
    assert (await auth.client.post("/auth/password/reset", token=token, password=fresh)).status == 204
    assert (await auth.client.post("/auth/password/reset", token=token, password=fresh)).status == 400
    assert (await auth.client.post("/auth/refresh", refresh_token=granted["refresh_token"])).status == 401
    old = await auth.client.post("/auth/login", email="forgot@example.com", password=PASSWORD)
    new = await auth.client.post("/auth/login", email="forgot@example.com", password=fresh)
    assert (old.status, new.status) == (401, 200)


async def test_nobody_can_fill_a_mailbox_with_our_letters(auth: Auth) -> None:
    wish = {"email": "full@example.com", "password": PASSWORD, "name": "Full"}
    for path, sent in (("/auth/register", wish), ("/auth/password/forgot", {"email": "full@example.com"})):
        statuses = [(await auth.client.post(path, **sent)).status for _ in range(6)]
        assert statuses == [202] * 5 + [429]


async def test_guessing_has_to_wait_and_does_not_tell_either(auth: Auth) -> None:
    await auth.person("guess@example.com")
    for email in ("guess@example.com", "nobody@example.com"):
        tries = [await auth.client.post("/auth/login", email=email, password="a wrong password") for _ in range(6)]
        assert [one.status for one in tries] == [401] * 5 + [429]
        assert int(tries[-1].headers["retry-after"]) >= 1


async def test_while_redis_is_away_sign_in_works_and_guessing_waits(auth: Auth, given: object) -> None:
    await auth.person("away@example.com")
    auth.store.client.connection_pool.connection_kwargs["port"] = 9
    await auth.store.client.connection_pool.disconnect()
    granted = await auth.login("away@example.com")
    principal = await auth.servicer.ValidateToken(pb.ValidateTokenRequest(token=granted["access_token"]), None)
    assert principal.valid
    tries = [
        await auth.client.post("/auth/login", email="x@example.com", password="a wrong password") for _ in range(6)
    ]
    assert [one.status for one in tries] == [401] * 5 + [429]


async def test_the_pages_of_links_work_without_scripts(auth: Auth) -> None:
    await auth.client.post("/auth/register", email="page@example.com", password=PASSWORD, name="Page")
    token = await auth.token_for("page@example.com")
    page = await auth.client.get(f"/auth/verify?token={token}")
    assert token in page.body.decode() and "default-src 'none'" in page.headers["content-security-policy"]
    form = {"content_type": "application/x-www-form-urlencoded"}
    done = await auth.client.ask("POST", "/auth/verify", f"token={token}".encode(), **form)
    assert (done.status, "ready" in done.body.decode()) == (200, True)
    again = await auth.client.ask("POST", "/auth/verify", f"token={token}".encode(), **form)
    assert (again.status, again.headers["content-type"]) == (400, "text/html; charset=utf-8")


async def test_no_password_token_or_key_is_in_the_database_in_clear(auth: Auth) -> None:
    await auth.person("dump@example.com")
    granted = await auth.login("dump@example.com")
    await auth.pool.execute("DELETE FROM mail")
    dump = auth.database.dump()
    assert granted["session_id"] in dump
    for secret in (PASSWORD, granted["refresh_token"], granted["access_token"]):
        assert secret not in dump
