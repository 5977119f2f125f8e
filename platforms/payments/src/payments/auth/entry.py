"""Signing in and staying in: passwords become sessions, refresh tokens become access tokens."""

from __future__ import annotations

import dataclasses
import logging

import asyncpg

from groundplan_runtime import http
from payments.auth import factors, liveness, opaque, passwords, signing, throttle
from payments.auth.store import audit, people, sessions
from payments.common import fields, ids, tokens

_log = logging.getLogger(__name__)

GRACE = 10.0
"""Seconds in which an exchanged refresh token may be sent again, because the reply was lost."""


@dataclasses.dataclass(frozen=True)
class Device:
    """From where somebody signs in."""

    address: str
    user_agent: str


@dataclasses.dataclass(frozen=True)
class Pass:
    """What lets somebody in."""

    session_id: str
    access_token: str = dataclasses.field(repr=False)
    refresh_token: str = dataclasses.field(repr=False)
    expires_in: int = tokens.LIFETIME


@dataclasses.dataclass(frozen=True)
class Parts:
    """What signing in is made of."""

    pool: asyncpg.Pool
    people: people.People
    sessions: sessions.Sessions
    passwords: passwords.Passwords
    factors: factors.Factors
    throttle: throttle.Throttle
    liveness: liveness.Liveness
    signer: signing.Signer
    refresh_key: bytes = dataclasses.field(repr=False)


class Entry:
    """The door."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def login(self, email: str, password: str, code: str | None, device: Device) -> Pass:
        """Opens a session; raises a `http.Problem`: 401 with one answer for all that can be wrong, 429 for haste."""
        who = fields.email_key(email)
        await self._parts.throttle.admit(f"login {who}")
        person = await self._parts.people.find_by_email(who)
        if not await self._parts.passwords.verify(person.password_hash if person else None, password) or person is None:
            await self._deny(person.id if person else "", "wrong password" if person else "unknown")
            raise _unauthorized("invalid_credentials", "wrong address or password, or the address is not confirmed yet")
        methods = ("pwd", *await self._second_factor(person, code))
        await self._parts.throttle.forget(f"login {who}")
        await self._keep_up(person, password)
        return await self._open(person, methods, device)

    async def refresh(self, token: str) -> Pass:
        """Exchanges a refresh token, once; whoever sends it again later loses the whole session."""
        successor = opaque.successor(self._parts.refresh_key, token)
        hashes = opaque.hashed(token), opaque.hashed(successor)
        rotated = await self._parts.sessions.rotate(*hashes)
        if rotated is None:
            rotated = await self._again(*hashes)
        access = self._parts.signer.sign(rotated.user_id, rotated.session_id, rotated.roles, rotated.methods)
        return Pass(rotated.session_id, access, successor)

    async def logout(self, token: str) -> None:
        """Ends the session of a refresh token; a token that nobody knows is answered alike."""
        owner = await self._parts.sessions.owner(opaque.hashed(token))
        if owner is not None:
            await self.end(owner[1], owner[0], "logout")

    async def end(self, user_id: str, session_id: str | None, reason: str) -> int:
        """Ends one session of a user, or all without `session_id`; how many it ended."""
        ended = await self._parts.sessions.revoke(user_id, session_id, reason)
        await self._parts.liveness.ended(ended)
        return len(ended)

    async def confirm(self, person: people.Person, password: str, code: str | None = None) -> None:
        """Raises unless `password`, and `code` where it is given, are the person's.

        What a stolen access token alone must not do asks for this. Tries are forgotten only when all of it is right,
        so that who knows the password cannot go through the codes.
        """
        await self._parts.throttle.admit(f"login {fields.email_key(person.email)}")
        if not await self._parts.passwords.verify(person.password_hash, password):
            await self._deny(person.id, "wrong password")
            raise _unauthorized("invalid_credentials", "wrong password")
        if code is not None and await self._parts.factors.check(person, code) is None:
            await self._deny(person.id, "wrong code")
            raise http.Problem(400, "Bad Request", "the code is wrong, or was used before", code="invalid_totp")
        await self._parts.throttle.forget(f"login {fields.email_key(person.email)}")

    async def _second_factor(self, person: people.Person, code: str | None) -> tuple[str, ...]:
        if not person.totp_enabled:
            return ()
        if code is None:
            raise _unauthorized("totp_required", "send the code of your authenticator app as totp")
        method = await self._parts.factors.check(person, code)
        if method is None:
            await self._deny(person.id, "wrong code")
            raise _unauthorized("invalid_totp", "the code is wrong, or was used before")
        return (method,)

    async def _keep_up(self, person: people.Person, password: str) -> None:
        if self._parts.passwords.outdated(person.password_hash):
            await self._parts.people.set_password(person.id, await self._parts.passwords.hash(password))

    async def _open(self, person: people.Person, methods: tuple[str, ...], device: Device) -> Pass:
        session_id, refresh_token = ids.new("ses"), opaque.new("rt")
        values = (session_id, person.id, methods, device.address, device.user_agent)
        await self._parts.sessions.open(*values, opaque.hashed(refresh_token))
        access = self._parts.signer.sign(person.id, session_id, person.roles, methods)
        return Pass(session_id, access, refresh_token)

    async def _again(self, token_hash: bytes, successor_hash: bytes) -> sessions.Rotated:
        """What a token gives that was exchanged before."""
        used = await self._parts.sessions.used(token_hash, successor_hash)
        if used is None or not used.live:
            raise _unauthorized("invalid_refresh_token", "sign in again")
        if used.seconds > GRACE or not used.successor_unused:
            # Two parties hold tokens of this family, and one of them stole them.
            _log.warning("a refresh token was used twice: session %s ends", used.rotated.session_id)
            await self.end(used.rotated.user_id, used.rotated.session_id, "reuse")
            raise _unauthorized("refresh_token_reused", "this token was used before, so its session was ended")
        return used.rotated

    async def _deny(self, subject: str, reason: str) -> None:
        await audit.add(self._parts.pool, "", "login", subject, audit.DENIED, reason)


def _unauthorized(code: str, detail: str) -> http.Problem:
    return http.Problem(401, "Unauthorized", detail, code=code)
