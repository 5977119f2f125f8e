"""The HTTP face of members and invitations."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from groundplan_runtime import http
from groundplan_runtime import redis as runtime_redis
from payments.common import fields, ids
from payments.merchant import access, letters, pace, roles
from payments.merchant.store import members, merchants

_LIMIT = 16 * 1024
_TOKEN = fields.matching(r"it_[0-9A-Za-z]{32}", "the code of an invitation")


class People:
    """The handlers."""

    def __init__(
        self,
        rows: members.Members,
        accounts: merchants.Merchants,
        rights: access.Access,
        mails: letters.Letters,
        store: runtime_redis.Store,
        wake: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._accounts = accounts
        self._rights = rights
        self._mails = mails
        self._pace = pace.Pace(store)
        self._wake = wake

    def routes(self) -> list[Route]:
        return [
            Route("/merchants/invitations/accept", self.accept, methods=["POST"]),
            Route("/merchants/{id}/members", self.list_members, methods=["GET"]),
            Route("/merchants/{id}/members/{user}", self.set_role, methods=["PATCH"]),
            Route("/merchants/{id}/members/{user}", self.remove, methods=["DELETE"]),
            Route("/merchants/{id}/invitations", self.invite, methods=["POST"]),
            Route("/merchants/{id}/invitations", self.list_invitations, methods=["GET"]),
            Route("/merchants/{id}/invitations/{invitation}", self.withdraw, methods=["DELETE"]),
        ]

    async def list_members(self, request: Request) -> Response:
        await self._rights.member_or_platform(request, "read", "merchant.read")
        found = await self._rows.of(request.path_params["id"])
        return _list([{"object": "member", **dataclasses.asdict(one)} for one in found])

    async def set_role(self, request: Request) -> Response:
        values = fields.read(await http.read(request, _LIMIT), {"role": fields.one_of(*roles.ROLES)})
        await self._change(request, values["role"])
        return http.Json({"object": "member", "user_id": request.path_params["user"], "role": values["role"]})

    async def remove(self, request: Request) -> Response:
        await self._change(request, None)
        return Response(status_code=204)

    async def _change(self, request: Request, role: str | None) -> None:
        merchant_id, user_id = request.path_params["id"], request.path_params["user"]
        who = await self._may_change(request, user_id, role)
        outcome = await self._rows.set_role(merchant_id, user_id, role, who.user_id)
        if outcome == "absent":
            access.not_found(user_id)
        if outcome == "last_owner":
            raise http.Problem(409, "Conflict", "an account keeps at least one owner", code="last_owner")

    async def _may_change(self, request: Request, user_id: str, role: str | None) -> access.Caller:
        """Owners are made and unmade by owners; anybody may leave."""
        if role is None and access.caller(request).user_id == user_id:
            return await self._rights.member(request, "read")
        present = await self._accounts.role(request.path_params["id"], user_id)
        return await self._rights.member(request, "owners" if "owner" in (role, present) else "members")

    async def invite(self, request: Request) -> Response:
        who = await self._rights.member(request, "members")
        wanted = {"email": fields.email, "role": fields.one_of(*roles.INVITABLE)}
        values = fields.read(await http.read(request, _LIMIT), wanted)
        merchant = await self._accounts.find(request.path_params["id"])
        if merchant is None:
            access.not_found(request.path_params["id"])
        await self._pace.admit(merchant.id)
        token = f"it_{ids.random(32)}"
        letter = self._mails.invitation(merchant, values["email"], values["role"], token)
        asked = (values["email"], values["role"], _hashed(token), who.user_id, letter)
        made = await self._rows.invite(merchant.id, *asked)
        if made is None:
            words = f"{members.OPEN_INVITATIONS} invitations are open: withdraw some first"
            raise http.Problem(409, "Conflict", words, code="too_many_invitations")
        self._wake()
        return http.Json(_invitation(made), 201)

    async def list_invitations(self, request: Request) -> Response:
        await self._rights.member(request, "members")
        return _list([_invitation(one) for one in await self._rows.invitations(request.path_params["id"])])

    async def withdraw(self, request: Request) -> Response:
        who = await self._rights.member(request, "members")
        asked = (request.path_params["id"], request.path_params["invitation"], who.user_id)
        if not await self._rows.withdraw(*asked):
            access.not_found(request.path_params["invitation"])
        return Response(status_code=204)

    async def accept(self, request: Request) -> Response:
        who = access.caller(request)
        values = fields.read(await http.read(request, _LIMIT), {"token": _TOKEN})
        merchant_id = await self._rows.accept(_hashed(values["token"]), who.user_id)
        if merchant_id is None:
            detail = "the code was used, is too old, or never was"
            raise http.Problem(400, "Bad Request", detail, code="invalid_token")
        role = await self._accounts.role(merchant_id, who.user_id)
        return http.Json({"object": "member", "merchant_id": merchant_id, "user_id": who.user_id, "role": role})


def _invitation(one: members.Invitation) -> dict[str, Any]:
    return {"object": "invitation", **dataclasses.asdict(one)}


def _list(data: list[dict[str, Any]]) -> Response:
    return http.Json({"object": "list", "data": data, "has_more": False})


def _hashed(token: str) -> bytes:
    # 190 random bits: a plain hash cannot be searched.
    return hashlib.sha256(token.encode()).digest()
