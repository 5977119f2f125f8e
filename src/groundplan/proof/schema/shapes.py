"""What may stand in a field: one small form for Kubernetes' own schemas and for those of custom resources."""

from __future__ import annotations

from typing import Any

import msgspec

from groundplan.proof import fields

ANY, OBJECT, MAP, LIST, WORD, QUANTITY = "any", "object", "map", "list", "word", "quantity"
SCALARS = ("string", "boolean", "integer", "number", WORD, QUANTITY)


class Shape(msgspec.Struct, eq=False):
    """What a field holds. `word` is a number or a text (a port, a percentage), `quantity` a number with a unit."""

    kind: str
    fields: dict[str, Shape] = {}
    required: tuple[str, ...] = ()
    inner: Shape | None = None
    """What a list or a map holds."""
    values: tuple[Any, ...] = ()
    """The only values; empty: all."""
    open: bool = False
    """May it have fields that are not listed?"""


NOTHING_SAID = Shape(ANY)
TOP = {"apiVersion": Shape("string"), "kind": Shape("string"), "metadata": NOTHING_SAID}
DEEPEST = 60
"""Levels of a custom resource's schema that are followed; below them everything goes."""


def custom(schema: dict[str, Any], depth: int = 0) -> Shape:
    """A structural schema of a CustomResourceDefinition: fields, types, enums, and what is required.

    Its patterns, bounds and CEL rules are not judged. Source: Kubernetes documentation, "Extend the Kubernetes API with
    CustomResourceDefinitions", structural schemas and pruning.
    """
    if schema.get("x-kubernetes-int-or-string"):
        return Shape(WORD)
    kind = schema.get("type")
    values = schema.get("enum")
    allowed = tuple(values) if isinstance(values, list) and not schema.get("nullable") else ()
    if kind == "array" and depth < DEEPEST:
        return Shape(LIST, inner=custom(fields.inner(schema, "items"), depth + 1))
    if kind == "object" and depth < DEEPEST:
        return _object(schema, depth)
    return Shape(kind, values=allowed) if kind in ("string", "boolean", "integer", "number") else NOTHING_SAID


def _object(schema: dict[str, Any], depth: int) -> Shape:
    held = schema.get("additionalProperties")
    if isinstance(held, dict):
        return Shape(MAP, inner=custom(held, depth + 1))
    listed = fields.inner(schema, "properties").items()
    known = {str(name): custom(each, depth + 1) for name, each in listed if isinstance(each, dict)}
    embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    kept = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or held is True
    # An object about which nothing is said is pruned to nothing; nobody means that.
    whole = {**TOP, **known} if embedded or not depth else known
    return Shape(OBJECT, whole, tuple(fields.words(schema.get("required"))), open=kept or not known)
