"""Who asks: API keys by Basic or Bearer, access tokens by Bearer; checked with auth-service, remembered for seconds."""

from __future__ import annotations

import asyncio
import base64
import binascii
import collections
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from payments.common import keys, tokens
from payments.gateway import jwks, shapes
from payments.rpc import auth_pb2 as pb
from payments.rpc import auth_pb2_grpc

T = TypeVar("T")

Headers = tuple[tuple[str, str], ...]

GOOD_FOR, BAD_FOR = 10.0, 2.0
"""Seconds for which an answer of auth-service is believed: so long may a revoked key or session still get in."""
REMEMBERED = 10_000

_KEY_PREFIXES = ("sk_", "pk_", "rk_")
_MISSING = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY') or Basic auth with the key as user name."
)


class Remembered(Generic[T]):
    """Answers by a keyed hash of the credential, for a while; the same question at the same time is asked once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        # The process' own key: what lies in memory is of no use elsewhere.
        self._key = os.urandom(32)
        self._clock = clock
        self._known: collections.OrderedDict[bytes, tuple[float, T]] = collections.OrderedDict()
        self._asking: dict[bytes, asyncio.Future[T]] = {}

    def known(self, credential: str) -> T | None:
        """The answer that is still good, if there is one."""
        known = self._known.get(self._name(credential))
        return known[1] if known is not None and known[0] > self._clock() else None

    async def get(self, credential: str, ask: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        """The answer of `ask`, which says for how many seconds it is good."""
        name = self._name(credential)
        known = self._known.get(name)
        if known is not None and known[0] > self._clock():
            return known[1]
        asking = self._asking.get(name)
        if asking is None:
            asking = self._asking[name] = asyncio.ensure_future(self._ask(name, ask))
            asking.add_done_callback(lambda _: self._asking.pop(name, None))
        # Shielded: the one who asked first may go away while others wait for the same answer.
        return await asyncio.shield(asking)

    def _name(self, credential: str) -> bytes:
        # Keyed BLAKE2 is a MAC by itself (RFC 7693) and a tenth of OpenSSL's HMAC, which every request would pay.
        return hashlib.blake2b(credential.encode(), digest_size=16, key=self._key).digest()

    async def _ask(self, name: bytes, ask: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        answer, seconds = await ask()
        self._known.pop(name, None)
        self._known[name] = (self._clock() + seconds, answer)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return answer


class Key:
    """An API key that auth-service knows: what the backends and the rate limits need of it."""

    __slots__ = ("account_id", "headers", "livemode", "publishable")

    def __init__(self, principal: pb.ApiKeyPrincipal) -> None:
        self.account_id = principal.account_id
        self.livemode = principal.livemode
        self.publishable = principal.kind == "publishable"
        self.headers: Headers = (
            ("x-account-id", principal.account_id),
            ("x-livemode", "true" if principal.livemode else "false"),
            ("x-key-id", principal.key_id),
            ("x-key-kind", principal.kind),
            ("x-scopes", ",".join(principal.scopes)),
        )


class User:
    """Somebody who is signed in."""

    __slots__ = ("headers", "user_id")

    def __init__(self, principal: pb.Principal) -> None:
        self.user_id = principal.user_id
        self.headers: Headers = (
            ("x-user-id", principal.user_id),
            ("x-session-id", principal.session_id),
            ("x-roles", ",".join(principal.roles)),
        )


class Credentials:
    """Reads the Authorization header and asks auth-service about it."""

    def __init__(self, auth: auth_pb2_grpc.AuthAsyncStub, known_keys: jwks.Keys) -> None:
        self._auth = auth
        self._jwks = known_keys
        self._keys: Remembered[Key | str] = Remembered()
        self._users: Remembered[User | str] = Remembered()

    async def key(self, authorization: str) -> Key:
        """The API key in `authorization`; raises `shapes.Refused`."""
        given = api_key(authorization)
        if not given:
            raise shapes.Refused(401, _MISSING, headers={"www-authenticate": 'Bearer realm="payments"'})
        found = self._keys.known(given)
        if found is None:
            found = await self._unknown_yet(given)
        if isinstance(found, str):
            raise _invalid_key(given, found)
        return found

    async def user(self, authorization: str) -> User:
        """The user whose access token is in `authorization`; raises `shapes.Refused`."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("sign in and send the access token as Bearer", "invalid_request")
        found = await self._users.get(token, lambda: self._ask_user(token))
        if isinstance(found, str):
            raise _unauthorized(f"the access token is not accepted: {found}", "invalid_token")
        return found

    async def _unknown_yet(self, given: str) -> Key | str:
        """A key's own checksum tells most made-up ones without asking anybody, and keeps them out of the memory."""
        if not keys.well_formed(given):
            return "unknown"
        return await self._keys.get(given, lambda: self._ask_key(given))

    async def _ask_key(self, key: str) -> tuple[Key | str, float]:
        principal = await self._auth.ValidateApiKey(pb.ValidateApiKeyRequest(key=key))
        if not principal.valid:
            return principal.reason, BAD_FOR
        return Key(principal), _until(principal.expires_at.seconds)

    async def _ask_user(self, token: str) -> tuple[User | str, float]:
        try:
            await self._jwks.verify(token)  # here, so that only what auth-service signed gets as far as asking it
        except tokens.Invalid as invalid:
            return str(invalid), BAD_FOR
        principal = await self._auth.ValidateToken(pb.ValidateTokenRequest(token=token))
        if not principal.valid:
            return principal.reason, BAD_FOR
        return User(principal), _until(principal.expires_at.seconds)


def api_key(authorization: str) -> str:
    """The key in ``Bearer sk_…`` or in ``Basic base64(sk_…:)``; empty where there is none."""
    scheme, _, given = authorization.partition(" ")
    given = given.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode("ascii").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return given if scheme.lower() == "bearer" else ""


def _until(expires_at: int) -> float:
    """Seconds for which a good answer counts: no longer than the credential itself (Unix seconds, 0: for ever)."""
    return min(GOOD_FOR, max(0.0, expires_at - time.time())) if expires_at else GOOD_FOR


def _invalid_key(key: str, reason: str) -> shapes.Refused:
    if reason == "expired":
        return shapes.Refused(401, f"Expired API Key provided: {_masked(key)}", "api_key_expired")
    return shapes.Refused(401, f"Invalid API Key provided: {_masked(key)}")


def _masked(key: str) -> str:
    if not key.startswith(_KEY_PREFIXES) or len(key) < 20:
        return "*" * min(len(key), 16)
    return f"{key[:8]}{'*' * 12}{key[-4:]}"


def _unauthorized(detail: str, error: str) -> shapes.Refused:
    # RFC 6750, 3: the header tells a client whether to refresh its token.
    challenge = f'Bearer realm="payments", error="{error}"'
    return shapes.Refused(401, detail, error, {"www-authenticate": challenge})
