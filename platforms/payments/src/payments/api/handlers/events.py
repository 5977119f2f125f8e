"""/v1/events: what happened, and sending it once more."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from payments.api import keys, kinds, lists, store
from payments.api.handlers import webhook_endpoints
from payments.api.wire import calls, errors, params, routes
from payments.api.wire.params import many, text
from payments.api.world import World
from payments.common import outbox

LIST = params.request(**lists.CREATED, type=text(most=100), types=many(text(most=100), most=20))
RETRY = params.request(webhook_endpoint=text(most=255, required=True))
PLAIN = params.request()
_NOUN = "event"


@dataclasses.dataclass(frozen=True)
class Handlers:
    world: World

    def routes(self) -> tuple[routes.Route, ...]:
        base, name = "/v1/events", "events"
        return (
            routes.Route("GET", base, self.list, name),
            routes.Route("GET", f"{base}/{{id}}", self.retrieve, name),
            routes.Route("POST", f"{base}/{{id}}/retry", self.retry, name),
            routes.Route("GET", f"{base}/{{id}}/attempts", self.attempts, name),
        )

    async def retrieve(self, call: calls.Call) -> calls.Answer:
        call.read(PLAIN)
        return calls.Answer(200, await self._event(call))

    async def list(self, call: calls.Call) -> calls.Answer:
        values = call.read(LIST)
        asked = lists.page(values, "type")
        for param, one in (("starting_after", asked.after), ("ending_before", asked.before)):
            if one and not await self.world.store.events(call.tenant, store.Page(1, filters=(("id", one),)), ()):
                raise errors.missing(_NOUN, one, param)
        found, more = await self.world.store.event_page(call.tenant, asked, tuple(values.get("types", ())))
        data = [msgspec.Raw(_whole(one)) for one in found]
        return calls.answer(lists.envelope(data, more, call.path))

    async def retry(self, call: calls.Call) -> calls.Answer:
        """Deliver the event to an endpoint once more, whatever came of it before."""
        values = call.read(RETRY)
        event = await self._event(call)
        row = await self.world.found(call, kinds.ENDPOINT, values["webhook_endpoint"], "webhook_endpoint")
        if row.state != "enabled":
            errors.refuse("The webhook endpoint is not enabled.", param="webhook_endpoint")
        answer = calls.Answer(200, event)
        await self.world.store.redeliver(call.tenant, call.id, row.id, keys.finished(call, answer))
        return answer

    async def attempts(self, call: calls.Call) -> calls.Answer:
        values = call.read(params.request(limit=lists.PAGE["limit"]))
        await self._event(call)
        found = await self.world.store.attempts_of(call.tenant, call.id, values.get("limit", lists.DEFAULT))
        return calls.answer(lists.envelope([webhook_endpoints.attempt(one) for one in found], False, call.path))

    async def _event(self, call: calls.Call) -> bytes:
        found = await self.world.store.events(call.tenant, store.Page(1, filters=(("id", call.id),)), ())
        if not found:
            raise errors.missing(_NOUN, call.id)
        return _whole(found[0])


def _whole(found: Any) -> bytes:
    return outbox.payload(found["body"], found["pending"])
