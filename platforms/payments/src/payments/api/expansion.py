"""``expand[]``: ids replaced by what they name, up to four levels deep (https://docs.stripe.com/api/expanding_objects)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from payments.api import kinds, store
from payments.api.wire import calls, errors

MAX_LEVELS = 4
_encode = msgspec.json.Encoder().encode
Known = Mapping[str, Any]
"""Objects by id that the database does not have yet, or not as they will be."""


async def answer(
    rows: store.Store, call: calls.Call, document: Any, expand: list[str] | None, known: Known | None = None
) -> calls.Answer:
    """`document` (an object or a list) as the answer, expanded as asked for."""
    return calls.Answer(200, await encoded(rows, call, document, expand, known or {}))


async def encoded(rows: store.Store, call: calls.Call, document: Any, expand: list[str] | None, known: Known) -> bytes:
    if not expand:
        return _encode(document)
    tree = msgspec.to_builtins(document)
    for path in expand:
        await _expand(rows, call, [tree], path, known)
    return _encode(tree)


async def _expand(rows: store.Store, call: calls.Call, nodes: list[Any], path: str, known: Known) -> None:
    names = path.split(".")
    levels = [name for name in names if name != "data"]
    if len(levels) > MAX_LEVELS:
        errors.refuse(f"You cannot expand more than {MAX_LEVELS} levels of a property: {path[:200]}.", param="expand")
    for name in names:
        nodes = await _level(rows, call, nodes, name, path, known)


async def _level(
    rows: store.Store, call: calls.Call, nodes: list[Any], name: str, path: str, known: Known
) -> list[Any]:
    if name == "data":
        return [entry for node in nodes for entry in node.get("data", ())]
    for node in nodes:
        if name not in node:
            errors.refuse(f"This property cannot be expanded ({path[:200]}).", param="expand")
    wanted = {node[name] for node in nodes if isinstance(node[name], str)}
    found = await _fetched(rows, call, wanted, path, known)
    for node in nodes:
        if isinstance(node[name], str):
            node[name] = found.get(node[name], node[name])
    return [node[name] for node in nodes if isinstance(node[name], dict)]


async def _fetched(
    rows: store.Store, call: calls.Call, wanted: Iterable[str], path: str, known: Known
) -> dict[str, Any]:
    kinds_of = {one: kinds.of_id(one) for one in wanted}
    found: dict[str, Any] = {}
    asked = []
    for one, kind in kinds_of.items():
        if kind is None:
            errors.refuse(f"This property cannot be expanded ({path[:200]}).", param="expand")
        calls.allow(call, kind.path.split("/")[0], "read", publishable=kind is kinds.METHOD)
        if one in known:
            found[one] = msgspec.to_builtins(known[one])
        else:
            asked.append((kind, one))
    if asked:
        for one, row in (await rows.find_all(call.tenant, asked)).items():
            found[one] = msgspec.to_builtins(row.object)
    return found
