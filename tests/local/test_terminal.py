"""Progress in words: who is waited for, by name and for what."""

from __future__ import annotations

import io

from groundplan.local import terminal
from groundplan.local.state import events, logs, store, units, waits


def _platform(phase: str) -> events.Platform:
    return events.Platform(
        name="shop", environment="local", phase=phase, since=0.0, pid=1, entries=(("/", "http://127.0.0.1:8080"),)  # type: ignore[arg-type]
    )  # fmt: skip


def _instance(name: str, phase: units.Phase, why: str = "") -> units.Instance:
    return units.Instance(name=name, unit=name, phase=phase, since=0.0, why=why)


def _unit(name: str, **more: str) -> units.Unit:
    return units.Unit(name=name, kind="service", instances=(name,), **more)  # type: ignore[arg-type]


def test_what_is_waited_for_is_named_and_those_that_others_wait_for_first() -> None:
    view = terminal.Terminal(io.StringIO())
    view.take(_unit("auth"))
    view.take(_unit("postgres"))
    view.take(_instance("auth", "starting", "its readiness"))
    view.take(_instance("postgres", "starting", "accepting connections"))
    view.take(_instance("api", "waiting", "postgres"))
    view.take(waits.Wait(unit="api", on=("postgres",)))
    assert view.status() == "waiting for postgres: accepting connections; auth: its readiness"


def test_each_unit_is_told_once_with_what_it_is() -> None:
    stream = io.StringIO()
    view = terminal.Terminal(stream)
    view.take(_unit("postgres", runs="PostgreSQL 18.6"))
    view.take(_instance("postgres", "starting"))
    for _ in range(3):
        view.take(_instance("postgres", "ready"))
    view.take(_platform("starting"))
    view.take(_platform("up"))
    first, second, third = stream.getvalue().splitlines()
    assert first.split()[2:] == ["postgres", "ready", "PostgreSQL", "18.6"]
    assert second.startswith("shop is ready (")
    assert third.split() == ["/", "http://127.0.0.1:8080"]


def test_a_repeated_crash_shows_its_lines_once() -> None:
    stream = io.StringIO()
    view = terminal.Terminal(stream)
    for count in range(2):
        view.take(logs.Notice(at=float(count), unit="api", level="error", text="api died", lines=("KeyError",)))
    assert stream.getvalue().splitlines() == [
        "api died", "    KeyError", "api died", "    with the same last lines as before",
    ]  # fmt: skip


def test_a_second_up_shows_only_what_is_new() -> None:
    stream = io.StringIO()
    view = terminal.Terminal(stream, news_only=True)
    view.take(_instance("old", "ready"))
    view.take(events.Now())
    view.take(_instance("new", "ready"))
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["new"]


async def test_a_terminal_that_goes_away_ends_the_showing_only() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    model = store.Store()
    subscription = model.subscribe()
    model.publish(_instance("api", "failed", "why"))
    await terminal.Terminal(Gone()).show(subscription)
