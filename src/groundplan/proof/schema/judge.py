"""Judging an object by a shape: fields it does not know, values of another type, and what is missing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from groundplan.proof import quantities
from groundplan.proof.schema import shapes

UNKNOWN, TYPE, MISSING, VALUE = "GP561", "GP562", "GP563", "GP564"
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float), shapes.WORD: (int, str),
    shapes.QUANTITY: (int, float, str),
}  # fmt: skip
DEEPEST = 120
"""Levels of an object that are judged: types that hold themselves go down as far as whoever writes them."""
_WORDS = {
    shapes.OBJECT: "a mapping", shapes.MAP: "a mapping", shapes.LIST: "a list", "string": "text",
    "boolean": "true or false", "integer": "a whole number", "number": "a number", shapes.WORD: "a number or text",
    shapes.QUANTITY: "a quantity such as 100m or 64Mi",
}  # fmt: skip


class Wrong(msgspec.Struct, frozen=True):
    """One thing wrong with a field."""

    code: str
    path: tuple[str | int, ...]
    what: str
    why: str
    remedy: str


def judge(value: Any, shape: shapes.Shape, path: tuple[str | int, ...] = ()) -> Iterator[Wrong]:
    """Everything wrong with a value. Null is as good as absent, as the API server has it."""
    kind = shape.kind
    if value is None or kind == shapes.ANY:
        return
    if len(path) > DEEPEST:
        yield Wrong(TYPE, path, "is nested too deep to be judged", f"it is below {DEEPEST} levels", "make it flatter")
        return
    if kind == shapes.OBJECT or kind == shapes.MAP:
        if not isinstance(value, dict):
            yield _type(value, kind, path)
        elif kind == shapes.OBJECT:
            yield from _object(value, shape, path)
        elif shape.inner is not None:
            for key, each in value.items():
                yield from judge(each, shape.inner, (*path, key))
    elif kind == shapes.LIST:
        if not isinstance(value, list):
            yield _type(value, kind, path)
        elif shape.inner is not None:
            for number, each in enumerate(value):
                yield from judge(each, shape.inner, (*path, number))
    else:
        yield from _scalar(value, shape, path)


def _object(value: dict[str, Any], shape: shapes.Shape, path: tuple[str | int, ...]) -> Iterator[Wrong]:
    fields = shape.fields
    for key, each in value.items():
        inner = fields.get(key)
        if inner is not None:
            # Most fields hold a text that may be any: nothing to ask.
            if not (inner.kind == "string" and not inner.values and type(each) is str):
                yield from judge(each, inner, (*path, key))
        elif not shape.open:
            yield _unknown(key, fields, path)
    for name in shape.required:
        if value.get(name) is None:
            why = "the API server refuses the object without it"
            yield Wrong(MISSING, path, f"lacks {name}", why, f"add {name}")


def _unknown(key: Any, fields: Iterable[str], path: tuple[str | int, ...]) -> Wrong:
    close = difflib.get_close_matches(str(key), list(fields), 1, 0.6)
    lower = [each for each in fields if each.lower() == str(key).lower()]
    meant = (lower or close or [""])[0]
    why = "kubectl refuses it; applied without validation it is dropped, and what it asks for does not happen"
    remedy = f"did you mean {meant}?" if meant else "remove it, or indent it to where it belongs"
    return Wrong(UNKNOWN, (*path, str(key)), f"has no field {key}", why, remedy)


def _type(value: Any, kind: str, path: tuple[str | int, ...]) -> Wrong:
    said = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a whole number"}
    found = said.get(type(value), "a number")
    shown = f" ({value!r})" if isinstance(value, str | int | float) and len(str(value)) <= 40 else ""
    remedy = "put it in quotes" if kind == "string" and not isinstance(value, dict | list) else f"write {_WORDS[kind]}"
    return Wrong(TYPE, path, f"wants {_WORDS[kind]} and has {found}{shown}", "the API server refuses it", remedy)


def _scalar(value: Any, shape: shapes.Shape, path: tuple[str | int, ...]) -> Iterator[Wrong]:
    right = isinstance(value, _PYTHON[shape.kind]) and (shape.kind == "boolean" or not isinstance(value, bool))
    if not right or (shape.kind == shapes.QUANTITY and quantities.number(value) is None):
        yield _type(value, shape.kind, path)
    elif shape.values and value not in shape.values:
        listed = ", ".join(repr(each) if each == "" else str(each) for each in shape.values)
        close = [each for each in shape.values if str(each).lower() == str(value).lower()]
        remedy = f"write {close[0]}" if close else f"write one of {listed}"
        yield Wrong(VALUE, path, f"may not be {value!r}", f"it is one of {listed}", remedy)
