"""The HTTP face of accounts, under /merchants."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from groundplan_runtime import http
from payments.common import fields
from payments.merchant import access, issuing, letters, states
from payments.merchant.store import merchants

DEFAULT_PAGE, LARGEST_PAGE = 10, 100
_LIMIT = 64 * 1024

_URL = fields.matching(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[^\s\x00-\x1f\"<>]*)?", "an https:// address")
_TYPES = ("individual", "company", "non_profit", "government_entity")
_FIELDS: dict[str, fields.Check] = {
    "name": fields.text(1, 100),
    "email": fields.email,
    "country": fields.matching(r"[A-Z]{2}", "a country of two capital letters (ISO 3166-1), such as DE"),
    "business_type": fields.one_of(*_TYPES),
    "website": _URL,
    "description": fields.text(0, 1000),
}
_BRANDING: dict[str, fields.Check] = {
    "name": fields.text(1, 60),
    "colour": fields.matching(r"#[0-9A-Fa-f]{6}", "a colour such as #0A2540"),
    "logo_url": _URL,
}
_KEY: dict[str, fields.Check] = {
    "name": fields.text(0, 100),
    "livemode": fields.boolean,
    "scopes": fields.list_of(fields.matching(r"[a-z][a-z_]*:(read|write)", 'like "payment_intents:write"'), 50),
}
_KIND = fields.one_of("secret", "publishable", "restricted")
_REASON = fields.text(3, 1000)


class Web:
    """The handlers."""

    def __init__(
        self,
        rows: merchants.Merchants,
        rights: access.Access,
        keys: issuing.Keys,
        mails: letters.Letters,
        wake: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._rights = rights
        self._keys = keys
        self._mails = mails
        self._wake = wake

    def routes(self) -> list[Route]:
        steps = [Route(f"/merchants/{{id}}/{edge.action}", self._step(edge), methods=["POST"]) for edge in states.EDGES]
        return [
            Route("/merchants", self.create, methods=["POST"]),
            Route("/merchants", self.page, methods=["GET"]),
            Route("/merchants/{id}", self.retrieve, methods=["GET"]),
            Route("/merchants/{id}", self.update, methods=["PATCH"]),
            *steps,
            Route("/merchants/{id}/branding", self.branding, methods=["GET"]),
            Route("/merchants/{id}/branding", self.set_branding, methods=["PUT"]),
            Route("/merchants/{id}/api-keys", self.issue_key, methods=["POST"]),
            Route("/merchants/{id}/api-keys", self.list_keys, methods=["GET"]),
            Route("/merchants/{id}/api-keys/{key}", self.revoke_key, methods=["DELETE"]),
            Route("/merchants/{id}/api-keys/{key}/roll", self.roll_key, methods=["POST"]),
            Route("/merchants/{id}/audit", self.log, methods=["GET"]),
            Route("/merchants/{id}/audit/verify", self.verify, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        who = access.caller(request)
        required = {field: _FIELDS[field] for field in ("name", "email")}
        values = fields.read(await http.read(request, _LIMIT), required, _FIELDS)
        return http.Json(_shown(await self._rows.add(values, who.user_id)), 201)

    async def page(self, request: Request) -> Response:
        """The caller's accounts; with ``all=true`` everybody's, for the platform's people."""
        who = access.caller(request)
        limit, after = limits(request)
        everybody = request.query_params.get("all") == "true"
        if everybody and not await self._rights.allowed(who, "merchant.read", ""):
            raise http.Problem(403, "Forbidden", "the platform's people see all accounts", code="forbidden")
        state = request.query_params.get("state")
        found = await self._rows.page(None if everybody else who.user_id, state, after, limit + 1)
        return listed([_shown(one) for one in found], limit)

    async def retrieve(self, request: Request) -> Response:
        await self._rights.member_or_platform(request, "read", "merchant.read")
        return http.Json(_shown(await self._merchant(request)))

    async def update(self, request: Request) -> Response:
        who = await self._rights.member(request, "update")
        values = fields.read(await http.read(request, _LIMIT), {}, _FIELDS)
        changed = await self._rows.edit(request.path_params["id"], values, who.user_id)
        if changed is None:
            detail = "these fields are checked by the platform and change in a draft only"
            raise http.Problem(409, "Conflict", detail, code="wrong_state")
        return http.Json(_shown(changed))

    def _step(self, edge: states.Edge) -> Any:
        async def step(request: Request) -> Response:
            who = await self._may_step(request, edge)
            wanted = {"reason": _REASON} if edge.platform else {}
            values = fields.read(await http.read(request, _LIMIT), wanted, {"reason": _REASON})
            merchant = await self._merchant(request)
            if edge.action == "submit":
                _check_complete(merchant)
            changed = await self._go(merchant, edge, who.user_id, values.get("reason", ""))
            return http.Json(_shown(changed))

        return step

    async def _may_step(self, request: Request, edge: states.Edge) -> access.Caller:
        if edge.platform:
            return await self._rights.platform(request, edge.permission)
        if edge.action == "close":
            return await self._rights.member_or_platform(request, "close", "merchant.close")
        return await self._rights.member(request, edge.permission)

    async def _go(self, merchant: merchants.Merchant, edge: states.Edge, actor: str, reason: str) -> merchants.Merchant:
        letter = self._mails.decision(merchant, edge.letter, reason) if edge.letter else None
        changed = await self._rows.step(merchant.id, edge, actor, reason, letter)
        if changed is None:
            present = (await self._rows.find(merchant.id) or merchant).state
            words = f"an account that is {present} cannot {edge.action}"
            options: dict[str, Any] = {"state": present, "possible": states.possible(present)}
            raise http.Problem(409, "Conflict", words, code="wrong_state", **options)
        if letter is not None:
            self._wake()
        if edge.revokes is not None:
            await self._keys.try_pending(merchant.id)
        return changed

    async def branding(self, request: Request) -> Response:
        await self._rights.member_or_platform(request, "read", "merchant.read")
        return http.Json((await self._merchant(request)).branding)

    async def set_branding(self, request: Request) -> Response:
        who = await self._rights.member(request, "update")
        values = fields.read(await http.read(request, _LIMIT), {}, _BRANDING)
        changed = await self._rows.brand(request.path_params["id"], values, who.user_id)
        return http.Json(changed.branding if changed else {})

    async def issue_key(self, request: Request) -> Response:
        who = await self._rights.member(request, "keys")
        wish = fields.read(await http.read(request, _LIMIT), {"kind": _KIND}, _KEY)
        merchant = await self._merchant(request)
        issued = await self._keys.issue(merchant, wish, who.user_id, _request_id(request))
        return http.Json(issued, 201, headers={"cache-control": "no-store"})

    async def list_keys(self, request: Request) -> Response:
        await self._rights.member(request, "read")
        return http.Json({"object": "list", "data": await self._keys.of(request.path_params["id"]), "has_more": False})

    async def revoke_key(self, request: Request) -> Response:
        who = await self._rights.member(request, "keys")
        return http.Json(await self._keys.revoke(request.path_params["id"], request.path_params["key"], who.user_id))

    async def roll_key(self, request: Request) -> Response:
        who = await self._rights.member(request, "keys")
        overlap = fields.integer(0, 7 * 24 * 3600)
        values = fields.read(await http.read(request, _LIMIT), {}, {"overlap_seconds": overlap})
        asked = (request.path_params["key"], values.get("overlap_seconds", 0), who.user_id, _request_id(request))
        rolled = await self._keys.roll(await self._merchant(request), *asked)
        return http.Json(rolled, 201, headers={"cache-control": "no-store"})

    async def log(self, request: Request) -> Response:
        await self._rights.member_or_platform(request, "audit", "merchant.audit")
        limit, after = limits(request)
        if after is not None and not after.isdigit():
            raise fields.invalid([{"field": "starting_after", "code": "format", "message": "must be a line's number"}])
        lines = await self._rows.log(request.path_params["id"], int(after) if after else None, limit + 1)
        return listed([dataclasses.asdict(line) | {"hash": line.hash.hex()} for line in lines], limit)

    async def verify(self, request: Request) -> Response:
        await self._rights.member_or_platform(request, "audit", "merchant.audit")
        return http.Json(dataclasses.asdict(await self._rows.verify(request.path_params["id"])))

    async def _merchant(self, request: Request) -> merchants.Merchant:
        merchant = await self._rows.find(request.path_params["id"])
        if merchant is None:
            access.not_found(request.path_params["id"])
        return merchant


