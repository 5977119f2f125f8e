"""Whatever is asked in whatever order, with whatever faults: each history is a path of the declared graph (I5), each
step has exactly the events its edge declares (I6), and the money adds up (I2)."""

from __future__ import annotations

import asyncio
import collections
import json
from typing import Any

import hypothesis
from hypothesis import strategies

from payments.api import graph
from platforms.payments.tests.api import conftest

_CARDS = ("visa", "chargeDeclined", "authenticationRequired", "chargeDeclinedIncorrectCvc")
_FAULTS = ("", "", "", "lost", "down", "unknown", "refused")
_create = strategies.tuples(
    strategies.just("create"),
    strategies.sampled_from((None, *_CARDS)),
    strategies.sampled_from(("automatic", "manual")),
    strategies.booleans(),
)
_number = strategies.integers(0, 3)
_act = strategies.one_of(
    _create,
    strategies.tuples(strategies.just("confirm"), _number, strategies.sampled_from((None, *_CARDS))),
    strategies.tuples(strategies.just("capture"), _number, strategies.integers(1, 1000), strategies.booleans()),
    strategies.tuples(strategies.just("cancel"), _number),
    strategies.tuples(strategies.just("refund"), _number, strategies.integers(1, 1000)),
    strategies.tuples(strategies.just("update"), _number),
    strategies.tuples(strategies.just("return"), _number, strategies.booleans()),
    strategies.tuples(strategies.just("settle")),
)
_story = strategies.lists(strategies.tuples(_act, strategies.sampled_from(_FAULTS)), min_size=1, max_size=14)


class Teller:
    """Acts a story out on one account."""

    def __init__(self, api: conftest.Api) -> None:
        self._api = api
        self.intents: list[str] = []

    async def act(self, act: tuple[Any, ...], fault: str) -> None:
        # "refused" after a hold would be a service that lies; it is for authorizations.
        waiting = self._api.fakes.transactions.faults.waiting
        waiting[:] = [fault] if fault and (fault != "refused" or act[0] in ("create", "confirm")) else []
        await getattr(self, f"_{act[0]}")(*act[1:])
        waiting.clear()

    async def _create(self, card: str | None, method: str, confirm: bool) -> None:
        form: dict[str, Any] = {"amount": 1000, "currency": "usd", "capture_method": method}
        if card:
            form |= {"payment_method": f"pm_card_{card}", "confirm": str(confirm).lower()}
        answer = (await self._fine("payment_intents", form)).json
        self.intents.append(answer["id"] if "id" in answer else answer["error"]["payment_intent"]["id"])

    async def _confirm(self, which: int, card: str | None) -> None:
        await self._on(which, "/confirm", {"payment_method": f"pm_card_{card}"} if card else {})

    async def _capture(self, which: int, amount: int, final: bool) -> None:
        await self._on(which, "/capture", {"amount_to_capture": amount, "final_capture": str(final).lower()})

    async def _cancel(self, which: int) -> None:
        await self._on(which, "/cancel", {})

    async def _update(self, which: int) -> None:
        await self._on(which, "", {"metadata[a]": "b"})

    async def _refund(self, which: int, amount: int) -> None:
        if which < len(self.intents):
            await self._fine("refunds", {"payment_intent": self.intents[which], "amount": amount})

    async def _return(self, which: int, passed: bool) -> None:
        if which >= len(self.intents):
            return
        sql = "SELECT inner_body->>'nonce' FROM payment_intent WHERE id = $1"
        nonce = await self._api.pool.fetchval(sql, self.intents[which])
        path = f"/checkout/authenticated/{self._api.account}/test/{self.intents[which]}/{nonce or 'none'}"
        form = {"authentication": "proof", "result": "succeeded" if passed else "failed"}
        assert (await self._api.ask("GET", path, form)).status in (200, 404)

    async def _settle(self) -> None:
        await self._api.overdue()

    async def _on(self, which: int, rest: str, form: dict[str, Any]) -> None:
        if which < len(self.intents):
            await self._fine(f"payment_intents/{self.intents[which]}{rest}", form)

    async def _fine(self, path: str, form: dict[str, Any]) -> Any:
        answer = await self._api.post(path, form)
        assert answer.status in (200, 400, 402, 429), answer.body
        return answer

    async def settled(self) -> None:
        for _ in range(4):
            await self._api.overdue()
        left = await self._api.pool.fetchval("SELECT count(*) FROM promise WHERE account_id = $1", self._api.account)
        assert left == 0, "a promise is kept by nobody"


async def test_every_history_is_a_path_and_has_its_events(api: conftest.Api) -> None:
    loop, turn = asyncio.get_running_loop(), iter(range(10_000))

    @hypothesis.settings(max_examples=60, deadline=None)
    @hypothesis.given(_story)
    def told(story: list[tuple[tuple[Any, ...], str]]) -> None:
        mine = api.other(f"{api.account}m{next(turn)}")
        asyncio.run_coroutine_threadsafe(_play(mine, story), loop).result(60)

    await asyncio.to_thread(told)


async def _play(api: conftest.Api, story: list[tuple[tuple[Any, ...], str]]) -> None:
    teller = Teller(api)
    for act, fault in story:
        await teller.act(act, fault)
        await _money_adds_up(api)
    await teller.settled()
    await _money_adds_up(api)
    await _paths(api)
    await _books_agree(api)


async def _paths(api: conftest.Api) -> None:
    sql = "SELECT kind, object_id, edge, before, after FROM history WHERE account_id = $1 ORDER BY number"
    at: dict[str, str] = collections.defaultdict(str)
    told: dict[str, list[str]] = collections.defaultdict(list)
    for kind, one, edge, before, after in await api.pool.fetch(sql, api.account):
        assert at[one] == before, "a history jumps"
        declared = graph.edge(kind, edge, before)
        assert declared.after == after
        at[one] = after
        told[one] += declared.events
    found: dict[str, list[str]] = collections.defaultdict(list)
    sql = "SELECT object_id, type FROM outbox_event WHERE account_id = $1 ORDER BY id"
    for one, event in await api.pool.fetch(sql, api.account):
        found[one].append(event)
    assert {one: sorted(events) for one, events in told.items() if events} == {
        one: sorted(events) for one, events in found.items()
    }
    for table in ("payment_intent", "charge", "refund"):
        for one, state in await api.pool.fetch(f"SELECT id, state FROM {table} WHERE account_id = $1", api.account):
            assert at[one] == state, "a row is where its history does not lead"


async def _charges(api: conftest.Api) -> list[dict[str, Any]]:
    sql = "SELECT body::text FROM charge WHERE account_id = $1 AND state <> 'released'"
    return [json.loads(row["body"]) for row in await api.pool.fetch(sql, api.account)]


async def _money_adds_up(api: conftest.Api) -> None:
    for charge in await _charges(api):
        assert charge["amount_refunded"] <= charge["amount_captured"] <= charge["amount"]


async def _books_agree(api: conftest.Api) -> None:
    """What transaction-service took and returned is what the charges say."""
    theirs: dict[str, tuple[int, int]] = {}
    for one in api.fakes.transactions.transactions.values():
        if one.account_id == api.account and one.captured:
            taken, returned = theirs.get(one.reference, (0, 0))
            theirs[one.reference] = (taken + one.captured, returned + one.refunded)
    ours: dict[str, tuple[int, int]] = {}
    for charge in await _charges(api):
        if charge["amount_captured"]:
            taken, returned = ours.get(charge["payment_intent"], (0, 0))
            ours[charge["payment_intent"]] = (taken + charge["amount_captured"], returned + charge["amount_refunded"])
    assert ours == theirs
