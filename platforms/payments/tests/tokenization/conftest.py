"""A vault on a real database and a real Valkey."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from groundplan_runtime import postgres as database
from groundplan_runtime import redis
from payments.tokenization import checks, codes, envelope, store
from payments.tokenization import vault as vaults
from platforms.payments.tests import engines, money


@dataclasses.dataclass
class Secrets:
    """What the secret store says now; tests change it as an operator would."""

    keys: str

    def read(self) -> str:
        return self.keys


@dataclasses.dataclass(frozen=True)
class Wall:
    """A vault and everything it stands on."""

    vault: vaults.Vault
    rows: store.Store
    secrets: Secrets
    codes: redis.Store
    pool: Any
    database: engines.Database

    async def tokenize(self, account: str, number: str, *, cvc: str = "123", year: int = 2034) -> vaults.Metadata:
        card = checks.check(number, 12, year, cvc, "Ada Lovelace", vaults.today())
        assert isinstance(card, checks.Card)
        return await self.vault.tokenize(account, card)

    async def open(self, account: str, token: str, *, cvc: bool = False) -> vaults.Opened | None:
        return await self.vault.open(store.Access(account, token, "transaction-service", "authorization", "txn_1", cvc))

    def another(self) -> vaults.Vault:
        """A second replica: the same secrets, read by itself."""
        return vaults.Vault(self.rows, envelope.Keyring(self.secrets.read), b"pepper", codes.Codes(self.codes))


@pytest.fixture(scope="module")
def cards(postgres: engines.Postgres) -> Iterator[engines.Database]:
    yield postgres.database("payments.tokenization.migrations", append_only=("access",))


@pytest.fixture
async def wall(cards: engines.Database, valkey: engines.Valkey) -> AsyncIterator[Wall]:
    secrets = Secrets(money.key_encryption_keys(1))
    async with database.pool(cards.dsn, largest=8) as pool, redis.store(valkey.url("card:")) as kept:
        rows = store.Store(pool)
        made = vaults.Vault(rows, envelope.Keyring(secrets.read), b"pepper", codes.Codes(kept))
        yield Wall(made, rows, secrets, kept, pool, cards)
        # Keys are this test's own: what it wrapped must not meet the next one's.
        cards.psql("DELETE FROM token; DELETE FROM card")
