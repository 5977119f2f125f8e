"""An acquirer as a process of its own."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from platforms.payments.tests import money, running


class Bank:
    """A running acquirer; `post` and `get` answer status and JSON."""

    def __init__(self, platform: running.Platform, directory: pathlib.Path) -> None:
        self._platform = platform
        self._directory = directory
        self.start()

    def start(self) -> None:
        self.process = self._platform.start("acquirer", "payments.acquirer", {"DATA_DIRECTORY": str(self.data)}, {})

    @property
    def data(self) -> pathlib.Path:
        return self._directory / "data"

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        answer = running.ask(self.process.http, "POST", path, json_body=body)
        return answer.status, answer.json

    def get(self, path: str) -> tuple[int, Any]:
        answer = running.ask(self.process.http, "GET", path)
        return answer.status, answer.json

    def authorize(self, key: str, amount: int = 1000, number: str = money.VISA, **more: Any) -> tuple[int, Any]:
        card = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
        return self.post("/authorizations", key=key, amount=amount, currency="usd", card=card, **more)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    directory = tmp_path_factory.mktemp("bank")
    with running.Platform(directory) as platform:
        yield Bank(platform, directory)
