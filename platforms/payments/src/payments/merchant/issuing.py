"""API keys of an account, handed out by auth-service."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import grpc
import grpc.aio

from groundplan_runtime import clients, http
from payments.common import failures, ids
from payments.merchant import access, states
from payments.merchant.store import merchants
from payments.rpc import auth_pb2 as pb
from payments.rpc import auth_pb2_grpc

_log = logging.getLogger(__name__)

ACTOR = "merchant-service"
EVERY = 5.0
"""Seconds between two looks for keys that are to be revoked and were not yet."""

_STATUS = {
    grpc.StatusCode.NOT_FOUND: (404, "Not Found"),
    grpc.StatusCode.INVALID_ARGUMENT: (400, "Bad Request"),
    grpc.StatusCode.ALREADY_EXISTS: (409, "Conflict"),
    grpc.StatusCode.FAILED_PRECONDITION: (409, "Conflict"),
}


class Keys:
    """Asks auth-service in an account's name."""

    def __init__(self, rows: merchants.Merchants, auth: auth_pb2_grpc.AuthAsyncStub) -> None:
        self._rows = rows
        self._auth = auth

    async def issue(self, merchant: merchants.Merchant, wish: dict[str, Any], actor: str, request_id: str) -> Any:
        """A new key, with its secret. The same `request_id` gives the same key, without the secret."""
        livemode = wish.get("livemode", False)
        _check_state(merchant, livemode)
        request = pb.IssueApiKeyRequest(
            request_id=request_id or ids.new("rq"),
            account_id=merchant.id,
            livemode=livemode,
            kind=wish["kind"],
            scopes=wish.get("scopes", ()),
            name=wish.get("name", ""),
            issued_by=actor,
        )
        issued = await _asked(self._auth.IssueApiKey(request))
        await self._rows.note(merchant.id, actor, "api_key.issue", key=issued.key.id, kind=issued.key.kind)
        return shown(issued.key, issued.secret)

    async def of(self, merchant_id: str) -> list[dict[str, Any]]:
        listed = await _asked(self._auth.ListApiKeys(pb.ListApiKeysRequest(account_id=merchant_id)))
        return [shown(key) for key in listed.keys]

    async def roll(self, merchant: merchants.Merchant, key_id: str, overlap: int, actor: str, request_id: str) -> Any:
        """A new key in the place of `key_id`, which works for `overlap` seconds more."""
        # A live key is rolled where one could be issued: rolling is no way around the platform's decision.
        found = next((key for key in await self.of(merchant.id) if key["id"] == key_id), None)
        if found is None:
            access.not_found(key_id)
        _check_state(merchant, found["livemode"])
        request = pb.RollApiKeyRequest(
            request_id=request_id or ids.new("rq"),
            account_id=merchant.id,
            key_id=key_id,
            overlap_seconds=overlap,
            rolled_by=actor,
        )
        issued = await _asked(self._auth.RollApiKey(request))
        await self._rows.note(merchant.id, actor, "api_key.roll", key=issued.key.id, rolled=key_id)
        return shown(issued.key, issued.secret)

    async def revoke(self, merchant_id: str, key_id: str, actor: str) -> Any:
        request = pb.RevokeApiKeyRequest(account_id=merchant_id, key_id=key_id, revoked_by=actor)
        revoked = await _asked(self._auth.RevokeApiKey(request))
        await self._rows.note(merchant_id, actor, "api_key.revoke", key=key_id)
        return shown(revoked)

    async def revoke_pending(self, merchant_id: str | None = None) -> None:
        """Revokes what suspended and closed accounts still have; of all accounts without `merchant_id`."""
        for account, which in await self._rows.revoking(merchant_id):
            for key in await self.of(account):
                if key["revoked_at"] is None and (which == "all" or key["livemode"]):
                    await self.revoke(account, key["id"], ACTOR)
            await self._rows.revoked(account, which)

    async def run(self) -> None:
        """Until cancelled: what could not be revoked at once is revoked as soon as auth-service answers."""
        while True:
            await asyncio.sleep(EVERY)
            await self.try_pending()

    async def try_pending(self, merchant_id: str | None = None) -> None:
        """As `revoke_pending`, but what does not work now is left for later."""
        try:
            await self.revoke_pending(merchant_id)
        except (clients.CallFailed, http.Problem, OSError, TimeoutError) as error:
            _log.warning("API keys are revoked later: %s", error)


def shown(key: pb.ApiKey, secret: str = "") -> dict[str, Any]:
    """A key as JSON; with its secret the first time."""
    plain = ("id", "livemode", "kind", "name", "hint")
    found: dict[str, Any] = {"object": "api_key"} | {field: getattr(key, field) for field in plain}
    found["scopes"] = list(key.scopes)
    for field in ("created_at", "expires_at", "revoked_at", "last_used_at"):
        moment = getattr(key, field)
        found[field] = moment.ToJsonString() if key.HasField(field) else None
    return found | ({"secret": secret} if secret else {})


def _check_state(merchant: merchants.Merchant, livemode: bool) -> None:
    wanted = states.LIVE_KEYS if livemode else states.TEST_KEYS
    if merchant.state not in wanted:
        mode = "live" if livemode else "test"
        words = f"{mode} keys are for accounts that are {' or '.join(wanted)}; this one is {merchant.state}"
        raise http.Problem(409, "Conflict", words, code="wrong_state")


async def _asked(call: Any) -> Any:
    """The answer of auth-service; its refusals as problems of the same kind."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() not in _STATUS:
            raise
        status, title = _STATUS[error.code()]
        errors = [{"field": one.field, "code": one.code, "message": one.message} for one in failures.of(error)]
        raise http.Problem(status, title, error.details() or "", code="refused", errors=errors) from None
