"""One house of services for all tests of this folder; tests keep apart by account."""

from __future__ import annotations

import pathlib
from collections.abc import AsyncIterator, Iterator

import pytest

from platforms.payments.tests import engines, money


@pytest.fixture(scope="session")
def house(
    tmp_path_factory: pytest.TempPathFactory, postgres: engines.Postgres, valkey: engines.Valkey
) -> Iterator[money.House]:
    directory: pathlib.Path = tmp_path_factory.mktemp("house")
    with money.House(directory, postgres, valkey) as opened:
        yield opened


@pytest.fixture
async def client(house: money.House) -> AsyncIterator[money.Client]:
    async with house.client() as opened:
        yield opened
    house.heal()
