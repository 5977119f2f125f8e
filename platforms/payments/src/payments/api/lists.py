"""Lists: limit, starting_after, ending_before, created, and a cursor that new rows cannot move."""

from __future__ import annotations

from typing import Any

from payments.api import expansion, kinds, store
from payments.api.wire import calls, errors, params

DEFAULT = 10
PAGE: dict[str, params.Param] = {
    "limit": params.integer(least=1, most=100),
    "starting_after": params.text(most=255),
    "ending_before": params.text(most=255),
}
CREATED: dict[str, params.Param] = PAGE | {"created": params.moment()}
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(values: dict[str, Any], *filters: str) -> store.Page:
    """The question in `values`; `filters` are the parameters that are columns."""
    if "starting_after" in values and "ending_before" in values:
        errors.refuse("You cannot use both starting_after and ending_before.", param="starting_after")
    return store.Page(
        values.get("limit", DEFAULT),
        values.get("starting_after", ""),
        values.get("ending_before", ""),
        tuple((name, values[name]) for name in filters if name in values),
        tuple((_COMPARISONS[name], bound) for name, bound in values.get("created", {}).items()),
    )


async def known(rows: store.Store, tenant: calls.Tenant, kind: kinds.Kind, asked: store.Page) -> None:
    """Raises 404 where a cursor names nothing of the caller's."""
    for param, one in (("starting_after", asked.after), ("ending_before", asked.before)):
        if one and await rows.find(tenant, kind, one) is None:
            raise errors.missing(kind.noun, one, param)


async def listed(
    rows: store.Store, call: calls.Call, kind: kinds.Kind, values: dict[str, Any], *filters: str
) -> calls.Answer:
    """A whole list answer."""
    asked = page(values, *filters)
    await known(rows, call.tenant, kind, asked)
    found, more = await rows.page(call.tenant, kind, asked)
    return await expansion.answer(
        rows, call, envelope([row.object for row in found], more, call.path), values.get("expand")
    )


def envelope(data: list[Any], more: bool, url: str) -> dict[str, Any]:
    return {"object": "list", "data": data, "has_more": more, "url": url}
