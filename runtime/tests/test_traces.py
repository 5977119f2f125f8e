"""Trace context travels as the W3C says; spans reach a collector when there is one, and cost nothing when not."""

import http.server
import json
import pathlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplan_runtime import otlp, traces
from runtime.tests import processes

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_a_malformed_traceparent_begins_a_new_trace(header: str | None) -> None:
    assert traces.parse(header) is None
    assert re.fullmatch(f"00-(?!{TRACE})[0-9a-f]{{32}}-[0-9a-f]{{16}}-00", traces.begin(header).traceparent)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_a_traceparent_is_read_as_it_was_written(trace: int, span: int, sampled: bool) -> None:
    written = traces.Position(f"{trace:032x}", f"{span:016x}", sampled).traceparent
    read = traces.parse(written, "vendor=1")
    assert read is not None
    assert (read.traceparent, read.state) == (written, "vendor=1")


def test_a_span_without_a_collector_is_one_shared_object() -> None:
    assert traces.span("one", number=1) is traces.span("two")
    with traces.span("one") as span:
        span.set(more=2)


def test_spans_nest_and_mark_failures() -> None:
    ended: list[traces.Span] = []
    traces.record(ended.append)
    try:
        with traces.server_span("GET", f"00-{TRACE}-{SPAN}-01") as outer:
            with pytest.raises(KeyError), traces.span("inner", size=3) as inner:
                raise KeyError("no")
            assert traces.current() is outer.position
        with traces.server_span("GET", f"00-{TRACE}-{SPAN}-00"):  # the caller decided not to sample
            pass
    finally:
        traces.record(None)
    assert [span.name for span in ended] == ["inner", "GET"]
    assert isinstance(inner, traces.Span)
    assert (inner.parent_id, inner.error, inner.position.trace_id) == (outer.position.span_id, "KeyError", TRACE)
    assert (outer.parent_id, outer.error) == (SPAN, "")
    assert outer.start <= inner.start <= inner.end <= outer.end


class Collector(http.server.ThreadingHTTPServer):
    """Keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, str], Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.posted.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_spans_reach_the_collector_as_otlp(tmp_path: pathlib.Path, collector: Collector) -> None:
    variables: dict[str, Any] = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=local",
    }
    with processes.sample(tmp_path / "log", **variables) as running:
        running.get("/things/7", traceparent=f"00-{TRACE}-{SPAN}-01")
        running.get("/broken", traceparent=f"00-{TRACE}-{SPAN}-01")
        assert running.stop() == 0
    path, headers, document = collector.posted[0]
    assert (path, headers["x-key"], headers["content-type"]) == ("/v1/traces", "a b", "application/json")
    (resource,) = document["resourceSpans"]
    attributes = {item["key"]: item["value"]["stringValue"] for item in resource["resource"]["attributes"]}
    assert attributes == {
        "service.name": "sample",
        "service.version": "0",
        "service.instance.id": "sample-0",
        "deployment.environment.name": "local",
    }
    spans = {span["name"]: span for _, _, one in collector.posted for span in _spans(one)}
    span = spans["GET /things/{id}"]
    assert (span["traceId"], span["parentSpanId"], span["kind"], span["status"]) == (TRACE, SPAN, 2, {})
    assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert {"key": "http.response.status_code", "value": {"intValue": "200"}} in span["attributes"]
    assert spans["GET /broken"]["status"] == {"code": 2, "message": "500"}


def test_a_missing_collector_is_told_once_and_harms_nobody(tmp_path: pathlib.Path) -> None:
    gone = f"http://127.0.0.1:{processes.free_port()}"
    with processes.sample(tmp_path / "log", OTEL_EXPORTER_OTLP_ENDPOINT=gone) as running:
        for _ in range(2):
            assert running.get("/things/7", traceparent=f"00-{TRACE}-{SPAN}-01").status == 200
        processes.until(lambda: running.said("the trace collector does not take spans"), "nothing is said")
        assert running.get("/things/7").status == 200
        assert running.stop() == 0
    assert sum(line["message"] == "the trace collector does not take spans" for line in running.lines()) == 1


def test_a_full_buffer_drops_the_newest() -> None:
    exporter = otlp.Exporter("http://127.0.0.1:1", (), {})
    for _ in range(10_000):
        exporter.add(traces.Span("x", "internal", None, {}))
    assert len(exporter._ended) == 8192


def test_what_leaves_in_spans_is_masked() -> None:
    span = traces.Span("pay 4242424242424242", "client", None, {"key": "sk_test_abcdef", "ok": True, "ratio": 0.5})
    with span:
        pass
    (said,) = _spans(json.loads(otlp.Exporter("http://127.0.0.1:1", (), {}).document([span])))
    assert said["name"] == "pay ************4242"
    assert said["attributes"] == [
        {"key": "key", "value": {"stringValue": "sk_test_********"}},
        {"key": "ok", "value": {"boolValue": True}},
        {"key": "ratio", "value": {"doubleValue": 0.5}},
    ]


def _spans(document: Any) -> list[Any]:
    return [
        span for resource in document["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]
    ]
