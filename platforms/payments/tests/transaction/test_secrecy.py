"""No card number and no CVC is anywhere but behind the wall: everything that a run wrote is searched."""

from __future__ import annotations

import re
import subprocess

import grpc
import pytest

from payments.common import cards
from payments.rpc import tokenization_pb2 as cards_pb
from payments.rpc import tokenization_pb2_grpc
from platforms.payments.tests import engines, money

NUMBERS = ("4242424242424242", "4000000000000002", "378282246310005", "4000002760003184", "4000000000000127")
CVC, AMEX_CVC = "907", "9071"


def leaks(text: bytes) -> list[bytes]:
    """Card numbers of this run in `text`, also with separators or in hexadecimal or base64."""
    squeezed = re.sub(rb"[ \-]", b"", text)
    found = [number.encode() for number in NUMBERS if number.encode() in text or number.encode() in squeezed]
    encoded = [number.encode().hex().encode() for number in NUMBERS]
    return found + [each for each in encoded if each in text]


async def test_nothing_that_a_run_writes_holds_a_card(
    house: money.House, client: money.Client, valkey: engines.Valkey
) -> None:
    for number in NUMBERS:
        cvc = AMEX_CVC if cards.brand(cards.Number(number)) is cards.AMEX else CVC
        await client.authorize(1000, (await client.tokenize(number, cvc=cvc)).id, capture=True)
        await client.tokenize(number, cvc=cvc)  # its CVC stays in Redis
    house.faults("error_after_charge")
    await client.authorize(1000, (await client.tokenize(NUMBERS[0], cvc=CVC)).id)
    for wrong in (NUMBERS[0] + "1", NUMBERS[0][:-1] + "3"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.tokenize(wrong, cvc="x", holder_name=NUMBERS[0])
        assert not leaks(str(refused.value).encode())
    written = {
        "card database": house.card_db.dump().encode(),
        "ledger": house.ledger_db.dump().encode(),
        "redis": _redis(valkey),
        **{f"log of {one.name}": one.log.read_bytes() for one in house._started},
        **{path.name: path.read_bytes() for path in (house.directory / "acquirer").iterdir()},
    }
    assert len(written) >= 7
    assert all(written.values()), [name for name, content in written.items() if not content]
    assert {name: leaks(content) for name, content in written.items() if leaks(content)} == {}
    assert b"4242" in written["card database"], "the scan looks at the wrong place: last4 must be there"
    assert leaks(b"number 4242 4242 4242 4242"), "the scan would not find a number"
    for name in ("card database", "ledger"):
        assert not re.search(rf"'({CVC}|{AMEX_CVC})'".encode(), written[name])
    assert CVC.encode() not in _values(valkey)


def _redis(valkey: engines.Valkey) -> bytes:
    keys = re.findall(rb"(card:[^\r]+)", valkey.command("KEYS", "*"))
    assert keys, "no CVC was kept, so there is nothing to look at"
    return b"\n".join(keys) + _values(valkey)


def _values(valkey: engines.Valkey) -> bytes:
    keys = re.findall(rb"(card:[^\r]+)", valkey.command("KEYS", "*"))
    return b"\n".join(valkey.command("GET", key.decode()) for key in keys)


async def test_memory_of_the_ledger_service_is_not_its_environment(house: money.House) -> None:
    """A process's environment is readable by its owner: it holds references, never secrets."""
    pid = house.transactions.process.pid
    shown = subprocess.run(["cat", f"/proc/{pid}/environ"], capture_output=True, check=True).stdout
    assert b"postgresql://" not in shown
    assert b"file://" in shown


async def test_only_the_transaction_service_opens_cards(house: money.House) -> None:
    rights = {"payment-api-service": {"grpc": ["Tokenize", "GetMetadata", "Delete"]}}
    variables = {
        "DATABASE_DSN": house.file("card-dsn", house.card_db.dsn),
        "REDIS_URL": house.file("card-redis-2", "redis://127.0.0.1:1/0?prefix=card:"),
        "CARD_KEY_ENCRYPTION_KEYS": house.file("card-keys", house.card_keys),
        "FINGERPRINT_KEY": house.file("fingerprint-key-2", "pepper"),
    }
    strict = house.start("tokenization-service", "payments.tokenization", variables, rights)
    try:
        token = house.token("payment-api-service", "tokenization-service")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{strict.grpc}") as channel:
            stub = money._Called(tokenization_pb2_grpc.TokenizationStub(channel), token)
            made = await stub.Tokenize(
                cards_pb.TokenizeRequest(account_id="acct_1", number=money.VISA, exp_month=1, exp_year=2034)
            )
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Detokenize(
                    cards_pb.DetokenizeRequest(
                        account_id="acct_1", token_id=made.id, purpose="curiosity", reference="none"
                    )
                )
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    finally:
        strict.stop()
