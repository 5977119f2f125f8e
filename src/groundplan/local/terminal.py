"""Progress for people: one more subscriber of the model, in lines."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterable, Iterable
from typing import TextIO

from groundplan.local import lines
from groundplan.local.state import events, logs, store, waits
from groundplan.local.state import units as shown

QUIET = 5.0
"""Seconds without news before a stream that is no terminal says again what is waited for."""

COLOURS = {"ready": "32", "done": "32", "failed": "31", "restarting": "33", "unready": "33", "error": "31", "dim": "2"}
REASONED = ("failed", "unready", "restarting")
TOLD = ("ready", "done", "failed", "restarting", "unready", "stopped")


class Terminal:
    """Writes events to `stream`; on a terminal the last line says what is waited for."""

    def __init__(self, stream: TextIO, *, news_only: bool = False) -> None:
        self._stream, self._telling = stream, not news_only
        self._live = stream.isatty()
        self._colour = self._live and "NO_COLOR" not in os.environ
        self._began = time.monotonic()
        self._told: dict[str, str] = {}
        self._shown: dict[str, tuple[str, ...]] = {}
        self._status = ""
        self.model = store.Store()

    async def show(self, batches: AsyncIterable[list[events.Event]]) -> None:
        """Until the stream of events ends. A terminal that goes away ends the showing and nothing else."""
        ticking = asyncio.create_task(self._tick())
        try:
            async for batch in batches:
                for event in batch:
                    self.take(event)
                self._refresh()
        except OSError:
            return
        finally:
            ticking.cancel()
            self._clear()

    def take(self, event: events.Event) -> None:
        """One event."""
        former = self.model.platform()
        self.model.publish(event)
        if isinstance(event, events.Now):
            self._telling = True
        if not self._telling:
            return
        if isinstance(event, events.Platform) and event.phase == "up" and (former is None or former.phase != "up"):
            self._up(event)
        for line in self._lines(event):
            self.line(line)

    def _up(self, platform: events.Platform) -> None:
        self.line(self._paint("ready", f"{platform.name} is ready") + f" ({time.monotonic() - self._began:.1f} s)")
        for path, url in platform.entries:
            self.line(f"    {path:<12} {url}")

    def line(self, text: str) -> None:
        self._clear()
        self._stream.write(f"{text}\n")
        self._stream.flush()
        self._last = time.monotonic()

    def _lines(self, event: events.Event) -> Iterable[str]:
        match event:
            case shown.Instance():
                return self._instance(event)
            case logs.Notice():
                return self._notice(event)
            case events.Missed():
                return (f"({event.notices} messages were left out here; they are in the logs)",)
        return ()

    def _instance(self, instance: shown.Instance) -> Iterable[str]:
        if instance.phase not in TOLD or self._told.get(instance.name, "") == instance.phase:
            if instance.phase == "starting":
                self._told.pop(instance.name, None)
            return ()
        self._told[instance.name] = instance.phase
        word = self._paint(instance.phase, instance.phase.ljust(10))
        why = instance.words(time.time()).partition(": ")[2] if instance.phase in REASONED else ""
        unit = self.model.unit(instance.unit)
        about = why or (unit.title or unit.runs if unit else "")
        return (f"{time.monotonic() - self._began:6.1f} s  {instance.name:<28} {word} {about}".rstrip(),)

    def _notice(self, notice: logs.Notice) -> Iterable[str]:
        yield self._paint(notice.level, notice.text)
        if notice.lines and self._shown.get(notice.unit) == notice.lines:
            yield self._paint("dim", "    with the same last lines as before")
            return
        self._shown[notice.unit] = notice.lines
        for text in notice.lines:
            yield from (f"    {self._paint('dim', line)}" for line in lines.readable(text))
        if notice.file:
            yield self._paint("dim", f"    all of it: {notice.file}")

    def status(self) -> str:
        """What is waited for now, by name."""
        found = [
            i for i in self.model.all(shown.Instance) if i.phase in ("starting", "running", "unready", "restarting")
        ]
        # First those that others wait for: that is where the time goes.
        roots = waits.roots(self.model.all(waits.Wait))
        busy = sorted(found, key=lambda instance: instance.unit not in roots)
        units = {unit.name: unit for unit in self.model.all(shown.Unit)}
        words = [waits.words(i, units[i.unit].title if i.unit in units else "") for i in busy]
        return f"waiting for {'; '.join(words)}" if words else ""

    def _refresh(self) -> None:
        platform = self.model.platform()
        settling = platform is not None and platform.phase in ("starting", "changing", "stopping")
        self._status = self.status() if settling else ""
        if self._live and self._status:
            width = shutil.get_terminal_size().columns - 1
            text = self._status if len(self._status) < width else self._status[: width - 1] + "…"
            self._stream.write(f"\r\x1b[K{self._paint('dim', text)}")
            self._stream.flush()

    async def _tick(self) -> None:
        self._last = time.monotonic()
        while not self._live:
            await asyncio.sleep(1.0)
            if self._status and time.monotonic() - self._last >= QUIET:
                self.line(self._status)

    def _clear(self) -> None:
        if self._live and self._status:
            self._stream.write("\r\x1b[K")

    def _paint(self, colour: str, text: str) -> str:
        code = COLOURS.get(colour)
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text


class Raw:
    """The same as JSON lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    async def show(self, batches: AsyncIterable[list[events.Event]]) -> None:
        """Until the stream of events ends."""
        from groundplan.local import protocol

        try:
            async for batch in batches:
                self._stream.writelines(protocol.encode(event).decode() for event in batch)
                self._stream.flush()
        except OSError:
            return
