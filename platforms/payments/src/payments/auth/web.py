"""The HTTP face under /auth, and the public keys. The gateway says who asks, in headers that it alone sets."""

from __future__ import annotations

import dataclasses
import urllib.parse
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from groundplan_runtime import http
from payments.auth import accounts, entry, factors, pages, signing, totp
from payments.auth.store import people, sessions
from payments.common import fields

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
ISSUER = "Payments"
_LIMIT = 16 * 1024

_TOKEN = fields.matching(r"[a-z]{2}_[0-9A-Za-z]{32}", "the token of a link or of a former answer")
_CODE = fields.matching(r"[0-9]{6}|[0-9A-Za-z]{6}-[0-9A-Za-z]{6}", "six digits, or a recovery code")
_NO_STORE = {"cache-control": "no-store"}


def password(value: Any) -> str:
    """A password that may be set: long, and not a single character over and over (NIST SP 800-63B, 5.1.1.2)."""
    if not isinstance(value, str) or not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
        raise fields.Unfit("length", f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if len(set(value)) < 4:
        raise fields.Unfit("weak", "must have at least four different characters")
    return value


def _any_password(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_PASSWORD:
        raise fields.Unfit("length", f"must be a text of {LONGEST_PASSWORD} characters at most")
    return value


class Web:
    """The handlers."""

    def __init__(
        self,
        account: accounts.Accounts,
        door: entry.Entry,
        factor: factors.Factors,
        persons: people.People,
        rows: sessions.Sessions,
        signer: signing.Signer,
    ) -> None:
        self._accounts = account
        self._door = door
        self._factors = factor
        self._people = persons
        self._sessions = rows
        self._signer = signer

    def routes(self) -> list[Route]:
        return [
            Route("/auth/register", self.register, methods=["POST"]),
            Route("/auth/verify", self.verify_page, methods=["GET"]),
            Route("/auth/verify", self.verify, methods=["POST"]),
            Route("/auth/login", self.login, methods=["POST"]),
            Route("/auth/refresh", self.refresh, methods=["POST"]),
            Route("/auth/logout", self.logout, methods=["POST"]),
            Route("/auth/logout-all", self.logout_all, methods=["POST"]),
            Route("/auth/password/forgot", self.forgot, methods=["POST"]),
            Route("/auth/password/reset", self.reset_page, methods=["GET"]),
            Route("/auth/password/reset", self.reset, methods=["POST"]),
            Route("/auth/totp/setup", self.set_up_totp, methods=["POST"]),
            Route("/auth/totp/enable", self.enable_totp, methods=["POST"]),
            Route("/auth/totp/disable", self.disable_totp, methods=["POST"]),
            Route("/auth/sessions", self.list_sessions, methods=["GET"]),
            Route("/auth/sessions/{id}", self.end_session, methods=["DELETE"]),
            Route("/auth/me", self.me, methods=["GET"]),
            Route("/.well-known/jwks.json", self.jwks, methods=["GET"]),
        ]

    async def register(self, request: Request) -> Response:
        wanted = {"email": fields.email, "password": password, "name": fields.text(1, 100)}
        values = fields.read(await _content(request), wanted)
        await self._accounts.register(values["email"], values["password"], values["name"])
        return http.Json({"object": "registration", "email": values["email"], "status": "verification_sent"}, 202)

    async def verify_page(self, request: Request) -> Response:
        return pages.confirm(request.query_params.get("token", ""))

    async def verify(self, request: Request) -> Response:
        form = _is_form(request)
        try:
            values = fields.read(await _content(request), {"token": _TOKEN})
            person = await self._accounts.verify(values["token"])
        except http.Problem as problem:
            if not form:
                raise
            return pages.message("This link does not work", problem.detail, problem.status)
        return pages.message("Thank you", "Your account is ready: sign in.") if form else http.Json(_person(person))

    async def login(self, request: Request) -> Response:
        wanted = {"email": fields.email, "password": _any_password}
        values = fields.read(await _content(request), wanted, {"totp": _CODE})
        device = entry.Device(_address(request), request.headers.get("user-agent", "")[:200])
        return _pass(await self._door.login(values["email"], values["password"], values.get("totp"), device))

    async def refresh(self, request: Request) -> Response:
        values = fields.read(await _content(request), {"refresh_token": _TOKEN})
        return _pass(await self._door.refresh(values["refresh_token"]))

    async def logout(self, request: Request) -> Response:
        values = fields.read(await _content(request), {"refresh_token": _TOKEN})
        await self._door.logout(values["refresh_token"])
        return Response(status_code=204)

    async def logout_all(self, request: Request) -> Response:
        return http.Json({"revoked": await self._door.end(_user_id(request), None, "logout_all")})

    async def forgot(self, request: Request) -> Response:
        values = fields.read(await _content(request), {"email": fields.email})
        await self._accounts.forgot(values["email"])
        return http.Json({"object": "password_reset", "email": values["email"], "status": "sent_if_known"}, 202)

    async def reset_page(self, request: Request) -> Response:
        return pages.reset(request.query_params.get("token", ""), SHORTEST_PASSWORD)

    async def reset(self, request: Request) -> Response:
        content = await _content(request)
        try:
            values = fields.read(content, {"token": _TOKEN, "password": password})
            await self._accounts.reset(values["token"], values["password"])
        except http.Problem as problem:
            if not _is_form(request):
                raise
            token = str(http.decode(content, dict[str, Any]).get("token", ""))
            return pages.reset(token, SHORTEST_PASSWORD, problem.detail, problem.status)
        done = "Your password is set, and all sessions were ended: sign in."
        return pages.message("Done", done) if _is_form(request) else Response(status_code=204)

    async def set_up_totp(self, request: Request) -> Response:
        person = await self._person(request)
        values = fields.read(await _content(request), {"password": _any_password})
        await self._door.confirm(person, values["password"])
        secret = await self._factors.set_up(person)
        document = {"secret": totp.base32(secret), "uri": totp.uri(secret, person.email, ISSUER)}
        return http.Json(document, headers=_NO_STORE)

    async def enable_totp(self, request: Request) -> Response:
        person = await self._person(request)
        values = fields.read(await _content(request), {"code": _CODE})
        return http.Json({"recovery_codes": await self._factors.enable(person, values["code"])}, headers=_NO_STORE)

    async def disable_totp(self, request: Request) -> Response:
        person = await self._person(request)
        values = fields.read(await _content(request), {"password": _any_password, "code": _CODE})
        await self._door.confirm(person, values["password"], values["code"])
        await self._factors.disable(person)
        return Response(status_code=204)

    async def list_sessions(self, request: Request) -> Response:
        own = request.headers.get("x-session-id", "")
        found = await self._sessions.of(_user_id(request))
        data = [{"object": "session", **dataclasses.asdict(one), "current": one.id == own} for one in found]
        return http.Json({"object": "list", "data": data, "has_more": False})

    async def end_session(self, request: Request) -> Response:
        # Somebody else's session is as absent as one that never was.
        if not await self._door.end(_user_id(request), request.path_params["id"], "revoked_by_user"):
            raise http.Problem(404, "Not Found", "no such session", code="resource_missing")
        return Response(status_code=204)

    async def me(self, request: Request) -> Response:
        return http.Json(_person(await self._person(request)))

    async def jwks(self, request: Request) -> Response:
        return http.Json(self._signer.jwks(), headers={"cache-control": "public, max-age=60"})

    async def _person(self, request: Request) -> people.Person:
        person = await self._people.find(_user_id(request))
        if person is None:
            raise http.Problem(401, "Unauthorized", "this account is gone", code="unauthenticated")
        return person


def _person(person: people.Person) -> dict[str, Any]:
    shown = ("id", "email", "name", "roles", "totp_enabled", "created_at")
    return {"object": "user", **{field: getattr(person, field) for field in shown}, "email_verified": True}


def _pass(granted: entry.Pass) -> Response:
    return http.Json({"token_type": "Bearer", **dataclasses.asdict(granted)}, headers=_NO_STORE)


def _user_id(request: Request) -> str:
    user_id = request.headers.get("x-user-id", "")
    if not user_id:
        raise http.Problem(401, "Unauthorized", "sign in first", code="unauthenticated")
    return user_id


def _address(request: Request) -> str:
    """Where the request came from, as the gateway saw it."""
    return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()[:45]


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


async def _content(request: Request) -> bytes:
    """The body as JSON; what our own pages send is a form."""
    content = await http.read(request, _LIMIT)
    if not _is_form(request):
        return content
    return msgspec.json.encode(dict(urllib.parse.parse_qsl(content.decode(errors="replace"), keep_blank_values=True)))
