"""The model itself and its subscribers.

A subscriber that is slow never holds up the supervisor: for each key it gets the newest value only, and of
notices the newest hundred, with the number of those it missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from groundplan.local.state import events, health, logs, units, waits

NOTICES = 100
Entry = TypeVar("Entry", events.Platform, units.Unit, units.Instance, health.Health, waits.Wait)


class Store:
    """Entries by key, and the last notices. Fed by `publish`: from the supervisor, or from its socket."""

    def __init__(self) -> None:
        self._entries: dict[events.Key, events.Event] = {}
        self._notices: deque[logs.Notice] = deque(maxlen=NOTICES)
        self._subscribers: set[Subscription] = set()

    def publish(self, event: events.Event) -> None:
        """Takes over a change and tells everybody; a change that changes nothing is not told."""
        if self._take(event):
            for subscriber in self._subscribers:
                subscriber.offer(event)

    def _take(self, event: events.Event) -> bool:
        if isinstance(event, logs.Notice):
            self._notices.append(event)
            return True
        if isinstance(event, events.Missed | events.Now):
            return isinstance(event, events.Missed)
        if isinstance(event, events.Gone):
            return self._entries.pop(event.key, None) is not None
        key = events.key(event)
        if key is None or self._entries.get(key) == event:
            return False
        self._entries[key] = event
        return True

    def subscribe(self, *, notices: bool = False) -> Subscription:
        """Gets everything as it is now, then what changes; with `notices`, the former ones too. Close it at the end."""
        subscription = Subscription(self._subscribers.discard)
        for event in (*self._entries.values(), *(self._notices if notices else ())):
            subscription.offer(event)
        subscription.offer(events.Now())
        self._subscribers.add(subscription)
        return subscription

    def close(self) -> None:
        """Ends all subscriptions, after what is still pending in them."""
        for subscriber in tuple(self._subscribers):
            subscriber.close()

    def all(self, kind: type[Entry]) -> list[Entry]:
        """All entries of one kind, in the order of their first appearance."""
        return [entry for entry in self._entries.values() if isinstance(entry, kind)]

    def instance(self, name: str) -> units.Instance | None:
        found = self._entries.get(("instance", name))
        return found if isinstance(found, units.Instance) else None

    def unit(self, name: str) -> units.Unit | None:
        found = self._entries.get(("unit", name))
        return found if isinstance(found, units.Unit) else None

    def health(self, instance: str, question: health.Question) -> health.Health | None:
        found = self._entries.get(("health", instance, question))
        return found if isinstance(found, health.Health) else None

    def platform(self) -> events.Platform | None:
        found = self._entries.get(("platform",))
        return found if isinstance(found, events.Platform) else None

    def instances_of(self, unit: str) -> list[units.Instance]:
        return [instance for instance in self.all(units.Instance) if instance.unit == unit]

    @property
    def notices(self) -> tuple[logs.Notice, ...]:
        return tuple(self._notices)


class Subscription:
    """A bounded, coalescing queue of events."""

    def __init__(self, leave: Callable[[Subscription], None]) -> None:
        self._leave = leave
        self._latest: dict[events.Key, events.Event] = {}
        self._notices: deque[logs.Notice] = deque()
        self._missed = 0
        self._closed = False
        self._news = asyncio.Event()

    def offer(self, event: events.Event) -> None:
        """Takes `event` without waiting."""
        key = events.key(event)
        if key is not None:
            self._latest.pop(key, None)  # The newest change goes to the end of the line.
            self._latest[key] = event
        elif isinstance(event, logs.Notice):
            self._notices.append(event)
            if len(self._notices) > NOTICES:
                self._notices.popleft()
                self._missed += 1
        elif isinstance(event, events.Missed):
            self._missed += event.notices
        self._news.set()

    def pending(self) -> int:
        return len(self._latest) + len(self._notices)

    def drain(self) -> list[events.Event]:
        """Everything since the last time: entries first, then notices."""
        drained = list(self._drained())
        self._news.clear()
        return drained

    def _drained(self) -> Iterator[events.Event]:
        latest, self._latest = self._latest, {}
        notices, self._notices = self._notices, deque()
        missed, self._missed = self._missed, 0
        yield from latest.values()
        if missed:
            yield events.Missed(notices=missed)
        yield from notices

    def close(self) -> None:
        """Ends the iteration, after what is still pending."""
        self._closed = True
        self._leave(self)
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[list[events.Event]]:
        while True:
            await self._news.wait()
            if batch := self.drain():
                yield batch
            if self._closed:
                if rest := self.drain():
                    yield rest
                return
