"""Mails leave the outbox at least once, later where the relay is away, and never with a forged header."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from payments.common import mail, postbox
from platforms.payments.tests import engines, running


@pytest.fixture(scope="module")
def mail_database(postgres: engines.Postgres) -> engines.Database:
    return postgres.database("payments.auth.migrations", append_only=("audit",))


@pytest.fixture
async def pool(mail_database: engines.Database) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(mail_database.dsn, min_size=1, max_size=4) as opened:
        await opened.execute("DELETE FROM mail")
        yield opened


def _relay(port: int) -> mail.Relay:
    return mail.Relay(f"127.0.0.1:{port}", lambda: "{}", "no-reply@example.com")


async def test_a_mail_is_sent_and_its_row_goes(pool: asyncpg.Pool) -> None:
    with running.mail_catcher() as caught:
        await postbox.add(pool, "ada@example.com", "Grüße", "Hello\nÄda")
        assert await postbox.Postbox(pool, _relay(caught.port).send).step() == 1
    found = caught.to("ada@example.com")[0]
    assert (found["Subject"], found.get_content()) == ("Grüße", "Hello\r\nÄda\r\n")
    assert await pool.fetchval("SELECT count(*) FROM mail") == 0


async def test_two_senders_share_the_work(pool: asyncpg.Pool) -> None:
    with running.mail_catcher() as caught:
        for number in range(25):
            await postbox.add(pool, f"{number}@example.com", "s", "t")
        senders = [postbox.Postbox(pool, _relay(caught.port).send) for _ in range(2)]
        while sum(await asyncio.gather(*(sender.step() for sender in senders))):
            continue
    assert sorted(one["To"] for one in caught.caught) == sorted(f"{number}@example.com" for number in range(25))


async def test_a_relay_that_is_away_is_tried_again_later(pool: asyncpg.Pool) -> None:
    await postbox.add(pool, "ada@example.com", "s", "t")
    away = postbox.Postbox(pool, _relay(engines.free_port()).send)
    assert await away.step() == 1
    assert await away.step() == 0
    assert await pool.fetchval("SELECT attempts = 1 AND due_at > now() + interval '3 seconds' FROM mail")


async def test_a_mail_is_given_up_after_days(pool: asyncpg.Pool) -> None:
    await postbox.add(pool, "ada@example.com", "s", "t")
    await pool.execute("UPDATE mail SET created_at = now() - interval '3 days'")
    await postbox.Postbox(pool, _relay(engines.free_port()).send).step()
    assert await pool.fetchval("SELECT count(*) FROM mail") == 0


def test_pauses_double_up_to_an_hour() -> None:
    assert [postbox.pause(n) for n in (1, 2, 3, 4, 20, 2000)] == [5, 10, 20, 40, 3600, 3600]


async def test_a_password_is_not_sent_in_clear() -> None:
    with running.mail_catcher() as caught:
        account = '{"username": "me", "password": "secret"}'
        relay = mail.Relay(f"127.0.0.1:{caught.port}", lambda: account, "no-reply@example.com")
        with pytest.raises(mail.NotSent, match="STARTTLS"):
            await relay.send(mail.Mail("mail_1", "ada@example.com", "s", "t"))
    assert caught.caught == []


async def test_a_line_break_cannot_add_a_header() -> None:
    with pytest.raises(ValueError):
        _relay(25).message(mail.Mail("mail_1", "ada@example.com", "s\r\nBcc: eve@example.com", "t"))
