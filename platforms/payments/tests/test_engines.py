"""The engines that the other tests stand on are real and keep services apart."""

from __future__ import annotations

import asyncpg
import pytest

from platforms.payments.tests import engines


async def test_a_service_role_has_no_ddl(postgres: engines.Postgres) -> None:
    connection = await asyncpg.connect(postgres.database().dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE mine (id int)")
    await connection.close()


def test_a_valkey_user_sees_only_its_prefix(valkey: engines.Valkey) -> None:
    url = valkey.url("card:")
    user, password = url.removeprefix("redis://").split("@")[0].split(":")
    login = f"AUTH {user} {password}\r\n"
    replies = valkey.raw(f"{login}SET card:1 x\r\nGET rate:1\r\n".encode()).split(b"\r\n")
    assert replies[:2] == [b"+OK", b"+OK"]
    assert replies[2].startswith(b"-NOPERM")
