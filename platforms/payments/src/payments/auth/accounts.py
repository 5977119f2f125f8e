"""Getting an account, and getting back into it. Nothing here tells who has one."""

from __future__ import annotations

from collections.abc import Callable

from groundplan_runtime import http
from payments.auth import letters, liveness, opaque, passwords, throttle
from payments.auth.store import people
from payments.common import fields


class Accounts:
    """Registration, confirmation, and the reset of a password."""

    def __init__(
        self,
        rows: people.People,
        hasher: passwords.Passwords,
        live: liveness.Liveness,
        tries: throttle.Throttle,
        mails: letters.Letters,
        wake: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._hasher = hasher
        self._live = live
        self._tries = tries
        self._mails = mails
        self._wake = wake

    async def register(self, email: str, password: str, name: str) -> None:
        """Mails a link to `email`; what follows depends on who reads it."""
        await self._tries.admit(f"register {fields.email_key(email)}")  # or anybody could fill anybody's mailbox
        token = opaque.new("vt")
        password_hash = await self._hasher.hash(password)
        wish = people.Registration(opaque.hashed(token), email, fields.email_key(email), name, password_hash)
        await self._rows.register(wish, self._mails.welcome(token), self._mails.known())
        self._wake()

    async def verify(self, token: str) -> people.Person:
        """The account behind a link."""
        person = await self._rows.confirm(opaque.hashed(token))
        if person is None:
            raise _no_such_token()
        return person

    async def forgot(self, email: str) -> None:
        """Mails a link to `email` if it has an account."""
        await self._tries.admit(f"forgot {fields.email_key(email)}")
        token = opaque.new("pr")
        await self._rows.forgot(fields.email_key(email), opaque.hashed(token), self._mails.forgot(token))
        self._wake()

    async def reset(self, token: str, password: str) -> None:
        """Sets the password and ends all sessions."""
        token_hash = opaque.hashed(token)
        if not await self._rows.reset_open(token_hash):  # before hashing: made-up tokens must not cost us that
            raise _no_such_token()
        done = await self._rows.reset(token_hash, await self._hasher.hash(password))
        if done is None:
            raise _no_such_token()
        _, email_key, ended = done
        await self._live.ended(ended)
        await self._tries.forget(f"login {email_key}")


def _no_such_token() -> http.Problem:
    return http.Problem(400, "Bad Request", "the link was used, is too old, or never was", code="invalid_token")