def limits(request: Request) -> tuple[int, str | None]:
    """The page that is asked for: how many, and after which id."""
    raw = request.query_params.get("limit", str(DEFAULT_PAGE))
    if not raw.isdigit() or not 1 <= int(raw) <= LARGEST_PAGE:
        message = f"must be a number from 1 to {LARGEST_PAGE}"
        raise fields.invalid([{"field": "limit", "code": "range", "message": message}])
    return int(raw), request.query_params.get("starting_after")


def listed(data: list[dict[str, Any]], limit: int) -> Response:
    """A page, from one item more than it shows."""
    return http.Json({"object": "list", "data": data[:limit], "has_more": len(data) > limit})


def _shown(merchant: merchants.Merchant) -> dict[str, Any]:
    possible = states.possible(merchant.state)
    return {"object": "merchant", **dataclasses.asdict(merchant), "possible_actions": possible}


def _check_complete(merchant: merchants.Merchant) -> None:
    missing = [field for field in states.NEEDED_TO_SUBMIT if not getattr(merchant, field)]
    if missing:
        words = "must be given before the account is submitted"
        raise fields.invalid([{"field": field, "code": "missing", "message": words} for field in missing])


def _request_id(request: Request) -> str:
    """The caller's own key for this request, so that it can be sent again without a second effect."""
    return request.headers.get("idempotency-key", "")[:255]
