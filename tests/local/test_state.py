"""The model and its subscribers, slow ones above all."""

from __future__ import annotations

import socket

from groundplan.local.state import events, logs, store, units, waits
from tests.local import running


def _instance(name: str, phase: units.Phase = "ready", **more: object) -> units.Instance:
    return units.Instance(name=name, unit=name, phase=phase, since=0.0, **more)  # type: ignore[arg-type]


def _notice(text: str) -> logs.Notice:
    return logs.Notice(at=0.0, unit="api", level="error", text=text)


def test_a_subscriber_first_gets_everything_as_it_is() -> None:
    model = store.Store()
    model.publish(_instance("api"))
    assert model.subscribe().drain() == [_instance("api"), events.Now()]


def test_a_slow_subscriber_gets_the_newest_state_once_and_the_newest_messages_with_the_number_missed() -> None:
    model = store.Store()
    slow = model.subscribe()
    slow.drain()
    for count in range(10_000):
        model.publish(_instance("api", pid=count))
        model.publish(_notice(str(count)))
    assert slow.pending() <= 1 + store.NOTICES
    state, missed, *notices = slow.drain()
    assert state == _instance("api", pid=9_999)
    assert missed == events.Missed(notices=10_000 - store.NOTICES)
    assert [notice.text for notice in notices if isinstance(notice, logs.Notice)] == [
        str(count) for count in range(9_900, 10_000)
    ]


def test_a_change_that_changes_nothing_is_not_told() -> None:
    model = store.Store()
    subscriber = model.subscribe()
    model.publish(_instance("api"))
    subscriber.drain()
    model.publish(_instance("api"))
    model.publish(events.Gone(key=("instance", "nobody")))
    assert subscriber.drain() == []


def test_a_mirror_fed_with_the_events_is_equal_to_the_model() -> None:
    model, mirror = store.Store(), store.Store()
    subscriber = model.subscribe()
    model.publish(_instance("api"))
    model.publish(_instance("db"))
    model.publish(waits.Wait(unit="api", on=("db",)))
    for event in subscriber.drain():
        mirror.publish(event)
    model.publish(events.Gone(key=("instance", "db")))
    model.publish(_instance("api", "failed", why="exited with status 1"))
    for event in subscriber.drain():
        mirror.publish(event)
    assert mirror.subscribe().drain() == model.subscribe().drain()


async def test_a_closed_subscription_ends_after_what_was_pending() -> None:
    model = store.Store()
    subscriber = model.subscribe()
    model.publish(_instance("api"))
    model.close()
    model.publish(_instance("late"))
    assert [batch async for batch in subscriber] == [[events.Now(), _instance("api")]]


def test_the_words_of_an_instance_say_what_it_waits_for_and_when_it_comes_back() -> None:
    assert _instance("api", "waiting", why="postgres, migrate").words(0) == "waiting for postgres, migrate"
    assert _instance("api", "starting", why="accepting connections").words(0) == "starting: accepting connections"
    assert _instance("api", "restarting", why="exited with status 1", retry_at=13.0).words(10) == (
        "restarting in 3 s: exited with status 1"
    )
    assert _instance("api").words(0) == "ready"


def test_those_that_others_wait_for_are_named_and_not_those_that_wait_too() -> None:
    found = waits.roots([waits.Wait(unit="api", on=("migrate",)), waits.Wait(unit="migrate", on=("postgres",))])
    assert found == ("postgres",)


def test_a_client_that_never_reads_holds_nobody_up(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("api"), running.daemon("crash", "print('x' * 1000); raise SystemExit(1)")))
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        deaf.connect(str(ground.place.socket))
        deaf.sendall(b'{"type": "watch"}\n')
        for _ in range(20):
            assert ground.restart("api").ok
        assert ground.down().ok
    ground.assert_nothing_left()
