"""Members, their roles, and the invitations that make them."""

from __future__ import annotations

import asyncio
import re

import pytest

from payments.merchant import pace, roles
from platforms.payments.tests import asgi
from platforms.payments.tests.merchant.conftest import Merchants


async def _joined(merchants: Merchants, owner: asgi.Client, merchant_id: str, role: str) -> asgi.Client:
    """A new member with `role`, by invitation."""
    somebody = merchants.user()
    email = f"{somebody.headers['x-user-id'].lower()}@example.com"
    invited = "viewer" if role == "owner" else role
    answer = await owner.post(f"/merchants/{merchant_id}/invitations", email=email, role=invited)
    assert answer.status == 201, answer.body
    token = re.findall(r"it_\w+", (await merchants.mails(email))[-1])[0]
    accepted = await somebody.post("/merchants/invitations/accept", token=token)
    assert (accepted.status, accepted.json["role"]) == (200, invited)
    if role == "owner":
        await owner.ask("PATCH", f"/merchants/{merchant_id}/members/{_id(somebody)}", b'{"role": "owner"}')
    return somebody


def _id(client: asgi.Client) -> str:
    return client.headers["x-user-id"]


@pytest.mark.parametrize("role", roles.ROLES)
async def test_each_role_may_do_what_it_may_and_no_more(merchants: Merchants, role: str) -> None:
    owner = merchants.user()
    merchant_id = await merchants.draft(owner)
    member = await _joined(merchants, owner, merchant_id, role)
    path = f"/merchants/{merchant_id}"
    tried = {
        "read": await member.get(path),
        "update": await member.ask("PATCH", path, b'{"description": "x"}'),
        "members": await member.get(f"{path}/invitations"),
        "audit": await member.get(f"{path}/audit"),
        "submit": await member.post(f"{path}/submit"),
        "keys": await member.post(f"{path}/api-keys", kind="secret"),
        "activate": await member.post(f"{path}/activate"),
        "close": await member.post(f"{path}/close"),
    }
    denied = {permission for permission, answer in tried.items() if answer.status == 403}
    assert denied == {permission for permission in tried if not roles.allowed(role, permission)}
    assert not any(answer.status == 404 for answer in tried.values())


async def test_an_invitation_makes_one_member_once(merchants: Merchants) -> None:
    owner, guests = merchants.user(), [merchants.user() for _ in range(4)]
    merchant_id = await merchants.draft(owner)
    email = "guest-once@example.com"
    await owner.post(f"/merchants/{merchant_id}/invitations", email=email, role="admin")
    token = re.findall(r"it_\w+", (await merchants.mails(email))[-1])[0]
    answers = await asyncio.gather(*(guest.post("/merchants/invitations/accept", token=token) for guest in guests))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert len((await owner.get(f"/merchants/{merchant_id}/members")).json["data"]) == 2


async def test_a_withdrawn_or_old_invitation_is_worth_nothing(merchants: Merchants) -> None:
    owner, guest = merchants.user(), merchants.user()
    merchant_id = await merchants.draft(owner)
    path = f"/merchants/{merchant_id}/invitations"
    tokens = []
    for number in range(2):
        made = (await owner.post(path, email=f"old{number}@example.com", role="viewer")).json
        tokens.append(re.findall(r"it_\w+", (await merchants.mails(f"old{number}@example.com"))[-1])[0])
    assert (await owner.ask("DELETE", f"{path}/{made['id']}")).status == 204
    assert (await owner.ask("DELETE", f"{path}/{made['id']}")).status == 404
    await merchants.pool.execute("UPDATE invitation SET expires_at = now() - interval '1 second'")
    for token in tokens:
        assert (await guest.post("/merchants/invitations/accept", token=token)).status == 400


async def test_an_account_keeps_an_owner_even_when_all_leave_at_once(merchants: Merchants) -> None:
    first = merchants.user()
    merchant_id = await merchants.draft(first)
    second = await _joined(merchants, first, merchant_id, "owner")
    leaving = [one.ask("DELETE", f"/merchants/{merchant_id}/members/{_id(one)}") for one in (first, second)]
    assert sorted(answer.status for answer in await asyncio.gather(*leaving)) == [204, 409]


async def test_an_admin_cannot_make_or_unmake_owners(merchants: Merchants) -> None:
    owner = merchants.user()
    merchant_id = await merchants.draft(owner)
    admin = await _joined(merchants, owner, merchant_id, "admin")
    path = f"/merchants/{merchant_id}/members"
    assert (await admin.ask("PATCH", f"{path}/{_id(admin)}", b'{"role": "owner"}')).status == 403
    assert (await admin.ask("DELETE", f"{path}/{_id(owner)}")).status == 403
    assert (await admin.ask("PATCH", f"{path}/{_id(admin)}", b'{"role": "viewer"}')).status == 200
    assert (await admin.ask("DELETE", f"{path}/usr_absent")).status == 403
    assert (await admin.ask("DELETE", f"{path}/{_id(admin)}")).status == 204
    assert (await admin.get(f"/merchants/{merchant_id}")).status == 404


async def test_an_invitation_takes_no_rights_from_a_member(merchants: Merchants) -> None:
    owner = merchants.user()
    merchant_id = await merchants.draft(owner)
    await owner.post(f"/merchants/{merchant_id}/invitations", email="me@example.com", role="viewer")
    token = re.findall(r"it_\w+", (await merchants.mails("me@example.com"))[-1])[0]
    assert (await owner.post("/merchants/invitations/accept", token=token)).json["role"] == "owner"


async def test_invitations_are_counted_by_the_hour_and_without_redis_still_bounded(merchants: Merchants) -> None:
    owner = merchants.user()
    path = f"/merchants/{await merchants.draft(owner)}/invitations"
    statuses = [
        (await owner.post(path, email=f"{n}@example.com", role="viewer")).status for n in range(pace.AN_HOUR + 1)
    ]
    assert statuses == [201] * pace.AN_HOUR + [429]
    merchants.store.client.connection_pool.connection_kwargs["port"] = 9
    # Its open connections know the right port, so they are forgotten.
    merchants.store.client.connection_pool.reset()  # type: ignore[no-untyped-call]
    more = [(await owner.post(path, email=f"{n}@example.com", role="viewer")).status for n in range(31)]
    assert more == [201] * 30 + [409]
