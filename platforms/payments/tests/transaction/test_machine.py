"""Random merchants on an unreliable acquirer: whatever they do, in whatever order, at once, the invariants hold."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, settings, stateful
from hypothesis import strategies as some

from payments.rpc import transaction_pb2 as pb
from payments.transaction import acquirer, reconcile, states, trial_balance
from platforms.payments.tests import money, running

CARDS = (money.VISA, money.VISA, money.VISA, "4000000000000002", "4000000000005126", "4000000000000259")
FAULTS = ("error_after_charge", "timeout_after_charge", "down", "late_success")
MOVES = ("capture", "capture", "refund", "refund", "void")
REFUSALS = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def _tried(error: grpc.aio.AioRpcError) -> None:
    assert error.code() in REFUSALS, error


class Merchants:
    """Steps of the machine, each of them several calls at once."""

    def __init__(self, client: money.Client, house: money.House) -> None:
        self.client = client
        self.house = house
        self.made: list[pb.Transaction] = []

    async def pay(self, amount: int, number: str, *, capture: bool) -> None:
        token = await self.client.tokenize(number)
        asked: dict[str, Any] = {"capture": capture, "request_id": money.request(), "reference": money.request()}
        answers = await asyncio.gather(
            *(self.client.authorize(amount, token.id, **asked) for _ in range(2)), return_exceptions=True
        )
        found = [one for one in answers if isinstance(one, pb.Transaction)]
        for error in answers:
            if isinstance(error, grpc.aio.AioRpcError):
                _tried(error)
        assert len({one.id for one in found}) <= 1, "one request id made two transactions"
        self.made.extend(found[:1])

    async def at_once(self, index: int, amounts: list[int], kinds: list[str]) -> None:
        one = self.made[index % len(self.made)]
        moves: dict[str, Any] = {"capture": self.client.capture, "refund": self.client.refund}
        calls: list[Any] = [
            self.client.void(one) if kind == "void" else moves[kind](one, amount)
            for kind, amount in zip(kinds, amounts, strict=True)
        ]
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(answer, grpc.aio.AioRpcError):
                _tried(answer)
            elif isinstance(answer, BaseException):
                raise answer

    async def expire(self, index: int) -> None:
        one = self.made[index % len(self.made)]
        self.house.ledger_db.psql(f"UPDATE transaction SET expires_at = now() WHERE id = '{one.id}'")

    async def amounts_hold(self) -> None:
        """I2, at any moment."""
        for one in self.made:
            now = await self.client.get(one)
            assert now.captured <= now.authorized <= now.amount
            assert now.refunded + now.disputed <= now.captured

    async def settled(self) -> None:
        """Until nothing is in doubt and nothing that ran out is held."""
        self.house.heal()
        held = "held > 0 AND expires_at <= now() OR in_doubt > 0 OR capturing + refunding > 0 OR releasing"
        sql = (
            "SELECT (SELECT count(*) FROM operation WHERE state IN ('pending', 'unknown'))"
            f" + (SELECT count(*) FROM transaction WHERE {held})"
        )
        async with asyncio.timeout(running.LIMIT):
            while int(self.house.ledger_db.psql(sql)):
                await asyncio.sleep(0.1)

    async def books_agree(self) -> None:
        """I1, I3, I5 and I11, once all is settled."""
        books = await trial_balance.read(self.house.ledger_db.dsn)
        assert books.even, books
        report = await reconcile._main()
        assert report.differences == ()
        await self._each_history_is_a_path()
        await self._each_hold_is_freed_once()

    async def _each_history_is_a_path(self) -> None:
        rows = self.house.ledger_db.psql(
            "SELECT transaction_id, source, target FROM history WHERE transaction_id IN"
            f" (SELECT id FROM transaction WHERE account_id = '{self.client.account_id}') ORDER BY id"
        )
        at: dict[str, str] = {}
        for transaction, source, target in (line.split("|") for line in rows.split()):
            assert at.get(transaction, states.NEW) == source
            assert target in states.GRAPH[source]
            at[transaction] = target
        now = self.house.ledger_db.psql(
            f"SELECT id, state FROM transaction WHERE account_id = '{self.client.account_id}'"
        )
        assert dict(line.split("|") for line in now.split()) == at

    async def _each_hold_is_freed_once(self) -> None:
        """I12: what is held by the ledger is what transactions hold; nothing was released twice."""
        held = self.house.ledger_db.psql(
            f"SELECT coalesce(sum(held), 0) FROM transaction WHERE account_id = '{self.client.account_id}'"
        )
        assert (await self.client.balance())["held"].get("usd", 0) == int(held)


def test_invariants_hold_whatever_merchants_do(
    house: money.House, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_DSN", house.file("machine-dsn", house.ledger_db.dsn))
    monkeypatch.setenv("ACQUIRER_URL", f"http://127.0.0.1:{house.acquirer.http}")

    class Machine(stateful.RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self._resources = contextlib.AsyncExitStack()
            client = loop.run(self._resources.enter_async_context(house.client()))
            self.merchants = Merchants(client, house)

        @stateful.rule(amount=some.integers(1, 5000), number=some.sampled_from(CARDS), capture=some.booleans())
        def pay(self, amount: int, number: str, capture: bool) -> None:
            loop.run(self.merchants.pay(amount, number, capture=capture))

        @stateful.precondition(lambda self: self.merchants.made)
        @stateful.rule(
            index=some.integers(0, 50),
            moves=some.lists(
                some.tuples(some.sampled_from(MOVES), some.integers(1, 2500)),
                min_size=1, max_size=5,
            ),
        )  # fmt: skip
        def move(self, index: int, moves: list[tuple[str, int]]) -> None:
            kinds, amounts = [kind for kind, _ in moves], [amount for _, amount in moves]
            loop.run(self.merchants.at_once(index, amounts, kinds))

        @stateful.precondition(lambda self: self.merchants.made)
        @stateful.rule(index=some.integers(0, 50))
        def expire(self, index: int) -> None:
            loop.run(self.merchants.expire(index))

        @stateful.rule(kind=some.sampled_from(FAULTS))
        def fault(self, kind: str) -> None:
            house.faults(kind, seconds=1.3)

        @stateful.invariant()
        def amounts(self) -> None:
            loop.run(self.merchants.amounts_hold())

        def teardown(self) -> None:
            try:
                loop.run(self.merchants.settled())
                loop.run(self.merchants.books_agree())
            finally:
                loop.run(self._resources.aclose())

    stateful.run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


async def test_many_merchants_at_once_on_an_unreliable_acquirer(
    house: money.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same on parallel connections, with two services on one ledger."""
    monkeypatch.setenv("DATABASE_DSN", house.file("many-dsn", house.ledger_db.dsn))
    monkeypatch.setenv("ACQUIRER_URL", f"http://127.0.0.1:{house.acquirer.http}")
    second = house.start_transactions()

    async def live(seed: int) -> Merchants:
        dice = random.Random(seed)
        service = second if seed % 2 else house.transactions
        client = await opened.enter_async_context(house.client(service))
        merchants = Merchants(client, house)
        for _ in range(8):
            with contextlib.suppress(acquirer.Unknown):
                await merchants.pay(dice.randrange(1, 5000), dice.choice(CARDS), capture=dice.random() < 0.5)
            if merchants.made:
                count = dice.randrange(1, 5)
                kinds = [dice.choice(["capture", "refund", "void"]) for _ in range(count)]
                await merchants.at_once(dice.randrange(50), [dice.randrange(1, 2500) for _ in range(count)], kinds)
            if dice.random() < 0.15:
                house.faults(dice.choice(["error_after_charge", "down"]))
            await merchants.amounts_hold()
        return merchants

    async with contextlib.AsyncExitStack() as opened:
        try:
            everybody = await asyncio.gather(*(live(seed) for seed in range(8)))
            await everybody[0].settled()
            for merchants in everybody:
                await merchants.books_agree()
            assert sum(len(merchants.made) for merchants in everybody) > 20
        finally:
            second.stop()
