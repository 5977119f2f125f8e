"""A span as it was sent, and an OTLP request taken apart.

Sources: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding,
https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

Scalar = str | int | float | bool
KINDS = ("", "internal", "server", "client", "producer", "consumer")
FAILED = 2
"""STATUS_CODE_ERROR."""


class Span(msgspec.Struct, frozen=True):
    """One stretch of work; times in nanoseconds since the epoch."""

    trace: str
    id: str
    parent: str
    """Empty for the first one of its trace."""
    name: str
    kind: str
    service: str
    instance: str
    start: int
    end: int
    error: str
    """What went wrong, in a word; empty where nothing did."""
    attributes: dict[str, Scalar]

    @property
    def title(self) -> str:
        """Its name, with whom it called."""
        peer = self.attributes.get("peer") or self.attributes.get("server.address")
        return f"{self.name} → {peer}" if peer and self.kind == "client" else self.name


class _Value(msgspec.Struct):
    stringValue: str | None = None
    boolValue: bool | None = None
    intValue: str | int | None = None
    doubleValue: float | None = None


class _Attribute(msgspec.Struct):
    key: str = ""
    value: _Value = msgspec.field(default_factory=_Value)


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Span(msgspec.Struct):
    traceId: str
    spanId: str
    startTimeUnixNano: str | int = 0
    endTimeUnixNano: str | int = 0
    parentSpanId: str = ""
    name: str = ""
    kind: int = 0
    attributes: list[_Attribute] = []
    status: _Status = msgspec.field(default_factory=_Status)


class _Scope(msgspec.Struct):
    spans: list[_Span] = []


class _Resource(msgspec.Struct):
    attributes: list[_Attribute] = []


class _Of(msgspec.Struct):
    resource: _Resource = msgspec.field(default_factory=_Resource)
    scopeSpans: list[_Scope] = []


class Request(msgspec.Struct):
    """An ExportTraceServiceRequest, as far as it is told here."""

    resourceSpans: list[_Of] = []


_decoder = msgspec.json.Decoder(Request)


def of_json(body: bytes) -> Iterator[Span]:
    """The spans of a request in JSON; raises ValueError."""
    return of_request(_decoder.decode(body))


def of_tree(tree: Any) -> Iterator[Span]:
    """The spans of a request that is decoded already; raises ValueError."""
    return of_request(msgspec.convert(tree, Request))


def of_request(request: Request) -> Iterator[Span]:
    for one in request.resourceSpans:
        whose = _attributes(one.resource.attributes)
        service, instance = str(whose.get("service.name", "?")), str(whose.get("service.instance.id", ""))
        for scope in one.scopeSpans:
            for span in scope.spans:
                yield _span(span, service, instance)


def _span(span: _Span, service: str, instance: str) -> Span:
    failed = span.status.code == FAILED
    return Span(
        trace=span.traceId.lower(),
        id=span.spanId.lower(),
        parent=span.parentSpanId.lower(),
        name=span.name,
        kind=KINDS[span.kind] if 0 <= span.kind < len(KINDS) else "",
        service=service,
        instance=instance,
        start=int(span.startTimeUnixNano),
        end=max(int(span.startTimeUnixNano), int(span.endTimeUnixNano)),
        error=(span.status.message or "failed") if failed else "",
        attributes=_attributes(span.attributes),
    )


def _attributes(listed: list[_Attribute]) -> dict[str, Scalar]:
    return {each.key: found for each in listed if (found := _scalar(each.value)) is not None}


def _scalar(value: _Value) -> Scalar | None:
    if value.intValue is not None:
        return int(value.intValue)
    said = (value.stringValue, value.boolValue, value.doubleValue)
    return next((each for each in said if each is not None), None)
