"""Merchant accounts: their life, who may do what, their keys, their log."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import random
import subprocess
import sys

import asyncpg
import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from payments.merchant import chain, issuing, states
from payments.merchant.store import merchants as rows
from payments.rpc import auth_pb2 as pb
from platforms.payments.tests.merchant.conftest import Merchants

ACTIONS = tuple(states.BY_ACTION)


async def test_an_account_goes_from_draft_to_active(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.draft(owner)
    assert merchant_id.startswith("acct_")
    seen = []
    for action in ("submit", "approve", "activate", "suspend", "reinstate", "close"):
        answer = await merchants.step(merchant_id, action, owner, admin)
        assert answer.status == 200, answer.body
        seen.append(answer.json["state"])
    assert seen == ["submitted", "verified", "active", "suspended", "active", "closed"]
    mails = await merchants.mails("shop@example.com")
    assert ["was approved" in mails[0], "because we looked" in mails[0]] == [True, True]


async def test_everything_missing_is_told_at_once(merchants: Merchants) -> None:
    owner = merchants.user()
    refused = await owner.post("/merchants", name="", country="Germany", website="http://shop.example.com", shoe=42)
    assert refused.status == 400
    assert {error["field"] for error in refused.json["errors"]} == {"name", "email", "country", "website", "shoe"}
    created = await owner.post("/merchants", name="Shop", email="shop@example.com")
    submitted = await owner.post(f"/merchants/{created.json['id']}/submit")
    assert {error["field"] for error in submitted.json["errors"]} == {"country", "business_type"}


async def test_a_rejected_account_is_a_draft_again_with_the_reason(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.at("submitted", owner, admin)
    frozen = await owner.ask("PATCH", f"/merchants/{merchant_id}", b'{"name": "Other"}')
    assert (frozen.status, frozen.json["code"]) == (409, "wrong_state")
    without = await admin.post(f"/merchants/{merchant_id}/reject")
    assert (without.status, without.json["errors"][0]["field"]) == (400, "reason")
    rejected = await admin.post(f"/merchants/{merchant_id}/reject", reason="no imprint")
    assert (rejected.json["state"], rejected.json["reason"]) == ("draft", "no imprint")
    changed = await owner.ask("PATCH", f"/merchants/{merchant_id}", b'{"name": "Other"}')
    assert (changed.status, changed.json["name"], changed.json["country"]) == (200, "Other", "DE")


async def test_a_step_that_is_not_possible_says_what_is(merchants: Merchants) -> None:
    owner = merchants.user()
    merchant_id = await merchants.draft(owner)
    answer = await owner.post(f"/merchants/{merchant_id}/activate")
    assert (answer.status, answer.json["state"], answer.json["possible"]) == (409, "draft", ["submit", "close"])


async def test_of_two_decisions_at_once_one_counts(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.at("submitted", owner, admin)
    decisions = [merchants.step(merchant_id, action, owner, admin) for action in ("approve", "reject") * 3]
    statuses = sorted(answer.status for answer in await asyncio.gather(*decisions))
    assert statuses == [200, 409, 409, 409, 409, 409]


async def test_only_the_platforms_people_decide(merchants: Merchants) -> None:
    owner, stranger = merchants.user(), merchants.user()
    pretender = merchants.user("platform_admin")  # a token from before the role was taken back
    merchant_id = await merchants.at("submitted", owner, await merchants.admin())
    path = f"/merchants/{merchant_id}/approve"
    assert (await owner.post(path, reason="I am honest")).status == 403
    assert (await stranger.post(path, reason="I am honest")).status == 404
    assert (await pretender.post(path, reason="I am honest")).status == 404
    assert (await merchants.client.post(path, reason="I am honest")).status == 401


async def test_what_is_not_theirs_does_not_exist(merchants: Merchants) -> None:
    owner, stranger = merchants.user(), merchants.user()
    merchant_id = await merchants.draft(owner)
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("POST", "/submit"), ("POST", "/close"), ("POST", "/activate"),
        ("GET", "/members"), ("POST", "/invitations"), ("GET", "/invitations"), ("DELETE", "/invitations/inv_1"),
        ("PATCH", "/members/usr_1"), ("DELETE", "/members/usr_1"), ("GET", "/api-keys"), ("POST", "/api-keys"),
        ("DELETE", "/api-keys/key_1"), ("POST", "/api-keys/key_1/roll"), ("GET", "/audit"), ("GET", "/audit/verify"),
        ("GET", "/branding"), ("PUT", "/branding"),
    ):  # fmt: skip
        body = b'{"role": "viewer"}' if method == "PATCH" and "members" in path else b"{}"
        foreign = await stranger.ask(method, f"/merchants/{merchant_id}{path}", body)
        absent = await stranger.ask(method, f"/merchants/acct_absent{path}", body)
        assert (foreign.status, absent.status) == (404, 404), f"{method} {path}"
        assert foreign.json["code"] == absent.json["code"] == "resource_missing"
    assert (await stranger.get("/merchants")).json["data"] == []


async def test_pages_show_each_account_once_while_more_are_made(merchants: Merchants) -> None:
    owner = merchants.user()
    made = [await merchants.draft(owner) for _ in range(7)]
    seen: list[str] = []
    path = "/merchants?limit=2"
    while True:
        page = (await owner.get(path)).json
        seen += [one["id"] for one in page["data"]]
        await merchants.draft(owner)
        if not page["has_more"]:
            break
        path = f"/merchants?limit=2&starting_after={seen[-1]}"
    # Two ids of one millisecond stand in any order.
    assert seen == sorted(made, reverse=True)
    assert (await owner.get("/merchants?limit=0")).status == 400


async def test_the_platforms_people_see_all_accounts_and_others_do_not(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.draft(owner)
    listed = (await admin.get("/merchants?all=true&state=draft&limit=100")).json["data"]
    assert merchant_id in [one["id"] for one in listed]
    assert (await owner.get("/merchants?all=true")).status == 403
    assert (await admin.get(f"/merchants/{merchant_id}")).status == 200


@pytest.mark.parametrize("state", ["draft", "submitted", "verified", "active", "suspended", "closed"])
async def test_keys_are_issued_where_the_state_allows(merchants: Merchants, state: str) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.at(state, owner, admin)
    path = f"/merchants/{merchant_id}/api-keys"
    test = await owner.post(path, kind="secret")
    live = await owner.post(path, kind="secret", livemode=True)
    assert (test.status == 201) == (state in states.TEST_KEYS)
    assert (live.status == 201) == (state in states.LIVE_KEYS)


async def _valid(merchants: Merchants, secret: str) -> bool:
    return bool((await merchants.auth.servicer.ValidateApiKey(pb.ValidateApiKeyRequest(key=secret), None)).valid)


async def test_a_key_lives_from_issue_over_roll_to_revocation(merchants: Merchants) -> None:
    owner = merchants.user()
    path = f"/merchants/{await merchants.at('active', owner, await merchants.admin())}/api-keys"
    wish = {"kind": "restricted", "scopes": ["charges:read"], "name": "reports"}
    issued = (await owner.post(path, **wish)).json
    assert issued["secret"].startswith("rk_test_") and await _valid(merchants, issued["secret"])
    rolled = (await owner.post(f"{path}/{issued['id']}/roll", overlap_seconds=60)).json
    assert await _valid(merchants, issued["secret"]) and await _valid(merchants, rolled["secret"])
    assert (await owner.ask("DELETE", f"{path}/{rolled['id']}")).json["revoked_at"]
    assert not await _valid(merchants, rolled["secret"])
    listed = (await owner.get(path)).json["data"]
    assert [key["id"] for key in listed] == [issued["id"], rolled["id"]]
    assert not any("secret" in key for key in listed)
    wrong = await owner.post(path, kind="publishable", scopes=["charges:read"])
    assert (wrong.status, wrong.json["errors"][0]["field"]) == (400, "scopes")


async def test_a_key_that_is_asked_for_again_is_the_same_one(merchants: Merchants) -> None:
    owner = merchants.user()
    path = f"/merchants/{await merchants.at('active', owner, await merchants.admin())}/api-keys"
    answers = [await owner.ask("POST", path, b'{"kind": "secret"}', idempotency_key="k1") for _ in range(2)]
    assert answers[0].json["id"] == answers[1].json["id"]
    assert ["secret" in answer.json for answer in answers] == [True, False]


async def test_suspension_takes_live_keys_and_closing_takes_all(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.at("active", owner, admin)
    path = f"/merchants/{merchant_id}/api-keys"
    test = (await owner.post(path, kind="secret")).json
    live = (await owner.post(path, kind="secret", livemode=True)).json
    await merchants.step(merchant_id, "suspend", owner, admin)
    assert (await _valid(merchants, test["secret"]), await _valid(merchants, live["secret"])) == (True, False)
    rolled = await owner.post(f"{path}/{live['id']}/roll")
    assert rolled.status == 409
    await merchants.step(merchant_id, "close", owner, admin)
    assert not await _valid(merchants, test["secret"])


async def test_keys_that_could_not_be_revoked_at_once_are_revoked_later(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.at("active", owner, admin)
    live = (await owner.post(f"/merchants/{merchant_id}/api-keys", kind="secret", livemode=True)).json
    await merchants.auth_server.stop(None)
    assert (await owner.post(f"/merchants/{merchant_id}/close")).json["state"] == "closed"
    assert await _valid(merchants, live["secret"])
    pending = "SELECT count(*) FROM merchant WHERE revoking IS NOT NULL"
    assert await merchants.pool.fetchval(pending) == 1

    # What the background task does when auth-service is there again.
    class Direct:
        async def ListApiKeys(self, request: pb.ListApiKeysRequest) -> pb.ListApiKeysResponse:
            answer: pb.ListApiKeysResponse = await merchants.auth.servicer.ListApiKeys(request, None)
            return answer

        async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest) -> pb.ApiKey:
            answer: pb.ApiKey = await merchants.auth.servicer.RevokeApiKey(request, None)
            return answer

    await issuing.Keys(rows.Merchants(merchants.pool), Direct()).revoke_pending()  # type: ignore[arg-type]
    assert await merchants.pool.fetchval(pending) == 0
    assert not await _valid(merchants, live["secret"])


async def test_branding_is_checked_and_kept(merchants: Merchants) -> None:
    owner = merchants.user()
    path = f"/merchants/{await merchants.draft(owner)}/branding"
    look = {"name": "Shop", "colour": "#0A2540", "logo_url": "https://cdn.example.com/logo.png"}
    assert (await owner.ask("PUT", path, json.dumps(look).encode())).json == look
    assert (await owner.get(path)).json == look
    for wrong in ({"colour": "red"}, {"logo_url": "javascript:alert(1)"}, {"logo_url": 'https://x/"><script>'}):
        assert (await owner.ask("PUT", path, json.dumps(wrong).encode())).status == 400


@any_of(st.lists(st.sampled_from(ACTIONS), max_size=25))
def test_each_history_that_follows_edges_is_a_path(actions: list[str]) -> None:
    state, history = "draft", ["draft"]
    for action in actions:
        edge = states.BY_ACTION[action]
        assert (action in states.possible(state)) == (state in edge.sources)
        if state in edge.sources:
            state = edge.target
            history.append(state)
    assert states.is_path(tuple(history))
    assert not states.is_path((*history, "draft")) or history[-1] == "submitted"
    assert history.count("closed") <= 1


async def test_each_history_in_the_log_is_a_path_whatever_is_tried(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    chance = random.Random(7)
    for _ in range(8):
        merchant_id = await merchants.draft(owner)
        tried = [chance.choice(ACTIONS[:-1] * 4 + ACTIONS[-1:]) for _ in range(12)]
        for at in range(0, len(tried), 3):
            await asyncio.gather(*(merchants.step(merchant_id, one, owner, admin) for one in tried[at : at + 3]))
        lines = await merchants.pool.fetch(
            "SELECT detail FROM audit WHERE merchant_id = $1 AND detail ? 'target' ORDER BY number", merchant_id
        )
        history = ("draft", *(line["detail"]["target"] for line in lines))
        assert states.is_path(history)
        sources = [line["detail"]["source"] for line in lines]
        assert tuple(sources) == history[:-1]
        assert await merchants.pool.fetchval("SELECT state FROM merchant WHERE id = $1", merchant_id) == history[-1]


async def test_the_log_says_what_was_done_and_verifies(merchants: Merchants) -> None:
    owner, admin = merchants.user(), await merchants.admin()
    merchant_id = await merchants.at("active", owner, admin)
    page = (await owner.get(f"/merchants/{merchant_id}/audit?limit=3")).json
    assert [line["action"] for line in page["data"]] == ["activate", "approve", "submit"]
    rest = (await owner.get(f"/merchants/{merchant_id}/audit?starting_after={page['data'][-1]['number']}")).json
    assert [line["action"] for line in rest["data"]] == ["create"]
    verdict = (await owner.get(f"/merchants/{merchant_id}/audit/verify")).json
    assert (verdict["intact"], verdict["lines"], verdict["head"]) == (True, 4, page["data"][0]["hash"])


_TAMPERING = (
    ("UPDATE audit SET actor = 'usr_nobody' WHERE number = 2", "line 2 was changed"),
    ("UPDATE audit SET at = at + interval '1 second' WHERE number = 3", "line 3 was changed"),
    ("""UPDATE audit SET detail = detail || '{"reason": "forged"}' WHERE number = 3""", "line 3 was changed"),
    ("DELETE FROM audit WHERE number = 2", "line 2 is missing"),
    ("DELETE FROM audit WHERE number = 4", "4 lines were written, 3 are there"),
    ("DELETE FROM audit", "4 lines were written, 0 are there"),
)


@pytest.mark.parametrize(("sql", "problem"), _TAMPERING)
async def test_tampering_with_the_log_shows(merchants: Merchants, sql: str, problem: str) -> None:
    owner = merchants.user()
    merchant_id = await merchants.at("active", owner, await merchants.admin())
    clause = f"AND merchant_id = '{merchant_id}'" if "WHERE" in sql else f"WHERE merchant_id = '{merchant_id}'"
    # Only the owner of the table can, after taking the trigger away.
    merchants.database.psql(f"ALTER TABLE audit DISABLE TRIGGER append_only; {sql} {clause}")
    verdict = (await owner.get(f"/merchants/{merchant_id}/audit/verify")).json
    assert (verdict["intact"], verdict["problem"]) == (False, problem)
    variables = os.environ | {"DATABASE_DSN": merchants.database.dsn}
    command = [sys.executable, "-m", "payments.merchant.verify"]
    run = await asyncio.to_thread(subprocess.run, command, env=variables, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and f"{merchant_id}: {problem}" in run.stdout
    merchants.database.psql("ALTER TABLE audit ENABLE TRIGGER append_only")


async def test_the_service_itself_cannot_change_the_log(merchants: Merchants) -> None:
    await merchants.draft(merchants.user())
    for sql in ("UPDATE audit SET actor = ''", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await merchants.pool.execute(sql)


@any_of(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=8), st.data())
def test_any_change_of_a_chain_is_found(entries: list[tuple[str, str]], data: st.DataObject) -> None:
    at, head, lines = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), b"", []
    for number, (actor, action) in enumerate(entries, 1):
        line = chain.Line("acct_1", number, at, actor, action, {"n": number})
        head = chain.hashed(line, head)
        lines.append(chain.Line("acct_1", number, at, actor, action, {"n": number}, head))
    assert chain.verify(lines, len(lines), head).intact
    index = data.draw(st.integers(0, len(lines) - 1))
    victim = lines[index]
    changed = chain.Line("acct_1", victim.number, at, victim.actor + "x", victim.action, victim.detail, victim.hash)
    assert not chain.verify([*lines[:index], changed, *lines[index + 1 :]], len(lines), head).intact
    assert not chain.verify([*lines[:index], *lines[index + 1 :]], len(lines), head).intact
