"""/v1/webhook_endpoints: where events go. The signing secret is in the answer to create and roll_secret alone."""

from __future__ import annotations

import base64
import dataclasses
import secrets
import time
from typing import Any

import msgspec

from payments.api import changes, graph, kinds, lists, store
from payments.api.objects import events, rows
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import boolean, integer, many, text
from payments.api.world import World
from payments.common import ids

_EVENTS = many(text(most=100), most=250)
MAX_ENDPOINTS = 16
"""Per account and mode, as Stripe limits them."""
MAX_OVERLAP = 7 * 24 * 3600
"""Seconds that a rolled secret may still sign."""
CREATE = params.request(
    url=params.url(required=True),
    enabled_events=dataclasses.replace(_EVENTS, required=True),
    description=text(unset=True),
    metadata=params.metadata(),
    api_version=params.choice(events.API_VERSION),
)
UPDATE = params.request(
    url=params.url(),
    enabled_events=_EVENTS,
    description=text(unset=True),
    metadata=params.metadata(),
    disabled=boolean(),
)
ROLL = params.request(expire_after=integer(least=0, most=MAX_OVERLAP))
LIST = params.request(**lists.PAGE)
PLAIN = params.request()

Endpoint = rows.Row[events.WebhookEndpoint]


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/webhook_endpoints", "webhook_endpoints"
        return (
            routes.Route("POST", base, self.create, name),
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name),
            routes.Route("POST", f"{base}/{{id}}", self.update, name),
            routes.Route("DELETE", f"{base}/{{id}}", self.delete, name),
            routes.Route("POST", f"{base}/{{id}}/roll_secret", self.roll, name),
            routes.Route("GET", f"{base}/{{id}}/attempts", self.attempts, name),
        )

    async def create(self, call: calls.Call) -> calls.Answer:
        values = call.read(CREATE)
        _checked(call, values)
        _, more = await self.world.store.page(
            call.tenant, kinds.ENDPOINT, store.Page(MAX_ENDPOINTS - 1, filters=_LIVING)
        )
        if more:
            errors.refuse(f"You have reached the maximum of {MAX_ENDPOINTS} webhook endpoints.", code="resource_limit")
        secret = new_secret()
        row = rows.Row(call.tenant, _new(call, values), rows.Inner(secrets=(rows.Secret(secret),)))
        shown = msgspec.to_builtins(row.object) | {"secret": secret}
        return await self.world.write(call, values, changes.along(kinds.ENDPOINT, row, "create"), shown=shown)

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        call.read(PLAIN)
        return calls.answer((await self._endpoint(call)).object)

    async def list(self, call: calls.Call) -> calls.Answer:
        values = call.read(LIST) | {"living": True}
        return await lists.listed(self.world.store, call, kinds.ENDPOINT, values, "living")

    async def update(self, call: calls.Call) -> calls.Answer:
        values = call.read(UPDATE)
        _checked(call, values)
        row = await self._endpoint(call)
        status = row.object.status if "disabled" not in values else "disabled" if values["disabled"] else "enabled"
        said: dict[str, Any] = {name: values[name] for name in _COPIED if name in values}
        if "metadata" in values:
            said["metadata"] = params.merged(row.object.metadata, values["metadata"])
        edge = "update" if status == row.object.status else "disable" if status == "disabled" else "enable"
        after = row.with_(**said, status=status)
        return await self.world.write(call, values, changes.along(kinds.ENDPOINT, after, edge))

    async def delete(self, call: calls.Call) -> calls.Answer:
        values = call.read(PLAIN)
        row = await self._endpoint(call)
        gone = rows.Deleted(id=row.id, object="webhook_endpoint")
        after = row.with_({"secrets": ()}, status="deleted")
        return await self.world.write(call, values, changes.along(kinds.ENDPOINT, after, "delete"), shown=gone)

    async def roll(self, call: calls.Call) -> calls.Answer:
        """A new secret; the former ones sign for `expire_after` seconds more (a day without it)."""
        values = call.read(ROLL)
        row = await self._endpoint(call)
        now, secret = int(time.time()), new_secret()
        until = now + values.get("expire_after", 24 * 3600)
        old = tuple(
            rows.Secret(one.value, min(one.expires_at or until, until))
            for one in row.inner.secrets
            if one.expires_at == 0 or one.expires_at > now
        )
        after = row.with_({"secrets": (rows.Secret(secret), *old)})
        shown = msgspec.to_builtins(row.object) | {"secret": secret}
        return await self.world.write(call, values, changes.along(kinds.ENDPOINT, after, "update"), shown=shown)

    async def attempts(self, call: calls.Call) -> calls.Answer:
        """What came of the last deliveries, newest first."""
        values = call.read(params.request(limit=lists.PAGE["limit"]))
        await self._endpoint(call)
        found = await self.world.store.attempts(call.id, values.get("limit", lists.DEFAULT))
        return calls.answer(lists.envelope([attempt(one) for one in found], False, call.path))

    async def _endpoint(self, call: calls.Call) -> Endpoint:
        row = await self.world.found(call, kinds.ENDPOINT, call.id)
        if row.state == "deleted":
            raise errors.missing(kinds.ENDPOINT.noun, call.id)
        return row


def new_secret() -> str:
    """Fit for both signatures: Stripe's uses the whole text as key, Standard Webhooks the bytes behind whsec_."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _new(call: calls.Call, values: dict[str, Any]) -> events.WebhookEndpoint:
    return events.WebhookEndpoint(
        id=ids.new("we"),
        api_version=values.get("api_version"),
        created=int(time.time()),
        description=values.get("description"),
        enabled_events=values["enabled_events"],
        livemode=call.tenant.livemode,
        metadata=params.merged({}, values.get("metadata", {})),
        url=values["url"],
    )


_COPIED = ("url", "enabled_events", "description")
_LIVING = (("living", True),)
_TYPES = frozenset(graph.EVENT_TYPES)


def _checked(call: calls.Call, values: dict[str, Any]) -> None:
    if "url" in values and call.tenant.livemode and not values["url"].startswith("https://"):
        errors.refuse("Invalid URL: in live mode webhook endpoints must be https.", param="url", code="url_invalid")
    for wanted in values.get("enabled_events", ()):
        if wanted != "*" and wanted not in _TYPES:
            known = ", ".join(graph.EVENT_TYPES)
            said = f"Invalid enabled_events: {wanted} is not an event type of this API. Types: *, {known}"
            errors.refuse(said, param="enabled_events")
    if values.get("enabled_events") == []:
        errors.refuse("enabled_events must name at least one event type, or *.", param="enabled_events")


def attempt(one: Any) -> dict[str, Any]:
    """One attempt to deliver."""
    return {
        "object": "webhook_attempt",
        "created": int(one["at"].timestamp()),
        "error": one["error"] or None,
        "event": one["event_id"],
        "http_status": one["status"],
        "duration_ms": one["milliseconds"],
        "webhook_endpoint": one["endpoint_id"],
    }
