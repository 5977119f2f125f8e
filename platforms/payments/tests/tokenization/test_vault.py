"""Cards behind the wall: stored once, opened only by the right hands, and still there after the keys change."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from groundplan_runtime import redis
from payments.tokenization import checks, codes, envelope, store, vault
from platforms.payments.tests import engines, money
from platforms.payments.tests.tokenization import conftest

VISA, MASTERCARD = money.VISA, "5555555555554444"


async def test_two_tokenizations_of_one_number_share_a_fingerprint_and_a_row_even_in_a_race(
    wall: conftest.Wall,
) -> None:
    account = money.account()
    made = await asyncio.gather(*(wall.tokenize(account, VISA, year=2030 + n) for n in range(8)))
    assert len({one.token.card.fingerprint for one in made}) == 1
    assert len({one.token.id for one in made}) == 8
    assert await wall.pool.fetchval("SELECT count(*) FROM card WHERE account_id = $1", account) == 1
    opened = [await wall.open(account, one.token.id) for one in made]
    assert [(one.number.reveal(), one.exp_year) for one in opened if one] == [(VISA, 2030 + n) for n in range(8)]


async def test_accounts_do_not_share_fingerprints(wall: conftest.Wall) -> None:
    mine, theirs = await wall.tokenize("acct_a", VISA), await wall.tokenize("acct_b", VISA)
    assert mine.token.card.fingerprint != theirs.token.card.fingerprint


async def test_another_accounts_token_does_not_exist_and_the_attempt_is_written_down(wall: conftest.Wall) -> None:
    token = (await wall.tokenize("acct_mine", VISA)).token.id
    assert await wall.open("acct_other", token) is None
    assert await wall.vault.metadata("acct_other", token) is None
    assert not await wall.vault.delete("acct_other", token)
    assert await wall.open("acct_mine", token)
    rows = await wall.pool.fetch(
        "SELECT account_id, outcome, reference FROM access WHERE token_id = $1 ORDER BY id", token
    )
    assert [tuple(row) for row in rows] == [("acct_other", "not_found", "txn_1"), ("acct_mine", "granted", "txn_1")]


async def test_the_audit_can_only_grow(wall: conftest.Wall) -> None:
    await wall.open("acct_a", "card_none")
    for attempt in ("UPDATE access SET caller = ''", "DELETE FROM access", "TRUNCATE access"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await wall.pool.execute(attempt)
    owner = await asyncpg.connect(wall.database.owner_dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute("DELETE FROM access")
    await owner.close()


async def test_a_cvc_is_kept_encrypted_for_a_while_and_handed_out_once(wall: conftest.Wall) -> None:
    token = (await wall.tokenize("acct_a", VISA, cvc="987")).token.id
    kept = await wall.codes.client.get(wall.codes.key("cvc", token))
    assert kept
    assert b"987" not in kept
    assert 0 < await wall.codes.client.ttl(wall.codes.key("cvc", token)) <= codes.TTL
    assert (await wall.vault.metadata("acct_a", token) or pytest.fail()).has_cvc
    taken = await asyncio.gather(*(wall.open("acct_a", token, cvc=True) for _ in range(5)))
    assert sorted(one.cvc.reveal() for one in taken if one) == ["", "", "", "", "987"]
    assert not (await wall.vault.metadata("acct_a", token) or pytest.fail()).has_cvc


async def test_without_redis_cards_are_tokenized_and_only_their_cvc_is_not_kept(wall: conftest.Wall) -> None:
    async with redis.store(f"redis://127.0.0.1:{engines.free_port()}/0?prefix=card:", timeout=0.2) as away:
        alone = vault.Vault(wall.rows, envelope.Keyring(wall.secrets.read), b"pepper", codes.Codes(away))
        card = checks.check(VISA, 12, 2034, "123", "", vault.today())
        assert isinstance(card, checks.Card)
        made = await alone.tokenize("acct_a", card)
        assert not made.has_cvc
        opened = await alone.open(store.Access("acct_a", made.token.id, "", "authorization", "txn_1", True))
        assert opened
        assert (opened.number.reveal(), opened.cvc.reveal()) == (VISA, "")
        assert await alone.delete("acct_a", made.token.id)


async def test_a_deleted_token_takes_its_card_with_it_when_it_was_the_last(wall: conftest.Wall) -> None:
    account = money.account()
    first, second = (await wall.tokenize(account, VISA)).token.id, (await wall.tokenize(account, VISA)).token.id
    cards = "SELECT count(*) FROM card WHERE account_id = $1"
    assert await wall.vault.delete(account, first)
    assert await wall.open(account, first) is None
    assert await wall.pool.fetchval(cards, account) == 1
    assert await wall.open(account, second)
    assert await wall.vault.delete(account, second)
    assert await wall.pool.fetchval(cards, account) == 0
    assert not await wall.vault.delete(account, second)


async def test_creating_and_deleting_one_card_at_once_loses_no_token(wall: conftest.Wall) -> None:
    account = money.account()

    async def come_and_go() -> None:
        for _ in range(10):
            token = (await wall.tokenize(account, VISA, cvc="")).token.id
            assert await wall.open(account, token)
            assert await wall.vault.delete(account, token)

    await asyncio.gather(*(come_and_go() for _ in range(4)))
    assert await wall.pool.fetchval("SELECT count(*) FROM card WHERE account_id = $1", account) == 0


async def test_keys_rotate_while_cards_are_tokenized_and_opened(wall: conftest.Wall) -> None:
    account, old = money.account(), json.loads(wall.secrets.keys)["keys"]
    numbers = ("4242424242424242", "4000056655665556", MASTERCARD, "378282246310005", "6011111111111117")
    before = [await wall.tokenize(account, number) for number in numbers]
    stop = asyncio.Event()

    async def traffic() -> int:
        count = 0
        while not stop.is_set():
            made = await wall.tokenize(money.account(), VISA, cvc="")
            for one in (made.token, before[count % len(before)].token):
                assert await wall.open(one.account_id, one.id), "a token does not open during rotation"
            count += 1
        return count

    running = [asyncio.ensure_future(traffic()) for _ in range(3)]
    await asyncio.sleep(0.2)
    new = json.loads(money.key_encryption_keys(2))["keys"]
    wall.secrets.keys = json.dumps({"keys": new + old})
    replicas = wall.vault, wall.another()
    remaining = 1
    while remaining:
        done = await asyncio.gather(*(one.rotate(2) for one in replicas))
        assert all(rewrapped <= 2 and active == 2 for rewrapped, _, active in done)
        remaining = min(left for _, left, _ in done)
    await asyncio.sleep(0.1)
    stop.set()
    assert sum(await asyncio.gather(*running)) > 0
    # The old key may go: nothing is wrapped by it any more.
    assert await wall.pool.fetchval("SELECT count(*) FROM card WHERE key_version <> 2") == 0
    wall.secrets.keys = json.dumps({"keys": new})
    opened = [await wall.open(account, one.token.id) for one in before]
    assert tuple(one.number.reveal() for one in opened if one) == numbers


async def test_rows_moved_to_another_card_or_account_do_not_open(wall: conftest.Wall) -> None:
    mine, other = await wall.tokenize("acct_a", VISA), await wall.tokenize("acct_a", MASTERCARD)
    wall.database.psql(f"UPDATE token SET card_id = '{other.token.card.id}' WHERE id = '{mine.token.id}'")
    with pytest.raises(envelope.Unreadable):
        await wall.open("acct_a", mine.token.id)
    outcomes = await wall.pool.fetch("SELECT outcome FROM access WHERE token_id = $1 ORDER BY id", mine.token.id)
    assert [row[0] for row in outcomes] == ["granted", "unreadable"]
    wall.database.psql(f"UPDATE card SET number = (SELECT number FROM card WHERE id = '{mine.token.card.id}')"
                       f" WHERE id = '{other.token.card.id}'")  # fmt: skip
    with pytest.raises(envelope.Unreadable):
        await wall.open("acct_a", other.token.id)
