"""Spans that programs sent are kept, read in both encodings, and told with the time that is their own."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from groundplan.cli import trace as verb
from groundplan.local.traces import protobuf, reading, spans, trees
from groundplan.standins import traces as standin
from tests.local import running

TRACE = "0af7651916cd43dd8448eb211c80319c"


def span(name: str, start: int, end: int, parent: str = "", **more: object) -> spans.Span:
    """A span of the trace TRACE, its id made of its name; times in milliseconds."""
    given = {
        "trace": TRACE, "id": identity(name), "parent": identity(parent) if parent else "", "name": name,
        "kind": "server", "service": "shop", "instance": "shop-0", "start": start * 10**6, "end": end * 10**6,
        "error": "", "attributes": {},
    }  # fmt: skip
    return msgspec.convert({**given, **more}, spans.Span)


def identity(name: str) -> str:
    return name.encode().hex().ljust(16, "0")[:16]


def as_json(*made: spans.Span) -> bytes:
    """The request that a program sends about these spans."""
    listed = [
        {
            "traceId": each.trace, "spanId": each.id, "parentSpanId": each.parent, "name": each.name,
            "kind": spans.KINDS.index(each.kind), "startTimeUnixNano": str(each.start),
            "endTimeUnixNano": str(each.end), "status": {"code": 2, "message": each.error} if each.error else {},
            "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in each.attributes.items()],
        }
        for each in made
    ]  # fmt: skip
    whose = [
        {"key": "service.name", "value": {"stringValue": made[0].service}},
        {"key": "service.instance.id", "value": {"stringValue": made[0].instance}},
    ]
    of = {"resource": {"attributes": whose}, "scopeSpans": [{"spans": listed}]}
    return json.dumps({"resourceSpans": [of]}).encode()


SCALARS = st.one_of(st.text(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
SPANS = st.builds(
    spans.Span,
    trace=st.binary(min_size=16, max_size=16).map(bytes.hex),
    id=st.binary(min_size=8, max_size=8).map(bytes.hex),
    parent=st.binary(min_size=8, max_size=8).map(bytes.hex) | st.just(""),
    name=st.text(),
    kind=st.sampled_from(spans.KINDS[1:]),
    service=st.text(),
    instance=st.text(),
    start=st.integers(0, 2**62),
    end=st.integers(2**62, 2**63),
    error=st.text(),
    attributes=st.dictionaries(st.text(), SCALARS, max_size=4),
)


def as_protobuf(each: spans.Span) -> bytes:
    """What a program of another language sends, written by OpenTelemetry's own classes."""
    status = trace_pb2.Status(code=2, message=each.error) if each.error else trace_pb2.Status()
    made = trace_pb2.Span(
        trace_id=bytes.fromhex(each.trace), span_id=bytes.fromhex(each.id), parent_span_id=bytes.fromhex(each.parent),
        name=each.name, kind=spans.KINDS.index(each.kind), start_time_unix_nano=each.start,
        end_time_unix_nano=each.end, attributes=attributes(each.attributes), status=status,
    )  # fmt: skip
    whose = attributes({"service.name": each.service, "service.instance.id": each.instance})
    of = trace_pb2.ResourceSpans(
        resource=resource_pb2.Resource(attributes=whose), scope_spans=[trace_pb2.ScopeSpans(spans=[made])]
    )
    return trace_service_pb2.ExportTraceServiceRequest(resource_spans=[of]).SerializeToString()


def attributes(said: dict[str, spans.Scalar]) -> list[common_pb2.KeyValue]:
    kinds = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    return [
        common_pb2.KeyValue(key=key, value=common_pb2.AnyValue(**{kinds[type(value)]: value}))
        for key, value in said.items()
    ]


@given(SPANS)
def test_a_span_in_protobuf_is_read_as_it_was_sent(each):
    (read,) = spans.of_tree(protobuf.request(as_protobuf(each)))
    assert read == each


