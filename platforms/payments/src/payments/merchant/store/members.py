"""Members of accounts, and the invitations that make them."""

# ruff: noqa: S608  (names of columns; SQL is put together from constants)
from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Literal

import asyncpg

from payments.common import ids, postbox
from payments.merchant.store import changes, merchants

OPEN_INVITATIONS = 50
"""How many invitations of one account may be open at once."""

Outcome = Literal["done", "absent", "last_owner"]


@dataclasses.dataclass(frozen=True)
class Member:
    """Somebody who works on an account."""

    user_id: str
    role: str
    created_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Invitation:
    """The wish to make whoever reads a mailbox a member."""

    id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime.datetime
    expires_at: datetime.datetime


_MEMBERS = "SELECT user_id, role, created_at FROM member WHERE merchant_id = $1 ORDER BY created_at, user_id"
_ROLE = "SELECT role FROM member WHERE merchant_id = $1 AND user_id = $2"
_OWNERS = "SELECT count(*) FROM member WHERE merchant_id = $1 AND role = 'owner'"
_SET_ROLE = "UPDATE member SET role = $3 WHERE merchant_id = $1 AND user_id = $2"
_REMOVE = "DELETE FROM member WHERE merchant_id = $1 AND user_id = $2"
_JOIN = "INSERT INTO member (merchant_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING role"

_COLUMNS = "id, email, role, invited_by, created_at, expires_at"
_INVITE = f"""
INSERT INTO invitation (id, merchant_id, email, role, token_hash, invited_by, expires_at)
SELECT $1, $2, $3, $4, $5, $6, now() + interval '7 days'
WHERE (SELECT count(*) FROM invitation WHERE merchant_id = $2 AND expires_at > now()) < {OPEN_INVITATIONS}
RETURNING {_COLUMNS}
"""
_INVITATIONS = f"SELECT {_COLUMNS} FROM invitation WHERE merchant_id = $1 AND expires_at > now() ORDER BY id"
_WITHDRAW = "DELETE FROM invitation WHERE merchant_id = $1 AND id = $2 RETURNING email"
_INVITED_TO = "SELECT merchant_id FROM invitation WHERE token_hash = $1 AND expires_at > now()"
_TAKE = "DELETE FROM invitation WHERE token_hash = $1 AND expires_at > now() RETURNING id, role"
_SWEEP = "DELETE FROM invitation WHERE expires_at < now()"


class Members:
    """The rows of members and invitations."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def of(self, merchant_id: str) -> list[Member]:
        return [Member(**row) for row in await self._pool.fetch(_MEMBERS, merchant_id)]

    async def set_role(self, merchant_id: str, user_id: str, role: str | None, actor: str) -> Outcome:
        """Gives a member another role or, without `role`, removes it; the account keeps an owner."""
        async with changes.change(self._pool, merchant_id) as change:
            if change is None:
                return "absent"
            present = await change.connection.fetchval(_ROLE, merchant_id, user_id)
            if present is None:
                return "absent"
            # The account's row is locked, so two owners cannot both see the other one stay.
            if present == "owner" != role and await change.connection.fetchval(_OWNERS, merchant_id) == 1:
                return "last_owner"
            await _change_role(change.connection, merchant_id, user_id, role)
            await change.note(actor, "member.role" if role else "member.remove", user=user_id, role=role or present)
        return "done"

    async def invite(
        self, merchant_id: str, email: str, role: str, token_hash: bytes, actor: str, letter: merchants.Letter
    ) -> Invitation | None:
        """An invitation and its mail; None where too many are open."""
        async with changes.change(self._pool, merchant_id) as change:
            if change is None:
                return None
            values = (ids.new("inv"), merchant_id, email, role, token_hash, actor)
            row = await change.connection.fetchrow(_INVITE, *values)
            if row is None:
                return None
            await postbox.add(change.connection, letter.to, letter.subject, letter.text)
            await change.note(actor, "invite", invitation=row["id"], email=email, role=role)
        return Invitation(**row)

    async def invitations(self, merchant_id: str) -> list[Invitation]:
        return [Invitation(**row) for row in await self._pool.fetch(_INVITATIONS, merchant_id)]

    async def withdraw(self, merchant_id: str, invitation_id: str, actor: str) -> bool:
        async with changes.change(self._pool, merchant_id) as change:
            if change is None:
                return False
            email = await change.connection.fetchval(_WITHDRAW, merchant_id, invitation_id)
            if email is None:
                return False
            await change.note(actor, "invite.withdraw", invitation=invitation_id, email=email)
        return True

    async def accept(self, token_hash: bytes, user_id: str) -> str | None:
        """Makes `user_id` a member, once; the account's id, None where there is no such invitation (any more)."""
        merchant_id = await self._pool.fetchval(_INVITED_TO, token_hash)
        if merchant_id is None:
            return None
        async with changes.change(self._pool, merchant_id) as change:
            taken = await change.connection.fetchrow(_TAKE, token_hash) if change else None
            if change is None or taken is None:
                return None
            # Somebody who is a member already keeps the role: an invitation never takes rights away.
            joined = await change.connection.fetchval(_JOIN, merchant_id, user_id, taken["role"])
            await change.note(user_id, "invite.accept", invitation=taken["id"], role=joined or "unchanged")
        return str(merchant_id)

    async def sweep(self) -> None:
        """Drops invitations that are over."""
        await self._pool.execute(_SWEEP)


async def _change_role(connection: Any, merchant_id: str, user_id: str, role: str | None) -> None:
    if role is None:
        await connection.execute(_REMOVE, merchant_id, user_id)
    else:
        await connection.execute(_SET_ROLE, merchant_id, user_id, role)
