"""The gRPC face (payments.auth.v1.Auth)."""

from __future__ import annotations

import collections
import datetime
import time
from typing import Any

import asyncpg
import grpc

from payments.auth import entry, issuing, liveness, permissions, signing
from payments.auth.store import api_keys, audit, people
from payments.common import failures, tokens
from payments.rpc import auth_pb2 as pb
from payments.rpc import auth_pb2_grpc

_REMEMBERED = 4096


class Servicer(auth_pb2_grpc.AuthServicer):
    """Answers other services; which of them may ask what is said in the plan."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        persons: people.People,
        keys: issuing.Keys,
        signer: signing.Signer,
        live: liveness.Liveness,
        door: entry.Entry,
    ) -> None:
        self._pool = pool
        self._people = persons
        self._keys = keys
        self._live = live
        self._door = door
        self._verified = Verified(signer)

    @failures.answered
    async def ValidateToken(self, request: pb.ValidateTokenRequest) -> pb.Principal:
        try:
            claims = self._verified.claims(request.token)
        except tokens.Invalid as invalid:
            return pb.Principal(valid=False, reason=str(invalid))
        if not await self._live.alive(claims.sid):
            return pb.Principal(valid=False, reason="revoked", user_id=claims.sub, session_id=claims.sid)
        return _principal(claims)

    @failures.answered
    async def ValidateApiKey(self, request: pb.ValidateApiKeyRequest) -> pb.ApiKeyPrincipal:
        found, reason = await self._keys.validate(request.key)
        return _key_principal(found) if found else pb.ApiKeyPrincipal(valid=False, reason=reason)

    @failures.answered
    async def CheckPermission(self, request: pb.CheckPermissionRequest) -> pb.CheckPermissionResponse:
        person = await self._people.find(request.user_id)
        allowed = person is not None and permissions.allowed(person.roles, request.permission)
        outcome = audit.GRANTED if allowed else audit.DENIED
        await audit.add(self._pool, request.user_id, request.permission, request.resource, outcome)
        reason = "" if allowed else f"{request.user_id or 'nobody'} may not {request.permission}"
        return pb.CheckPermissionResponse(allowed=allowed, reason=reason)

    @failures.answered
    async def IssueApiKey(self, request: pb.IssueApiKeyRequest) -> pb.IssuedApiKey:
        expires_at = request.expires_at.ToDatetime(datetime.UTC) if request.HasField("expires_at") else None
        values = (request.request_id, request.account_id, request.livemode, request.kind, tuple(request.scopes))
        return _issued(await self._keys.issue(issuing.Wish(*values, request.name, request.issued_by, expires_at)))

    @failures.answered
    async def ListApiKeys(self, request: pb.ListApiKeysRequest) -> pb.ListApiKeysResponse:
        return pb.ListApiKeysResponse(keys=map(_key, await self._keys.of(request.account_id)))

    @failures.answered
    async def RollApiKey(self, request: pb.RollApiKeyRequest) -> pb.IssuedApiKey:
        values = (request.request_id, request.account_id, request.key_id, request.overlap_seconds, request.rolled_by)
        return _issued(await self._keys.roll(issuing.Roll(*values)))

    @failures.answered
    async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest) -> pb.ApiKey:
        return _key(await self._keys.revoke(request.account_id, request.key_id, request.revoked_by))

    @failures.answered
    async def RevokeSession(self, request: pb.RevokeSessionRequest) -> pb.RevokeSessionResponse:
        if not request.user_id:
            failures.refuse(grpc.StatusCode.INVALID_ARGUMENT, "parameter_missing", "user_id", "user_id must be given")
        ended = await self._door.end(request.user_id, request.session_id or None, request.reason or "revoked")
        return pb.RevokeSessionResponse(revoked=ended)


class Verified:
    """Tokens that were verified lately, until they expire: a signature costs 130 µs, a look 0.1."""

    def __init__(self, signer: signing.Signer) -> None:
        self._signer = signer
        self._known: collections.OrderedDict[str, tokens.Claims] = collections.OrderedDict()

    def claims(self, token: str) -> tokens.Claims:
        """What `token` says; raises `tokens.Invalid`."""
        known = self._known.get(token)
        if known is not None and known.exp > time.time():
            return known
        claims = self._signer.verify(token)
        self._known[token] = claims
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return claims


def _principal(claims: tokens.Claims) -> pb.Principal:
    message = pb.Principal(
        valid=True,
        user_id=claims.sub,
        session_id=claims.sid,
        roles=claims.roles,
        email_verified=claims.email_verified,
    )
    message.expires_at.FromSeconds(claims.exp)
    return message


def _key_principal(key: api_keys.ApiKey) -> pb.ApiKeyPrincipal:
    message = pb.ApiKeyPrincipal(
        valid=True,
        key_id=key.id,
        account_id=key.account_id,
        livemode=key.livemode,
        kind=key.kind,
        scopes=key.scopes,
    )
    _set(message.expires_at, key.expires_at)
    return message


def _key(key: api_keys.ApiKey) -> pb.ApiKey:
    plain = ("id", "account_id", "livemode", "kind", "scopes", "name", "hint")
    message = pb.ApiKey(**{field: getattr(key, field) for field in plain})
    for field in ("created_at", "expires_at", "revoked_at", "last_used_at"):
        _set(getattr(message, field), getattr(key, field))
    return message


def _issued(issued: issuing.Issued) -> pb.IssuedApiKey:
    return pb.IssuedApiKey(key=_key(issued[0]), secret=issued[1])


def _set(field: Any, moment: datetime.datetime | None) -> None:
    if moment is not None:
        field.FromDatetime(moment)
