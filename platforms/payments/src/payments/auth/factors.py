"""The second factor: codes from an authenticator app, and recovery codes for when it is lost."""

from __future__ import annotations

import time
from collections.abc import Callable

from groundplan_runtime import http
from payments.auth import opaque, totp
from payments.auth.store import people
from payments.common import ids

RECOVERY_CODES = 10


class Factors:
    """Sets up, checks and switches off one-time codes."""

    def __init__(self, rows: people.People, sealer: opaque.Sealer, clock: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._sealer = sealer
        self._clock = clock

    async def set_up(self, person: people.Person) -> bytes:
        """A new secret for the app; nothing is asked for until `enable` has shown that the app has it."""
        secret = totp.new_secret()
        if not await self._rows.set_up_totp(person.id, self._sealer.seal(secret, person.id)):
            raise http.Problem(409, "Conflict", "one-time codes are in use: disable them first", code="totp_enabled")
        return secret

    async def enable(self, person: people.Person, code: str) -> list[str]:
        """The recovery codes, shown this once."""
        step = self._step(person, code)
        if step is None or person.totp_enabled:
            raise http.Problem(400, "Bad Request", "the code does not fit the secret set up", code="invalid_totp")
        codes = [f"{ids.random(6)}-{ids.random(6)}" for _ in range(RECOVERY_CODES)]
        if not await self._rows.enable_totp(person.id, step, [_code_hash(person.id, one) for one in codes]):
            raise http.Problem(409, "Conflict", "one-time codes are in use already", code="totp_enabled")
        return codes

    async def check(self, person: people.Person, code: str) -> str | None:
        """Takes `code`, once: "otp" or "recovery", None where it is wrong or was taken before."""
        step = self._step(person, code)
        if step is not None:
            return "otp" if await self._rows.take_step(person.id, step) else None
        recovered = await self._rows.take_recovery_code(person.id, _code_hash(person.id, code))
        return "recovery" if recovered else None

    async def disable(self, person: people.Person) -> None:
        await self._rows.disable_totp(person.id)

    def _step(self, person: people.Person, code: str) -> int | None:
        if person.totp_secret is None:
            return None
        secret = self._sealer.open(person.totp_secret, person.id)
        return totp.matching_step(secret, code, self._clock(), person.totp_step)


def _code_hash(user_id: str, code: str) -> bytes:
    # 71 random bits each: a plain hash cannot be searched.
    return opaque.hashed(f"{user_id} {code}")
