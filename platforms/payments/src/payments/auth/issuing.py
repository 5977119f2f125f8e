"""API keys: issued, rolled, checked, revoked. The key itself is in one answer and nowhere else."""

from __future__ import annotations

import dataclasses
import datetime
import hmac
import re
from collections.abc import Callable
from typing import NoReturn

import grpc

from payments.auth.store import api_keys
from payments.common import failures, ids, keys

LONGEST_OVERLAP = 7 * 24 * 3600
"""Seconds that a rolled key may still work at most."""
SCOPE = re.compile(r"\*|[a-z][a-z_]*:(read|write)")


@dataclasses.dataclass(frozen=True)
class Wish:
    """A key that somebody wants."""

    request_id: str
    account_id: str
    livemode: bool
    kind: str
    scopes: tuple[str, ...]
    name: str
    by: str
    expires_at: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class Roll:
    """A key that somebody wants in another's place."""

    request_id: str
    account_id: str
    key_id: str
    overlap: float
    by: str


Issued = tuple[api_keys.ApiKey, str]
"""A key and, the first time only, its secret."""


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Keys:
    """The keys of all accounts; `pepper` is the key of their hashes at rest."""

    def __init__(self, rows: api_keys.ApiKeys, pepper: str, clock: Callable[[], datetime.datetime] = now) -> None:
        self._rows = rows
        self._pepper = pepper.encode()
        self._clock = clock
        self._used: dict[str, datetime.datetime] = {}

    async def issue(self, wish: Wish) -> Issued:
        """The key that `wish.request_id` made; its secret only when it is made now."""
        problems = check(wish, self._clock())
        if problems:
            raise failures.Refused(grpc.StatusCode.INVALID_ARGUMENT, *problems)
        scopes = wish.scopes if wish.kind == "restricted" else _SCOPES[wish.kind]
        secret = keys.new(wish.kind, wish.livemode)
        key = self._key(secret, wish.account_id, scopes, wish.name, wish.by, wish.expires_at, None)
        found, fresh = await self._rows.add(key, self._hash(secret), wish.request_id)
        return _issued(found, key, secret, fresh)

    async def roll(self, roll: Roll) -> Issued:
        """A new key like the old one, which works for `roll.overlap` seconds more."""
        if not roll.request_id or not 0 <= roll.overlap <= LONGEST_OVERLAP:
            words = f"a request id and an overlap of 0 to {LONGEST_OVERLAP} seconds are needed"
            failures.refuse(grpc.StatusCode.INVALID_ARGUMENT, "invalid_overlap", "overlap_seconds", words)
        old = await self._rows.find(roll.account_id, roll.key_id)
        if old is None:
            _no_such_key(roll.key_id)
        repeated = await self._rows.by_request(roll.account_id, roll.request_id) is not None
        if self._over(old) and not repeated:
            failures.refuse(grpc.StatusCode.FAILED_PRECONDITION, "api_key_over", "key_id", "This key works no more.")
        life = old.expires_at - old.created_at if old.expires_at and not repeated else None
        ends = self._clock() + life if life else None
        secret = keys.new(old.kind, old.livemode)
        key = self._key(secret, old.account_id, old.scopes, old.name, roll.by, ends, old.id)
        until = self._clock() + datetime.timedelta(seconds=roll.overlap)
        found, fresh = await self._rows.roll(old.id, key, self._hash(secret), roll.request_id, until)
        return _issued(found, key, secret, fresh)

    async def validate(self, key: str) -> tuple[api_keys.ApiKey | None, str]:
        """The key's row where it works, else why not: "unknown", "revoked", "expired"."""
        found = await self._rows.by_hash(self._hash(key)) if keys.well_formed(key) else None
        if found is None:
            return None, "unknown"
        reason = self._over(found)
        if reason:
            await self._rows.deny(found, reason)
            return None, reason
        self._used[found.id] = self._clock()
        return found, ""

    async def of(self, account_id: str) -> list[api_keys.ApiKey]:
        return await self._rows.of(account_id)

    async def revoke(self, account_id: str, key_id: str, by: str) -> api_keys.ApiKey:
        found = await self._rows.revoke(account_id, key_id, by)
        if found is None:
            _no_such_key(key_id)
        return found

    async def write_uses(self) -> None:
        """Writes down when keys were used; now and then, not with each request."""
        used, self._used = self._used, {}
        if used:
            await self._rows.touch(used)

    def _key(
        self, secret: str, account_id: str, scopes: tuple[str, ...], name: str, by: str,
        expires_at: datetime.datetime | None, rolled_from: str | None,
    ) -> api_keys.ApiKey:  # fmt: skip
        mode = secret[3:7] == "live"
        made = (ids.new("key"), account_id, mode, keys.kind(secret), scopes, name, keys.hint(secret), by, self._clock())
        return api_keys.ApiKey(*made, expires_at, None, None, rolled_from)

    def _over(self, key: api_keys.ApiKey) -> str:
        if key.revoked_at is not None:
            return "revoked"
        return "expired" if key.expires_at is not None and key.expires_at <= self._clock() else ""

    def _hash(self, secret: str) -> bytes:
        return hmac.digest(self._pepper, secret.encode(), "sha256")


_SCOPES = {"secret": ("*",), "publishable": ()}


def check(wish: Wish, now: datetime.datetime) -> tuple[failures.Failure, ...]:
    """Everything that is wrong with `wish`."""
    scoped = bool(wish.scopes) and all(map(SCOPE.fullmatch, wish.scopes))
    conditions = (
        (bool(wish.request_id), "request_id", "a request id must be given"),
        (wish.account_id.startswith("acct_"), "account_id", "must be an account, acct_…"),
        (wish.kind in keys.PREFIXES, "kind", f"must be one of {', '.join(keys.PREFIXES)}"),
        (wish.kind == "restricted" or not wish.scopes, "scopes", "are for restricted keys"),
        (wish.kind != "restricted" or scoped, "scopes", 'must be like "payment_intents:write"'),
        (len(wish.name) <= 100, "name", "must have 100 characters at most"),
        (wish.expires_at is None or wish.expires_at > now, "expires_at", "must be in the future"),
    )
    return tuple(
        failures.Failure("invalid", field, f"{field} {words}") for fits, field, words in conditions if not fits
    )


def _no_such_key(key_id: str) -> NoReturn:
    failures.refuse(grpc.StatusCode.NOT_FOUND, "resource_missing", "key_id", f"No such API key: '{key_id}'")


def _issued(found: api_keys.ApiKey, wished: api_keys.ApiKey, secret: str, fresh: bool) -> Issued:
    if not fresh and not found.same_wish(wished):
        words = "This request id made another key: send a new id for new parameters."
        failures.refuse(grpc.StatusCode.ALREADY_EXISTS, "idempotency_error", "request_id", words)
    return found, secret if fresh else ""
