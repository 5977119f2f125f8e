"""``groundplan trace``: which way a request went, and where its time went."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.local import masks
    from groundplan.local.traces import spans, trees

BAR = 24
"""Characters of a span's bar."""
SHOWN = 3
"""Slow spans that are named."""


@targets.example("groundplan trace payments\n  groundplan trace payments slowest")
@click.command("trace")
@click.argument("names", nargs=-1, metavar="[NAME] [ID|last|slowest]")
@click.option("--service", metavar="NAME", help="Traces that this service had a part in.")
@click.option("--least", type=float, default=0.0, metavar="MS", help="Traces that took at least so long.")
@click.option("--errors", is_flag=True, help="Traces in which something failed.")
@click.option("--all", "everything", is_flag=True, help="Also what no request began: work by the clock.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many to list.")
@targets.data
@targets.as_json
def command(
    names: tuple[str, ...],
    service: str | None,
    least: float,
    errors: bool,
    everything: bool,
    limit: int,
    data: Path | None,
    as_json: bool,
) -> int:
    """List the newest traces of a platform that runs here, or show one: every span, and the slow ones by name.

    ID is a trace's, or the beginning of it. Programs that hold the right to send spans are seen, with the statements
    that they sent to PostgreSQL.
    """
    from groundplan.local import masks
    from groundplan.local.traces import reading

    target = targets.resolve(names, data)
    kept = reading.traces(target.place.data)
    found = [each for each in kept if _wanted(each, service, least, errors)]
    masker = masks.of(target.place.masks)
    if target.services:
        trace = _one(found, target.services, target.place.data)
        _emit(_whole(trace), masker) if as_json else _say(_waterfall(trace), masker)
        return output.OK
    found = [each for each in found if everything or each.is_request][:limit]
    if as_json:
        _emit([_head(each) for each in found], masker)
    else:
        _say(_list(found, bool(kept)), masker)
    return output.OK


def _wanted(trace: trees.Trace, service: str | None, least: float, errors: bool) -> bool:
    """`least` in milliseconds."""
    long = trace.duration >= least * 1e6
    return long and (service is None or service in trace.services) and (not errors or bool(trace.errors))


def _one(found: list[trees.Trace], words: Sequence[str], data: Path) -> trees.Trace:
    word, *rest = words
    if rest:
        raise click.UsageError(f"one trace is shown at a time: {' '.join(words)}")
    if not found:
        raise click.UsageError(f"no such trace is kept in {data}: send a request first, or ask for less")
    if word == "last":
        return next((each for each in found if each.is_request), found[0])
    if word == "slowest":
        return max(found, key=lambda each: each.duration)
    meant = [each for each in found if each.id.startswith(word.lower())]
    if len(meant) != 1:
        told = "several traces begin" if meant else "no trace begins"
        raise click.UsageError(f"{told} with {word!r}; groundplan trace lists them")
    return meant[0]


def _emit(value: Any, masker: masks.Masker) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value)).decode()
    sys.stdout.write(masker(text) + "\n")


def _say(lines: Iterator[str], masker: masks.Masker) -> None:
    for line in lines:
        click.echo(masker(line))


def _head(trace: trees.Trace) -> dict[str, Any]:
    return {
        "trace": trace.id, "name": trace.root.title, "service": trace.root.service, "start": _moment(trace.start),
        "duration_ms": _ms(trace.duration), "spans": len(trace.spans), "services": trace.services,
        "errors": len(trace.errors), "whole": trace.is_whole,
    }  # fmt: skip


def _whole(trace: trees.Trace) -> dict[str, Any]:
    spans = [
        {
            "id": span.id, "parent": span.parent, "depth": depth, "name": span.title, "kind": span.kind,
            "service": span.service, "instance": span.instance, "offset_ms": _ms(span.start - trace.start),
            "duration_ms": _ms(span.end - span.start), "own_ms": _ms(trace.own(span)), "error": span.error,
            "attributes": span.attributes,
        }
        for depth, span in trace.walk()
    ]  # fmt: skip
    return {**_head(trace), "slow": [each.id for each in trace.slow()], "spans": spans}


def _list(found: Sequence[trees.Trace], collected: bool) -> Iterator[str]:
    if not found:
        why = "nothing that was asked for" if collected else "no program of it has sent spans here yet"
        yield f"no traces: {why}"
        return
    yield f"{'STARTED':<13} {'TRACE':<12} {'TOOK':>10} {'SPANS':>6}  WHAT"
    for each in found:
        clock = _moment(each.start)[11:23]
        failed = f"  failed: {each.errors[0].service} {each.errors[0].error}" if each.errors else ""
        what = f"{each.root.service}  {each.root.title}{failed}{_missing(each)}"
        yield f"{clock:<13} {each.id[:12]} {_took(each.duration):>10} {len(each.spans):>6}  {what}"


def _missing(trace: trees.Trace) -> str:
    return "" if trace.is_whole else "  (parts of it are not here)"


def _waterfall(trace: trees.Trace) -> Iterator[str]:
    yield f"trace {trace.id}  {_moment(trace.start)}"
    services = len(trace.services)
    yield f"{_took(trace.duration)}, {len(trace.spans)} spans in {services} services{_missing(trace)}\n"
    rows = list(trace.walk())
    slow = {span.id for span in trace.slow()}
    first = max(len(span.service) for _, span in rows)
    for depth, span in rows:
        took, own = _took(span.end - span.start), _took(trace.own(span))
        name = f"{'  ' * depth}{span.title}" + (f"  failed: {span.error}" if span.error else "")
        line = f"{span.service:<{first}} {_bar(trace, span)} {took:>10} {own:>10}  {name}"
        yield _paint("33", line) if span.id in slow else _paint("31", line) if span.error else line
    yield ""
    yield from _verdict(trace)


def _verdict(trace: trees.Trace) -> Iterator[str]:
    slow = trace.slow()
    if not slow:
        yield "no span took a fifth of the whole by itself"
    for span in slow[:SHOWN]:
        part = 100 * trace.own(span) / trace.duration
        yield f"slow: {span.service}  {span.title}: {_took(trace.own(span))} of its own, {part:.0f} % of the whole"


def _bar(trace: trees.Trace, span: spans.Span) -> str:
    unit = max(trace.duration, 1) / BAR
    begin = min(int((span.start - trace.start) / unit), BAR - 1)
    length = max(1, min(round((span.end - span.start) / unit), BAR - begin))
    return f"|{' ' * begin}{'█' * length}{' ' * (BAR - begin - length)}|"


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)


def _took(nanoseconds: int) -> str:
    seconds = nanoseconds / 1e9
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def _moment(nanoseconds: int) -> str:
    """RFC 3339, of this machine's clock."""
    try:
        found = datetime.datetime.fromtimestamp(nanoseconds / 1e9).astimezone()
    except (OverflowError, ValueError, OSError):  # a clock that somebody else made up
        return "?"
    return found.isoformat(timespec="milliseconds")


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text
