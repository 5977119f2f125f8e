"""Log lines as they lie in files: read, dated, put in one order, filtered. No effects but reading."""

from __future__ import annotations

import datetime
import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from groundplan.local import times

LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "NOTICE": 20, "LOG": 20, "WARN": 30, "WARNING": 30, "ERROR": 40,
          "CRITICAL": 50, "FATAL": 50, "PANIC": 50}  # fmt: skip
INFO = 20
LONGEST = 64 * 1024
"""Characters of one line that are kept."""

# "2026-11-21 01:35:39.839 UTC [10076] LOG:  …" (PostgreSQL's %m), "2026-11-21T01:35:39.839Z …"
ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d{1,6})?) ?(Z|UTC|[+-]\d\d:?\d\d)?")
# "3992:M 21 Nov 2026 01:17:12.123 * …" (Valkey, Redis: the machine's own time zone)
VALKEY = re.compile(r"\d+:[A-Z] (\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}) ")
WORD = re.compile(r"\b(DEBUG|INFO|NOTICE|LOG|WARNING|WARN|ERROR|CRITICAL|FATAL|PANIC)\b")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line that `instance` wrote. A line without a time of its own has that of the line before it."""

    instance: str
    at: float
    level: int
    text: str
    fields: dict[str, object] | None = None
    """Of a JSON line."""


def parse(text: str, instance: str, before: float) -> Line:
    """A line as it stands in the file; `before` is the time of its predecessor."""
    if text.startswith("{"):
        try:
            fields = msgspec.json.decode(text, type=dict[str, object])
        except msgspec.DecodeError:
            return _plain(text, instance, before)
        at = _time(str(fields.get("time", fields.get("timestamp", "")))) or before
        level = LEVELS.get(str(fields.get("level", "INFO")).upper(), INFO)
        return Line(instance=instance, at=at, level=level, text=text, fields=fields)
    return _plain(text, instance, before)


TRACEBACK = 12
"""Last lines of an exception that are shown where a crash is told."""


def readable(text: str) -> tuple[str, ...]:
    """A line as people read it: of a JSON line its level, its message and the end of its exception."""
    fields = parse(text, "", 0.0).fields
    if fields is None:
        return (text,)
    first = f"{fields.get('level', '')} {fields.get('message', '')}".strip() or text
    exception = str(fields.get("exception", "")).rstrip().splitlines()
    return (first, *(f"  {line}" for line in exception[-TRACEBACK:]))


def _plain(text: str, instance: str, before: float) -> Line:
    head = text[:200]
    word = WORD.search(head)
    level = LEVELS[word[1]] if word else INFO
    return Line(instance=instance, at=_time(head) or before, level=level, text=text[:LONGEST])


def _time(text: str) -> float | None:
    try:
        if match := ISO.match(text):
            zone = match[3] if match[3] not in (None, "Z", "UTC") else "+00:00"
            return datetime.datetime.fromisoformat(f"{match[1]}T{match[2].replace(',', '.')}{zone}").timestamp()
        if match := VALKEY.match(text):
            return datetime.datetime.strptime(match[1], "%d %b %Y %H:%M:%S.%f").astimezone().timestamp()
    except ValueError:
        return None
    return None


def history(logs: Iterable[Path], since: float) -> Iterator[Line]:
    """All lines of these files, and of what was cut off them, from `since` on, by time."""
    return heapq.merge(*(_file(path, since) for path in logs), key=lambda line: line.at)


def _file(path: Path, since: float) -> Iterator[Line]:
    latest = 0.0
    former = path.with_name(f"{path.name}.1")
    for part, known in ((former, _Cut(former)), (path, times.Times(path))):
        for offset, text in _texts(part):
            line = parse(text, path.stem, max(latest, known.at(offset)))
            # Within a file the order stands as written, whatever the clocks of its writers say.
            latest = max(latest, line.at)
            if latest >= since:
                yield line if line.at == latest else msgspec.structs.replace(line, at=latest)


class _Cut:
    """Of a part that was cut off, all that is known is when."""

    def __init__(self, path: Path) -> None:
        self._moment = path.stat().st_mtime if path.exists() else 0.0

    def at(self, _: int) -> float:
        return self._moment


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as stream:
            offset = 0
            while raw := stream.readline(LONGEST):
                if text := raw.decode(errors="replace").strip("\r\n"):
                    yield offset, text
                offset += len(raw)
    except FileNotFoundError:
        return


class Follower:
    """What is added to the files of a directory from now on."""

    CHUNK = 1024 * 1024
    """Bytes read from one file in one turn; of a flood, the rest is left out and said so."""

    def __init__(self, wanted: Callable[[str], bool], logs: Path, ends: dict[str, int]) -> None:
        self._wanted, self._logs = wanted, logs
        self._ends = ends
        self._rests: dict[str, bytes] = {}

    def turn(self, now: float) -> list[Line]:
        """Lines since the last turn, by time; those without a time of their own came `now`."""
        found = [
            line
            for path in sorted(self._logs.glob("*.log"))
            if self._wanted(path.stem)
            for line in self._new(path, now)
        ]
        return sorted(found, key=lambda line: line.at)

    def _new(self, path: Path, now: float) -> Iterator[Line]:
        left, data = self._read(path)
        if left:
            yield Line(instance=path.stem, at=now, level=INFO, text=f"({left} bytes left out here; they are in {path})")
        *texts, rest = (self._rests.pop(path.stem, b"") + data).split(b"\n")
        if rest:
            self._rests[path.stem] = rest[-LONGEST:]
        for text in texts:
            if text:
                yield parse(text.decode(errors="replace"), path.stem, now)

    def _read(self, path: Path) -> tuple[int, bytes]:
        start = self._ends.get(path.stem, 0)
        with path.open("rb") as stream:
            end = stream.seek(0, 2)
            if end < start:
                start = 0  # It has been cut.
            left = max(0, end - start - self.CHUNK)
            stream.seek(start + left)
            data = stream.read(end - start - left)
        self._ends[path.stem] = end
        return left, data


def ends(logs: Iterable[Path]) -> dict[str, int]:
    """How long each file is now, by instance."""
    return {path.stem: path.stat().st_size for path in logs}


def traced(line: Line, trace: str) -> bool:
    """Does the line belong to the trace whose id is, or begins with, `trace`?"""
    if line.fields is not None and (found := line.fields.get("trace_id")):
        return str(found).startswith(trace)
    return trace in line.text


def of_service(instance: str, service: str) -> bool:
    """Is ``auth-service-0`` (or ``auth-service``) an instance of ``auth-service``?"""
    return instance == service or (instance.startswith(f"{service}-") and instance[len(service) + 1 :].isdigit())