@given(st.binary(max_size=200), SPANS, st.integers(0, 300))
@settings(max_examples=300)
def test_whatever_comes_in_protobuf_is_read_or_refused(junk, each, cut):
    whole = as_protobuf(each)
    for body in (junk, whole[:cut], whole[:cut] + junk + whole[cut:]):
        try:
            list(spans.of_tree(protobuf.request(body)))
        except ValueError:
            continue


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_lines_that_nobody_can_read_take_no_others_with_them(tmp_path_factory, junk):
    folder = tmp_path_factory.mktemp("data")
    (folder / "collector").mkdir()
    lines = [b"json " + as_json(span("one", 0, 9)), *(each.replace(b"\n", b"") for each in junk)]
    lines += [b"json {}", b"json [", b"json " + b"[" * 9999, b"protobuf !", b"protobuf /w==", b"nonsense"]
    lines.append(b"protobuf " + base64.b64encode(as_protobuf(span("two", 1, 2, "one"))))
    (folder / "collector" / "spans.log").write_bytes(b"\n".join(lines))
    (trace,) = reading.traces(folder)
    assert [each.name for _, each in trace.walk()] == ["one", "two"]


def test_the_time_of_a_span_is_its_own_where_nobody_it_called_was_at_work():
    made = (
        span("request", 0, 100),
        span("left", 10, 40, "request"),
        span("right", 30, 60, "request"),
        span("late", 90, 130, "request"),  # goes on after its caller: counted within it alone
        span("deep", 15, 20, "left"),
    )
    trace = trees.Trace(made)
    own = {each.name: trace.own(each) / 10**6 for each in made}
    assert own == {"request": 40, "left": 25, "right": 30, "late": 40, "deep": 5}
    assert [each.name for each in trace.slow()] == ["request", "late", "right"]


@given(st.data())
def test_own_times_of_a_trace_that_did_one_thing_after_another_sum_to_its_duration(data):
    made = [span("0", 0, 1000)]

    def divide(parent: str, start: int, end: int, depth: int) -> None:
        cuts = sorted(data.draw(st.sets(st.integers(start, end), max_size=4)))
        for low, high in zip(cuts[::2], cuts[1::2], strict=False):
            name = str(len(made))
            made.append(span(name, low, high, parent))
            if depth:
                divide(name, low, high, depth - 1)

    divide("0", 0, 1000, 2)
    trace = trees.Trace(tuple(data.draw(st.permutations(made))))
    assert sum(trace.own(each) for each in made) == trace.duration
    assert sorted(each.id for _, each in trace.walk()) == sorted(each.id for each in made)
    assert trace.is_whole


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8, unique_by=lambda pair: pair[0])
)
def test_a_tangle_of_parents_is_walked_once(pairs):
    made = tuple(span(str(own), own, own + 1, str(parent)) for own, parent in pairs)
    walked = [each.id for _, each in trees.Trace(made).walk()]
    assert sorted(walked) == sorted(each.id for each in made)


@pytest.fixture
def collector(tmp_path: pathlib.Path) -> Iterator[tuple[int, pathlib.Path, subprocess.Popen[bytes]]]:
    """The stand-in as `up` runs it: its port, its folder, its process."""
    port, folder = running.free_port(), tmp_path / "data" / "otel-collector"
    argv = [sys.executable, "-m", "groundplan.standins.traces", f"--http=127.0.0.1:{port}", f"--data={folder}"]
    process = subprocess.Popen(argv)
    try:
        running.until(lambda: answered(port, "GET", "/livez")[0] == 200, "the collector answers")
        yield port, folder, process
    finally:
        process.kill()
        process.wait()


def answered(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=running.PATIENCE)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


JSON, PROTOBUF = {"Content_Type": "application/json"}, {"Content_Type": "application/x-protobuf"}


def test_spans_are_taken_in_plain_and_zipped_in_both_encodings(collector):
    port, folder, _ = collector
    pretty = json.dumps(json.loads(as_json(span("one", 0, 10))), indent=1).encode()
    assert answered(port, "POST", "/v1/traces", pretty, **JSON) == (200, b"{}")
    packed = gzip.compress(as_json(span("two", 1, 2, "one")))
    assert answered(port, "POST", "/v1/traces", packed, Content_Encoding="gzip", **JSON)[0] == 200
    assert answered(port, "POST", "/v1/traces", as_protobuf(span("three", 3, 4, "one")), **PROTOBUF) == (200, b"")
    (trace,) = reading.traces(folder.parent)
    assert [each.name for _, each in trace.walk()] == ["one", "two", "three"]


