"""API keys: their shape, and their life from issue to end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc
import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from groundplan_runtime import settings
from payments.auth import app, issuing
from payments.auth.store import api_keys
from payments.common import failures, ids, keys
from payments.rpc import auth_pb2 as pb
from platforms.payments.tests.auth.conftest import Auth


@any_of(st.sampled_from(tuple(keys.PREFIXES)), st.booleans(), st.integers(0, 200), st.sampled_from(ids.ALPHABET))
def test_a_key_shows_by_itself_that_it_is_one(kind: str, live: bool, at: int, other: str) -> None:
    key = keys.new(kind, live)
    assert keys.well_formed(key) and keys.kind(key) == kind
    at = 8 + at % (len(key) - 8)
    changed = key[:at] + other + key[at + 1 :]
    assert keys.well_formed(changed) == (changed == key)
    assert key not in keys.hint(key) and keys.hint(key).endswith(key[-4:])


def _account() -> str:
    return ids.new("acct")


async def _issue(auth: Auth, account: str, request_id: str = "r1", kind: str = "secret", **more: Any) -> Any:
    wish = {"request_id": request_id, "account_id": account, "kind": kind, "issued_by": "usr_1", "name": "server"}
    return await auth.servicer.IssueApiKey(pb.IssueApiKeyRequest(**(wish | more)), Context())


class Context:
    """Stands for the call: `abort` raises what gRPC would send."""

    async def abort(self, code: grpc.StatusCode, details: str, metadata: tuple[tuple[str, bytes], ...] = ()) -> None:
        raise Aborted(code, details)


class Aborted(Exception):
    """A call that was refused."""


async def _validate(auth: Auth, key: str) -> Any:
    return await auth.servicer.ValidateApiKey(pb.ValidateApiKeyRequest(key=key), None)


async def _roll(auth: Auth, account: str, key_id: str, request_id: str, overlap: int) -> Any:
    values: Any = {"account_id": account, "key_id": key_id, "request_id": request_id, "overlap_seconds": overlap}
    return await auth.servicer.RollApiKey(pb.RollApiKeyRequest(rolled_by="usr_1", **values), Context())


async def test_an_issued_key_validates_and_is_nowhere_in_clear(auth: Auth) -> None:
    account = _account()
    issued = await _issue(auth, account, livemode=True)
    found = await _validate(auth, issued.secret)
    assert (found.valid, found.account_id, found.livemode, found.kind) == (True, account, True, "secret")
    assert list(found.scopes) == ["*"] and issued.secret.startswith("sk_live_")
    assert issued.secret not in auth.database.dump()


async def test_made_up_keys_are_refused_without_asking_the_database(auth: Auth) -> None:
    issued = await _issue(auth, _account())
    for key in ("", "sk_test_", issued.secret[:-1], issued.secret + "x", "sk_test_" + "0" * 30):
        assert (await _validate(auth, key)).reason == "unknown"
    assert (await _validate(auth, keys.new("secret", False))).reason == "unknown"


async def test_one_request_makes_one_key_and_shows_it_once(auth: Auth) -> None:
    account = _account()
    made = await asyncio.gather(*(_issue(auth, account) for _ in range(6)))
    assert len({one.key.id for one in made}) == 1
    assert sum(bool(one.secret) for one in made) == 1
    listed = await auth.servicer.ListApiKeys(pb.ListApiKeysRequest(account_id=account), None)
    assert [key.id for key in listed.keys] == [made[0].key.id]
    with pytest.raises(Aborted, match="ALREADY_EXISTS"):
        await _issue(auth, account, name="another")


async def test_everything_wrong_with_a_wish_is_told_at_once(auth: Auth) -> None:
    request = pb.IssueApiKeyRequest(account_id="x", kind="golden", scopes=["charges:write"])
    with pytest.raises(failures.Refused) as refused:
        await type(auth.servicer).IssueApiKey.__wrapped__(auth.servicer, request)
    assert {one.field for one in refused.value.failures} == {"request_id", "account_id", "kind", "scopes"}


async def test_restricted_keys_have_their_scopes_and_publishable_ones_none(auth: Auth) -> None:
    account = _account()
    restricted = await _issue(auth, account, "r1", "restricted", scopes=["charges:read"])
    publishable = await _issue(auth, account, "r2", "publishable")
    assert list((await _validate(auth, restricted.secret)).scopes) == ["charges:read"]
    assert list((await _validate(auth, publishable.secret)).scopes) == []
    with pytest.raises(Aborted, match="INVALID_ARGUMENT"):
        await _issue(auth, account, "r3", "restricted")


async def test_a_rolled_key_and_its_successor_overlap(auth: Auth) -> None:
    account = _account()
    old = await _issue(auth, account, "r1", "restricted", scopes=["charges:read"])
    new = await _roll(auth, account, old.key.id, "r2", 3600)
    assert list(new.key.scopes) == ["charges:read"] and new.key.id != old.key.id
    assert (await _validate(auth, old.secret)).valid and (await _validate(auth, new.secret)).valid
    assert abs((await _validate(auth, old.secret)).expires_at.seconds - time.time() - 3600) < 60
    repeated = await _roll(auth, account, old.key.id, "r2", 3600)
    assert (repeated.key.id, repeated.secret) == (new.key.id, "")


async def test_without_overlap_the_old_key_ends_at_once(auth: Auth) -> None:
    account = _account()
    old = await _issue(auth, account)
    new = await _roll(auth, account, old.key.id, "r2", 0)
    assert (await _validate(auth, old.secret)).reason == "expired"
    assert (await _validate(auth, new.secret)).valid
    assert (await _roll(auth, account, old.key.id, "r2", 0)).key.id == new.key.id
    with pytest.raises(Aborted, match="FAILED_PRECONDITION"):
        await _roll(auth, account, old.key.id, "r3", 0)


async def test_a_revoked_key_is_over_and_foreign_keys_are_not_found(auth: Auth) -> None:
    account = _account()
    issued = await _issue(auth, account)
    request = {"key_id": issued.key.id, "revoked_by": "usr_1"}
    with pytest.raises(Aborted, match="NOT_FOUND"):
        await auth.servicer.RevokeApiKey(pb.RevokeApiKeyRequest(account_id=_account(), **request), Context())
    with pytest.raises(Aborted, match="NOT_FOUND"):
        await _roll(auth, _account(), issued.key.id, "r9", 0)
    first = await auth.servicer.RevokeApiKey(pb.RevokeApiKeyRequest(account_id=account, **request), Context())
    again = await auth.servicer.RevokeApiKey(pb.RevokeApiKeyRequest(account_id=account, **request), Context())
    assert first.revoked_at == again.revoked_at
    assert (await _validate(auth, issued.secret)).reason == "revoked"


async def test_uses_are_written_down_later(auth: Auth) -> None:
    account = _account()
    issued = await _issue(auth, account)
    await _validate(auth, issued.secret)
    assert not issued.key.HasField("last_used_at")
    write_uses: Any = auth.client.app.background[1]
    await write_uses.args[1]()
    listed = await auth.servicer.ListApiKeys(pb.ListApiKeysRequest(account_id=account), None)
    assert listed.keys[0].HasField("last_used_at")


async def test_another_pepper_knows_no_key(auth: Auth, given: app.Settings) -> None:
    issued = await _issue(auth, _account())
    other = issuing.Keys(api_keys.ApiKeys(auth.pool), settings.Secret("another pepper").reveal())
    assert (await other.validate(issued.secret))[1] == "unknown"


async def test_permissions_are_those_of_the_roles_now_and_each_question_is_audited(auth: Auth) -> None:
    user_id = await auth.person(f"{ids.random(8)}@example.com")
    request = pb.CheckPermissionRequest(user_id=user_id, permission="merchant.approve", resource="acct_1")
    assert not (await auth.servicer.CheckPermission(request, None)).allowed
    await auth.pool.execute("UPDATE users SET roles = '{user,platform_admin}' WHERE id = $1", user_id)
    assert (await auth.servicer.CheckPermission(request, None)).allowed
    unknown = pb.CheckPermissionRequest(user_id="usr_nobody", permission="merchant.approve")
    assert not (await auth.servicer.CheckPermission(unknown, None)).allowed
    lines = await auth.pool.fetch("SELECT outcome FROM audit WHERE actor = $1 AND action = 'merchant.approve'", user_id)
    assert [line["outcome"] for line in lines] == ["denied", "granted"]
