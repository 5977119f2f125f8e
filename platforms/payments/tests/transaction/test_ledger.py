"""The database itself keeps the books: whatever a service sends, entries balance, stay, and balances follow them."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from groundplan_runtime import postgres as database
from payments.common import ids, money
from payments.transaction import changes, desk, fees, ledger, records, states, store, trial_balance
from platforms.payments.tests import engines
from platforms.payments.tests import money as house

INSERT = """
INSERT INTO entry (id, posting_id, ledger_account, amount, kind, account_id, livemode, currency, transaction_id,
                   created_at)
SELECT id, posting, account, amount, 'capture', 'acct_1', live, currency, '', now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::boolean[], $6::text[])
    AS e (id, posting, account, amount, live, currency)
"""


@pytest.fixture(scope="module")
def books(postgres: engines.Postgres) -> engines.Database:
    return postgres.database("payments.transaction.migrations", append_only=house.LEDGER_APPEND_ONLY)


@pytest.fixture
async def pool(books: engines.Database) -> AsyncIterator[asyncpg.Pool[Any]]:
    async with database.pool(books.dsn, largest=8) as opened:
        yield opened


async def post(pool: Any, *lines: tuple[str, str, int, bool, str]) -> None:
    """Posting, account, amount, livemode and currency of each entry, in one statement."""
    columns = list(zip(*((ids.new("ent"), *line) for line in lines), strict=True))
    await pool.execute(INSERT, *columns)


@pytest.mark.parametrize(
    "lines",
    [
        (("p1", "a", 100, False, "usd"),),
        (("p1", "a", 100, False, "usd"), ("p1", "b", -99, False, "usd")),
        (("p1", "a", 100, False, "usd"), ("p1", "b", -100, False, "eur")),
        (("p1", "a", 100, False, "usd"), ("p1", "b", -100, True, "usd")),
        (("p1", "a", 100, False, "usd"), ("p2", "b", -100, False, "usd")),
    ],
    ids=["one side", "unequal", "two currencies", "live and test", "two postings"],
)
async def test_what_does_not_sum_to_zero_is_refused(pool: Any, lines: tuple[Any, ...]) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="sum to zero"):
        await post(pool, *lines)


@pytest.mark.parametrize("statement", ["UPDATE entry SET amount = 1", "DELETE FROM entry", "TRUNCATE entry"])
async def test_nobody_changes_an_entry_not_even_the_owner(pool: Any, books: engines.Database, statement: str) -> None:
    await post(pool, ("p1", "a", 100, False, "usd"), ("p1", "b", -100, False, "usd"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(statement)
    owner = await asyncpg.connect(books.owner_dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(statement)
    await owner.close()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE balance SET amount = amount + 1", "DELETE FROM balance",
     "INSERT INTO balance VALUES ('merchant:acct_1:available', false, 'usd', 0, -1)"],
)  # fmt: skip
async def test_a_balance_is_written_by_nothing_but_its_entries(pool: Any, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(statement)


async def test_a_history_off_the_graph_is_refused(pool: Any, books: engines.Database) -> None:
    insert = "INSERT INTO history (transaction_id, operation_id, source, target, at) VALUES ('t', 'o', $1, $2, now())"
    for source in states.GRAPH:
        for target in states.GRAPH:
            if target in states.GRAPH[source]:
                await pool.execute(insert, source, target)
            elif target:
                with pytest.raises(asyncpg.CheckViolationError):
                    await pool.execute(insert, source, target)


async def test_parallel_postings_on_one_hot_account_leave_balances_that_are_the_fold(
    pool: Any, books: engines.Database
) -> None:
    async def many(client: int) -> None:
        for number in range(40):
            posting, amount = f"hot_{client}_{number}", 1 + number * client
            sides = [(posting, "acquirer:hot", amount, False, "usd"), (posting, "merchant:hot", -amount, False, "usd")]
            # Either order of the sides: waiting for each other in a circle must be impossible.
            await post(pool, *(sides if number % 2 else reversed(sides)))

    await asyncio.gather(*(many(client) for client in range(8)))
    read = await trial_balance.read(books.dsn)
    assert read.even, read
    assert await pool.fetchval("SELECT count(*) > 1 FROM balance WHERE ledger_account = 'acquirer:hot'")


async def test_a_trial_balance_shows_a_balance_that_strayed(pool: Any, books: engines.Database) -> None:
    await post(pool, ("p9", "strayed", 5, False, "usd"), ("p9", "b", -5, False, "usd"))
    update = "UPDATE balance SET amount = amount + {} WHERE ledger_account = 'strayed'"
    stray = f"SET session_replication_role = replica; {update}"  # triggers do not run
    books.psql(stray.format(1))
    read = await trial_balance.read(books.dsn)
    assert not read.even
    assert read.strayed == ("strayed usd: 5 != 6",)
    books.psql(stray.format(-1))
    assert (await trial_balance.read(books.dsn)).even


async def test_a_step_from_a_stale_version_changes_nothing(pool: Any, books: engines.Database) -> None:
    rows = store.Store(pool, datetime.timedelta(seconds=30), datetime.timedelta())
    now = datetime.datetime.now(datetime.UTC)
    one = records.Transaction(ids.new("txn"), "acct_1", False, "pi", "card", "usd", now, now, 100)
    operation = desk.new_operation("authorize", "acct_1", one.id, "req_1", b"", 100)
    pending = replace(one, state=states.PENDING)
    await rows.create(changes.Change(one, pending, operation))
    with pytest.raises(store.Repeated):
        again = replace(one, id=ids.new("txn"))
        await rows.create(changes.Change(again, replace(again, state=states.PENDING), operation))
    answer = changes.Authorized("captured", "aut_1")
    outcome = changes.authorized(replace(pending, version=1), operation, answer)
    both = await asyncio.gather(rows.settle(outcome), rows.settle(outcome), return_exceptions=True)
    assert sorted(type(done).__name__ for done in both) == ["NoneType", "Stale"]
    entries = await rows.entries("acct_1", False, "", 100, one.id)
    assert sorted(line.amount for line in entries) == [-100, -33, 33, 100]


def test_the_migrations_go_down_and_up_again(postgres: engines.Postgres) -> None:
    made = postgres.database("payments.transaction.migrations", append_only=house.LEDGER_APPEND_ONLY)
    for _ in range(2):  # each goes one file down
        made.migrate("payments.transaction.migrations", direction="down")
    assert "entry" not in made.psql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").split()
    made.migrate("payments.transaction.migrations", append_only=house.LEDGER_APPEND_ONLY)


@given(some.integers(1, money.MAX_AMOUNT), some.sampled_from(sorted(money.EXPONENTS)))
def test_every_posting_sums_to_zero_and_no_fee_exceeds_its_payment(amount: int, currency: str) -> None:
    fee = fees.fee(amount, currency)
    assert 0 < fee <= amount
    postings = (*ledger.capture("acct_1", amount, fee), *ledger.hold("acct_1", amount))
    sums: dict[str, list[int]] = {}
    for _, posting_id, _, line, _ in store._lines(postings):
        sums.setdefault(posting_id, []).append(line)
    assert len(sums) == len(postings)
    assert all(len(lines) == 2 and sum(lines) == 0 and all(lines) for lines in sums.values())


@given(some.lists(some.integers(1, 10**6), min_size=1, max_size=8), some.sampled_from(["usd", "jpy", "kwd"]))
def test_several_captures_cost_what_one_costs(parts: list[int], currency: str) -> None:
    taken, paid = 0, 0
    for part in parts:
        now = fees.fee(taken + part, currency)
        assert 0 <= now - paid <= part
        taken, paid = taken + part, now
    assert paid == fees.fee(sum(parts), currency)