def test_what_is_no_trace_is_refused_and_says_why(collector):
    port, folder, _ = collector
    bomb = gzip.compress(b" " * (11 * 2**20))
    for status, said, path, body, headers in (
        (404, b"at /v1/traces", "/v1/metrics", b"{}", JSON),
        (400, b"is not taken", "/v1/traces", b"x=1", {"Content_Type": "text/plain"}),
        (400, b"br is not taken", "/v1/traces", b"", {**JSON, "Content_Encoding": "br"}),
        (400, b"not gzip", "/v1/traces", b"{}", {**JSON, "Content_Encoding": "gzip"}),
        (400, b"too long", "/v1/traces", bomb, {**JSON, "Content_Encoding": "gzip"}),
        (400, b"Expecting", "/v1/traces", b"{\n", JSON),
        (413, b"too long", "/v1/traces", b"", {**JSON, "Content_Length": str(2**40)}),
    ):
        found, words = answered(port, "POST", path, body, **headers)
        assert (found, said in words) == (status, True), words
    assert not (folder / "spans.log").exists()


def test_a_collector_that_was_killed_while_it_wrote_loses_that_line_alone(collector):
    port, folder, process = collector
    answered(port, "POST", "/v1/traces", as_json(span("one", 0, 10)), **JSON)
    process.kill()
    process.wait()
    file = folder / "spans.log"
    file.write_bytes(file.read_bytes() + b"json " + as_json(span("half", 1, 2, "one"))[:50])
    standin.Roll(folder).add(b"json " + as_json(span("two", 3, 4, "one")))
    (trace,) = reading.traces(folder.parent)
    assert [each.name for _, each in trace.walk()] == ["one", "two"]


def test_files_stay_within_bounds(tmp_path):
    folder = tmp_path / "collector"
    folder.mkdir()
    roll = standin.Roll(folder, longest=2000)
    for number in range(50):
        roll.add(b"json " + as_json(span(f"number {number}", number, number + 1)))
    assert sorted(path.name for path in folder.iterdir()) in (["spans.1.log"], ["spans.1.log", "spans.log"])
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5000
    (trace,) = reading.traces(tmp_path)
    assert "number 49" in {each.name for each in trace.spans}


@pytest.fixture
def kept(tmp_path: pathlib.Path) -> list[str]:
    """The arguments that name a data directory with two traces in it."""
    folder = tmp_path / "data" / "collector"
    folder.mkdir(parents=True)
    first = (
        span("POST /orders", 0, 100),
        span("INSERT order", 10, 90, "POST /orders", kind="client", service="shop-db", error="UniqueViolationError"),
    )
    other = span("tick", 200, 300, trace="f" * 32, kind="internal")
    lines = [b"json " + as_json(*each) + b"\n" for each in ((first[0],), (first[1],), (other,))]
    (folder / "spans.log").write_bytes(b"".join(lines))
    return ["--data", str(tmp_path)]


def told(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(verb.command, list(arguments), standalone_mode=True)
    return result.exit_code, result.output


def test_one_trace_is_told_span_by_span_and_the_slow_ones_by_name(kept):
    _, text = told("last", *kept)
    assert "100.0 ms, 2 spans in 2 services\n" in text
    assert "  INSERT order  failed: UniqueViolationError" in text
    assert "slow: shop-db  INSERT order: 80.0 ms of its own, 80 % of the whole" in text


def test_requests_are_listed_and_work_by_the_clock_only_when_asked_for(kept):
    _, text = told(*kept)
    assert "POST /orders  failed: shop-db UniqueViolationError" in text
    assert "tick" not in text
    assert "tick" in told("--all", *kept)[1]
    assert "POST /orders" not in told("--all", "--service", "nobody", *kept)[1]
    assert told("--least", "1000", *kept)[1] == "no traces: nothing that was asked for\n"


def test_the_same_in_json(kept):
    (one,) = json.loads(told("--json", *kept)[1])
    assert (one["trace"], one["duration_ms"], one["services"], one["whole"]) == (
        TRACE,
        100.0,
        ["shop", "shop-db"],
        True,
    )
    whole = json.loads(told(TRACE[:6], "--json", *kept)[1])
    assert [(each["name"], each["depth"], each["own_ms"]) for each in whole["spans"]] == [
        ("POST /orders", 0, 20.0),
        ("INSERT order", 1, 80.0),
    ]
    assert whole["slow"] == [identity("INSERT order"), identity("POST /orders")]


@pytest.mark.parametrize("words", [("abc",), ("last", "slowest")])
def test_a_trace_that_cannot_be_meant_is_said(kept, words):
    code, text = told(*words, *kept)
    assert code == 2
    assert "no trace begins with 'abc'" in text or "one trace is shown at a time" in text


def test_secrets_are_blotted_out_of_traces(kept, tmp_path):
    (tmp_path / "masks.json").write_text('["orders"]')
    assert "POST /•••" in told(*kept)[1]
