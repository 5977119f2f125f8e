"""What one service holds opens nothing that another one's edge opens."""

from __future__ import annotations

import pathlib

import asyncpg
import pytest
import redis

SERVICES = ("auth-service", "merchant-service", "payment-api-service", "tokenization-service", "transaction-service")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_sees_its_own_database_alone(live, service):
    dsn = live.dsn(service)
    own = dsn.rsplit("/", 1)[1]
    for other in {live.dsn(each).rsplit("/", 1)[1] for each in SERVICES} - {own}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(dsn.replace(f"/{own}", f"/{other}"))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_changes_no_schema(live, service):
    connection = await asyncpg.connect(live.dsn(service))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE mine (x int)")
    finally:
        await connection.close()


async def test_ledger_entries_are_never_changed_nor_deleted(live):
    connection = await asyncpg.connect(live.dsn("transaction-service"))
    try:
        for statement in ("UPDATE entry SET amount = 0", "DELETE FROM entry", "TRUNCATE entry"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_webhook_sender_sees_the_outbox_alone(live):
    connection = await asyncpg.connect(live.dsn("webhook-sender"))
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        seen = {
            row["tablename"]
            for row in rows
            if await connection.fetchval("SELECT has_table_privilege($1, 'SELECT')", row["tablename"])
        }
    finally:
        await connection.close()
    assert seen
    assert not seen & {"payment_intent", "intent", "customer", "refund", "charge", "idempotency_key"}


def test_a_redis_user_touches_its_own_keys_alone(live):
    for service, prefix in (("payment-api-service", "session:payment:"), ("transaction-service", "transaction:")):
        url = (live.data / "files" / service / "secrets" / "redis-url").read_text().split("?")[0]
        client = redis.Redis.from_url(url)
        client.set(f"{prefix}probe", "1", ex=1)
        for key in ("rate:x", "card:x", "anything"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.get(key)
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.config_get("*")


def test_secrets_are_private_files_and_in_no_environment(live):
    secrets = [file for file in (live.data / "secrets").rglob("*") if file.is_file()]
    assert len(secrets) > 15
    texts = {file.read_text() for file in secrets}
    for file in (*secrets, *(live.data / "files").rglob("secrets/*")):
        if file.is_file():
            assert file.stat().st_mode & 0o777 == 0o600, file
    for instance in live.stage.instances():
        for pid in instance["pids"][:1]:
            content = pathlib.Path(f"/proc/{pid}/environ").read_text(errors="replace")
            assert not any(text in content for text in texts if len(text) >= 12), instance["name"]


def test_a_callee_refuses_a_caller_without_an_edge_and_a_method_without_a_right(live):
    import grpc

    from payments.rpc import tokenization_pb2, tokenization_pb2_grpc

    place = next(each for each in live.stage.instances() if each["unit"] == "tokenization-service")
    files = live.data / "files"
    request = tokenization_pb2.DetokenizeRequest(
        account_id="acct_x", token_id="card_x", purpose="authorization", reference="txn_x"
    )

    def ask(token: str | None) -> grpc.StatusCode:
        with grpc.insecure_channel(place["addresses"]["grpc"]) as channel:
            metadata = [("x-workload-token", token)] if token else []
            with pytest.raises(grpc.RpcError) as refused:
                tokenization_pb2_grpc.TokenizationStub(channel).Detokenize(request, metadata=metadata, timeout=10)
            return refused.value.code()

    def token(caller: str, callee: str) -> str:
        return (files / caller / "secrets" / "tokens" / callee).read_text()

    assert ask(None) == grpc.StatusCode.UNAUTHENTICATED
    assert ask(token("api-gateway", "auth-service")) == grpc.StatusCode.UNAUTHENTICATED
    assert ask(token("payment-api-service", "tokenization-service")) == grpc.StatusCode.PERMISSION_DENIED
    assert ask(token("transaction-service", "tokenization-service")) == grpc.StatusCode.NOT_FOUND
