"""``groundplan logs``: what everything says, in one order."""

from __future__ import annotations

import datetime
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.local import directory, lines, masks

TURN = 0.1
"""Seconds between two looks at the files while following."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
COLOURS = ("36", "33", "35", "34", "32", "96", "93", "95", "94", "92")
LEVEL = click.Choice(["debug", "info", "warning", "error"], case_sensitive=False)
OMITTED = frozenset({"time", "timestamp", "level", "message", "service", "instance", "logger"})


@targets.example("groundplan logs payments auth-service -f --level warning")
@click.command("logs")
@targets.names
@click.option("-f", "--follow", is_flag=True, help="Go on as lines are written.")
@click.option("--since", metavar="TIME", help="5m, 2h, 1d, or 2026-11-21T10:00:00Z.")
@click.option("--level", type=LEVEL, help="This and worse.")
@click.option("--trace", metavar="ID", help="Lines of one trace.")
@targets.data
@targets.as_json
def command(
    names: tuple[str, ...],
    follow: bool,
    since: str | None,
    level: str | None,
    trace: str | None,
    data: Path | None,
    as_json: bool,
) -> int:
    """Show the logs of SERVICE, or of everything, by time. Secrets and card numbers are blotted out."""
    from groundplan.local import lines, masks

    target = targets.resolve(names, data)
    start = moment(since, time.time()) if since else 0.0
    wanted = _Wanted(target.services, lines.LEVELS[level.upper()] if level else 0, trace)
    wanted.check(target.place.logs)
    printer = _Printer(masks.of(target.place.masks), as_json)
    files = [path for path in sorted(target.place.logs.glob("*.log")) if wanted.instance(path.stem)]
    ends = lines.ends(files)
    printer.show(line for line in lines.history(files, start) if wanted.line(line))
    if follow:
        _follow(target.place, wanted, printer, ends)
    return output.OK


def _follow(place: directory.Directory, wanted: _Wanted, printer: _Printer, ends: dict[str, int]) -> None:
    from groundplan.local import lines

    follower = lines.Follower(wanted.instance, place.logs, ends)
    while True:
        printer.show(line for line in follower.turn(time.time()) if wanted.line(line))
        time.sleep(TURN)


def moment(text: str, now: float) -> float:
    """``5m`` ago, or an RFC 3339 time, in seconds since the epoch; raises click.BadParameter."""
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text):
        return now - float(match[1]) * UNITS[match[2]]
    try:
        return datetime.datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError:
        reason = f"{text!r} is neither like 5m, 2h, 1d nor like 2026-11-21T10:00:00Z"
        raise click.BadParameter(reason, param_hint="--since") from None


class _Wanted:
    """The filters."""

    def __init__(self, services: tuple[str, ...], level: int, trace: str | None) -> None:
        self._services, self._level, self._trace = services, level, trace

    def check(self, logs: Path) -> None:
        """Raises UnknownName when a service has no log."""
        from groundplan.local import errors, lines

        known = [path.stem for path in logs.glob("*.log")]
        missing = [name for name in self._services if not any(lines.of_service(stem, name) for stem in known)]
        if missing:
            raise errors.unknown(missing, known)

    def instance(self, name: str) -> bool:
        from groundplan.local import lines

        return not self._services or any(lines.of_service(name, service) for service in self._services)

    def line(self, line: lines.Line) -> bool:
        from groundplan.local import lines

        return line.level >= self._level and (self._trace is None or lines.traced(line, self._trace))


class _Printer:
    """Lines for people, coloured on a terminal; or as they are."""

    def __init__(self, masker: masks.Masker, as_json: bool) -> None:
        self._masker, self._json = masker, as_json
        self._colour = sys.stdout.isatty() and not as_json and "NO_COLOR" not in os.environ
        self._width = 12

    def show(self, found: Iterable[lines.Line]) -> None:
        for line in found:
            text = self._raw(line) if self._json else self._human(line)
            sys.stdout.write(self._masker(text) + "\n")
        sys.stdout.flush()

    def _raw(self, line: lines.Line) -> str:
        import msgspec

        fields = line.fields if line.fields is not None else {"message": line.text}
        return msgspec.json.encode({"instance": line.instance, "at": line.at, **fields}).decode()

    def _human(self, line: lines.Line) -> str:
        self._width = max(self._width, len(line.instance))
        clock = datetime.datetime.fromtimestamp(line.at).strftime("%H:%M:%S.%f")[:-3] if line.at else " " * 12
        code = COLOURS[sum(line.instance.encode()) % len(COLOURS)]
        name = self._paint(code, line.instance.ljust(self._width))
        return f"{self._paint('2', clock)} {name} {self._body(line)}"

    def _body(self, line: lines.Line) -> str:
        if line.fields is None:
            return self._paint("31", line.text) if line.level >= 40 else line.text
        level = str(line.fields.get("level", "")).upper()
        code = "31" if line.level >= 40 else "33" if line.level >= 30 else "2"
        more = " ".join(f"{key}={_short(value)}" for key, value in line.fields.items() if key not in OMITTED)
        message = str(line.fields.get("message", ""))
        return " ".join(part for part in (self._paint(code, level.ljust(7)), message, self._paint("2", more)) if part)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and text else text


def _short(value: object) -> str:
    import msgspec

    if isinstance(value, str):
        return f"\n{value.rstrip()}" if "\n" in value else value if " " not in value else repr(value)
    return msgspec.json.encode(value).decode()
