"""Sends recorded spans as OTLP/HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp).

In batches, from the event loop; a full buffer drops the newest and says how many. The variables are
OpenTelemetry's: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER_ARG (a ratio), OTEL_RESOURCE_ATTRIBUTES.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from groundplan_runtime import masking, traces

_log = logging.getLogger(__name__)

_BUFFER = 8192
_BATCH = 512
_EVERY = 1.0  # seconds between two batches
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}


class Exporter:
    """Buffers ended spans; `run` sends them until cancelled, `flush` sends what is left."""

    def __init__(self, url: str, headers: Iterable[tuple[str, str]], resource: Mapping[str, traces.Value]) -> None:
        self._url = url
        self._headers = [("content-type", "application/json"), *headers]
        self._resource = {"attributes": _attributes(resource)}
        self._ended: list[traces.Span] = []
        self._dropped = 0
        self._failing = False

    def add(self, span: traces.Span) -> None:
        if len(self._ended) < _BUFFER:
            self._ended.append(span)
        else:
            self._dropped += 1

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self.flush()

    async def flush(self) -> None:
        if self._dropped:
            _log.warning("spans were dropped, the collector is too slow", extra={"dropped": self._dropped})
            self._dropped = 0
        while self._ended:
            batch, self._ended = self._ended[:_BATCH], self._ended[_BATCH:]
            await self._send(batch)

    async def _send(self, batch: list[traces.Span]) -> None:
        import pyqwest

        try:
            async with asyncio.timeout(5):
                response = await _client().post(self._url, self._headers, self.document(batch))
            problem = "" if response.status < 300 else f"status {response.status}"
        except (OSError, pyqwest.ReadError, pyqwest.WriteError, pyqwest.RemoteProtocolError) as error:
            problem = str(error) or type(error).__name__
        if problem and not self._failing:  # once, not with every batch
            _log.warning("the trace collector does not take spans", extra={"error": problem})
        self._failing = bool(problem)

    def document(self, batch: list[traces.Span]) -> bytes:
        """`batch` as an ExportTraceServiceRequest."""
        spans = list(map(_span, batch))
        scope = {"scope": {"name": "groundplan_runtime"}, "spans": spans}
        return msgspec.json.encode({"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]})


@contextlib.asynccontextmanager
async def exporting(service: str, version: str, instance: str) -> AsyncIterator[Exporter]:
    """Record and send spans while this is open."""
    resource: dict[str, traces.Value] = {
        "service.name": os.environ.get("OTEL_SERVICE_NAME", service),
        "service.version": version,
        "service.instance.id": instance,
        **dict(_pairs(os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))),
    }
    exporter = Exporter(endpoint(os.environ), _pairs(os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")), resource)
    traces.record(exporter.add, float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", "1")))
    sending = asyncio.ensure_future(exporter.run())
    try:
        yield exporter
    finally:
        traces.record(None)
        sending.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await exporter.flush()


def endpoint(environment: Mapping[str, str]) -> str:
    """Where traces go (OTLP exporter specification: the general endpoint gets /v1/traces, the special one nothing)."""
    special = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return special or environment["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/") + "/v1/traces"


def _client() -> Any:
    import pyqwest

    return pyqwest.Client(pyqwest.HTTPTransport(enable_otel=False, pool_max_idle_per_host=1))


def _span(span: traces.Span) -> dict[str, Any]:
    position = span.position
    status: dict[str, Any] = {"code": 2, "message": span.error} if span.error else {}
    return {
        "traceId": position.trace_id,
        "spanId": position.span_id,
        "parentSpanId": span.parent_id,
        "name": masking.recurring(span.name),
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _attributes(span.attributes),
        "status": status,
    }


def _attributes(values: Mapping[str, traces.Value]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: traces.Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": masking.recurring(value)}


def _pairs(raw: str) -> list[tuple[str, str]]:
    """``a=1,b=2`` with percent-encoding (W3C Baggage, as the specification of these variables says)."""
    pairs = (item.partition("=") for item in raw.split(",") if "=" in item)
    return [(name.strip(), unquote(value.strip())) for name, _, value in pairs]
