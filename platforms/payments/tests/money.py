"""The services that move money, as processes on real engines, and a client for them.

::

    with money.House(tmp_path, postgres, valkey) as house:
        async with house.client() as client:
            paid = await client.pay(1000)
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import pathlib
import secrets
from collections.abc import AsyncIterator
from typing import Any, Self

import grpc.aio

from groundplan_runtime import contract
from payments.rpc import tokenization_pb2 as cards_pb
from payments.rpc import tokenization_pb2_grpc, transaction_pb2_grpc
from payments.rpc import transaction_pb2 as pb
from platforms.payments.tests import engines, running

VISA = "4242424242424242"
EVERYBODY = {"test": {"grpc": ["*"]}, "transaction-service": {"grpc": ["Detokenize"]}}
LEDGER_APPEND_ONLY = ("entry", "history")
# Short, so that a test need not wait: a killed worker's operations are free after a second and a half.
QUICK = {"ACQUIRER_TIMEOUT": "1", "OPERATION_LEASE": "1.5", "RECONCILE_EVERY": "0.1", "ABANDON_AFTER": "3"}


def key_encryption_keys(*versions: int) -> str:
    """CARD_KEY_ENCRYPTION_KEYS with fresh keys of these versions."""
    keys = [{"version": version, "key": base64.b64encode(secrets.token_bytes(32)).decode()} for version in versions]
    return json.dumps({"keys": keys})


class House(running.Platform):
    """acquirer, tokenization-service and transaction-service."""

    def __init__(self, directory: pathlib.Path, postgres: engines.Postgres, valkey: engines.Valkey) -> None:
        super().__init__(directory)
        self.card_db = postgres.database("payments.tokenization.migrations", append_only=("access",))
        self.ledger_db = postgres.database("payments.transaction.migrations", append_only=LEDGER_APPEND_ONLY)
        self.card_keys = key_encryption_keys(1)
        self.acquirer = self._acquirer()
        self.cards = self._cards(valkey)
        self.transactions = self.start_transactions()

    def __enter__(self) -> Self:
        return self

    def _acquirer(self) -> running.Running:
        variables = {"DATA_DIRECTORY": str(self.directory / "acquirer")}
        return self.start("acquirer", "payments.acquirer", variables, {})

    def _cards(self, valkey: engines.Valkey) -> running.Running:
        variables = {
            "DATABASE_DSN": self.file("card-dsn", self.card_db.dsn),
            "REDIS_URL": self.file("card-redis", valkey.url("card:")),
            "CARD_KEY_ENCRYPTION_KEYS": self.file("card-keys", self.card_keys),
            "FINGERPRINT_KEY": self.file("fingerprint-key", secrets.token_hex(32)),
        }
        return self.start("tokenization-service", "payments.tokenization", variables, EVERYBODY)

    def start_transactions(self, **more: str) -> running.Running:
        """A (further) transaction-service; `more` settings win."""
        variables = {
            "DATABASE_DSN": self.file("ledger-dsn", self.ledger_db.dsn),
            contract.url_variable("acquirer"): f"http://127.0.0.1:{self.acquirer.http}",
            **self.callee("transaction-service", self.cards, "grpc"),
            **QUICK,
            **more,
        }
        return self.start("transaction-service", "payments.transaction", variables, EVERYBODY)

    def faults(self, kind: str, count: int = 1, **more: Any) -> None:
        """What goes wrong at the acquirer next."""
        body = {"kind": kind, "count": count, **more}
        assert running.ask(self.acquirer.http, "POST", "/faults", json_body=body).status == 200

    def heal(self) -> None:
        running.ask(self.acquirer.http, "DELETE", "/faults")

    def listed(self, key: str) -> Any:
        """What the acquirer has for a key of ours."""
        return running.ask(self.acquirer.http, "GET", f"/authorizations?key={key}").json

    @contextlib.asynccontextmanager
    async def client(self, service: running.Running | None = None) -> AsyncIterator[Client]:
        service = service or self.transactions
        async with (
            grpc.aio.insecure_channel(f"127.0.0.1:{service.grpc}") as money,
            grpc.aio.insecure_channel(f"127.0.0.1:{self.cards.grpc}") as cards,
        ):
            yield Client(
                _Called(transaction_pb2_grpc.TransactionsStub(money), self.token("test", "transaction-service")),
                _Called(tokenization_pb2_grpc.TokenizationStub(cards), self.token("test", "tokenization-service")),
                account(),
            )


def account() -> str:
    return f"acct_{secrets.token_hex(8)}"


def request() -> str:
    return f"req_{secrets.token_hex(8)}"


class _Called:
    """A stub whose calls carry a workload token."""

    def __init__(self, stub: Any, token: str) -> None:
        self._stub = stub
        self._metadata = ((contract.WORKLOAD_TOKEN_HEADER, token),)

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._stub, method)
        return lambda message, timeout=20: call(message, timeout=timeout, metadata=self._metadata)


@dataclasses.dataclass
class Client:
    """A merchant's hands: calls for one account."""

    money: Any
    cards: Any
    account_id: str

    async def tokenize(self, number: str = VISA, cvc: str = "123", **more: Any) -> cards_pb.Token:
        wanted = {"exp_month": 12, "exp_year": 2034} | more
        request = cards_pb.TokenizeRequest(account_id=self.account_id, number=number, cvc=cvc, **wanted)
        token: cards_pb.Token = await self.cards.Tokenize(request)
        return token

    async def authorize(self, amount: int, token: str, **more: Any) -> pb.Transaction:
        asked = {"request_id": request(), "reference": f"pi_{secrets.token_hex(6)}", "currency": "usd"} | more
        message = pb.AuthorizeRequest(account_id=self.account_id, amount=amount, card_token=token, **asked)
        made: pb.Transaction = await self.money.Authorize(message)
        return made

    async def pay(self, amount: int, number: str = VISA, **more: Any) -> pb.Transaction:
        token = await self.tokenize(number)
        return await self.authorize(amount, token.id, **{"capture": True} | more)

    async def capture(self, one: pb.Transaction, amount: int = 0, **more: Any) -> pb.Transaction:
        asked = {"request_id": request()} | more
        message = pb.CaptureRequest(account_id=self.account_id, transaction_id=one.id, amount=amount, **asked)
        done: pb.Transaction = await self.money.Capture(message)
        return done

    async def void(self, one: pb.Transaction, **more: Any) -> pb.Transaction:
        asked = {"request_id": request()} | more
        message = pb.VoidRequest(account_id=self.account_id, transaction_id=one.id, **asked)
        done: pb.Transaction = await self.money.Void(message)
        return done

    async def refund(self, one: pb.Transaction, amount: int, **more: Any) -> pb.RefundTransfer:
        asked = {"request_id": request()} | more
        message = pb.RefundRequest(account_id=self.account_id, transaction_id=one.id, amount=amount, **asked)
        done: pb.RefundTransfer = await self.money.Refund(message)
        return done

    async def get(self, one: pb.Transaction) -> pb.Transaction:
        message = pb.GetRequest(account_id=self.account_id, transaction_id=one.id)
        found: pb.Transaction = await self.money.Get(message)
        return found

    async def balance(self, livemode: bool = False) -> dict[str, dict[str, int]]:
        """Amounts by currency, for available, pending and held; without zeros."""
        found = await self.money.GetBalance(pb.GetBalanceRequest(account_id=self.account_id, livemode=livemode))
        kinds = ("available", "pending", "held")
        return {kind: {one.currency: one.amount for one in getattr(found, kind) if one.amount} for kind in kinds}
