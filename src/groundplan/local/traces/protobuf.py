"""Requests in protobuf, which programs in other languages send, as the tree that the same request is in JSON.

Only the fields that are told: numbers are those of opentelemetry/proto/{trace,common,resource}/v1.
Source of the encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Tree = dict[str, Any]
Raw = int | bytes
Field = tuple[str, Callable[[Any], Any], bool]
"""Its name in JSON, how its value is read, whether it comes more than once."""


def request(body: bytes) -> Tree:
    """An ExportTraceServiceRequest; raises ValueError."""
    return _message(body, _REQUEST)


def _message(body: bytes, fields: dict[int, Field]) -> Tree:
    if not isinstance(body, bytes):
        raise ValueError("a message was expected")
    tree: Tree = {}
    for number, raw in _raw(body):
        if number in fields:
            name, read, repeated = fields[number]
            try:
                value = read(raw)
            except (TypeError, AttributeError, struct.error) as error:
                raise ValueError(f"field {name}: {error}") from None
            if repeated:
                tree.setdefault(name, []).append(value)
            else:
                tree[name] = value
    return tree


def _raw(body: bytes) -> Iterator[tuple[int, Raw]]:
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(body, at)
            yield number, value
            continue
        length, at = _varint(body, at) if kind == _BYTES else ({_FIXED64: 8, _FIXED32: 4}.get(kind, -1), at)
        if length < 0 or at + length > len(body):
            raise ValueError("a field ends beyond its message" if length >= 0 else f"no such wire type: {kind}")
        yield number, body[at : at + length]
        at += length


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(body) or shift > 63:
            raise ValueError("a number does not end")
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _of(fields: dict[int, Field]) -> Callable[[Any], Tree]:
    return lambda raw: _message(raw, fields)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _hex(raw: bytes) -> str:
    return raw.hex()


def _nanoseconds(raw: bytes) -> int:
    return int(struct.unpack("<Q", raw)[0])


def _double(raw: bytes) -> float:
    return float(struct.unpack("<d", raw)[0])


def _number(raw: int) -> int:
    return int(raw) - 2**64 if int(raw) >= 2**63 else int(raw)


_VALUE: dict[int, Field] = {
    1: ("stringValue", _text, False),
    2: ("boolValue", bool, False),
    3: ("intValue", _number, False),
    4: ("doubleValue", _double, False),
}
_ATTRIBUTE: dict[int, Field] = {1: ("key", _text, False), 2: ("value", _of(_VALUE), False)}
_STATUS: dict[int, Field] = {2: ("message", _text, False), 3: ("code", _number, False)}
_SPAN: dict[int, Field] = {
    1: ("traceId", _hex, False),
    2: ("spanId", _hex, False),
    4: ("parentSpanId", _hex, False),
    5: ("name", _text, False),
    6: ("kind", _number, False),
    7: ("startTimeUnixNano", _nanoseconds, False),
    8: ("endTimeUnixNano", _nanoseconds, False),
    9: ("attributes", _of(_ATTRIBUTE), True),
    15: ("status", _of(_STATUS), False),
}
_SCOPE: dict[int, Field] = {2: ("spans", _of(_SPAN), True)}
_RESOURCE: dict[int, Field] = {1: ("attributes", _of(_ATTRIBUTE), True)}
_SPANS_OF: dict[int, Field] = {1: ("resource", _of(_RESOURCE), False), 2: ("scopeSpans", _of(_SCOPE), True)}
_REQUEST: dict[int, Field] = {1: ("resourceSpans", _of(_SPANS_OF), True)}
