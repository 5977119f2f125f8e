"""Who asks, and whether they may: members by their role here, the platform's people by what auth-service says now."""

from __future__ import annotations

import dataclasses
from typing import NoReturn

from starlette.requests import Request

from groundplan_runtime import http
from payments.merchant import roles
from payments.merchant.store import merchants
from payments.rpc import auth_pb2 as pb
from payments.rpc import auth_pb2_grpc

PLATFORM_ADMIN = "platform_admin"


@dataclasses.dataclass(frozen=True)
class Caller:
    """Somebody who is signed in, as the gateway says."""

    user_id: str
    roles: tuple[str, ...]


def caller(request: Request) -> Caller:
    """Who asks; raises a 401 `http.Problem`."""
    user_id = request.headers.get("x-user-id", "")
    if not user_id:
        raise http.Problem(401, "Unauthorized", "sign in first", code="unauthenticated")
    return Caller(user_id, tuple(filter(None, request.headers.get("x-roles", "").split(","))))


class Access:
    """Asks the members' table and auth-service."""

    def __init__(self, rows: merchants.Merchants, auth: auth_pb2_grpc.AuthAsyncStub) -> None:
        self._rows = rows
        self._auth = auth

    async def member(self, request: Request, permission: str) -> Caller:
        """A member of the account in the path who has `permission`.

        Raises 404 for those who are no members (what is not theirs does not exist) and 403 for those without the right.
        """
        who, merchant_id = caller(request), request.path_params["id"]
        role = await self._rows.role(merchant_id, who.user_id)
        if role is None:
            not_found(merchant_id)
        if not roles.allowed(role, permission):
            raise _forbidden(f"a member with the role {role} may not do this")
        return who

    async def member_or_platform(self, request: Request, permission: str, platform: str) -> Caller:
        """As `member`, or one of the platform's people with the permission `platform`."""
        who, merchant_id = caller(request), request.path_params["id"]
        role = await self._rows.role(merchant_id, who.user_id)
        if role is not None and roles.allowed(role, permission):
            return who
        return await self.platform(request, platform)

    async def platform(self, request: Request, permission: str) -> Caller:
        """One of the platform's people who may do `permission` on the account in the path."""
        who, merchant_id = caller(request), request.path_params["id"]
        if PLATFORM_ADMIN in who.roles and await self.allowed(who, permission, merchant_id):
            return who
        if await self._rows.role(merchant_id, who.user_id) is None:
            not_found(merchant_id)
        raise _forbidden("the platform decides this")

    async def allowed(self, who: Caller, permission: str, resource: str) -> bool:
        """What auth-service says now: the token's roles may be minutes old."""
        request = pb.CheckPermissionRequest(user_id=who.user_id, permission=permission, resource=resource)
        return bool((await self._auth.CheckPermission(request)).allowed)


def not_found(what: str) -> NoReturn:
    """404: there is no such thing, or it is not the caller's."""
    raise http.Problem(404, "Not Found", f"no such thing: {what}", code="resource_missing")


def _forbidden(detail: str) -> http.Problem:
    return http.Problem(403, "Forbidden", detail, code="forbidden")
