"""Wires tokenization-service."""

from __future__ import annotations

from typing import Any

import msgspec

from groundplan_runtime import metrics, postgres, redis, service, settings
from payments.rpc import tokenization_pb2_grpc
from payments.tokenization import codes, envelope, rpc, store, vault

NAME = "payments.tokenization.v1.Tokenization"


class Settings(msgspec.Struct, frozen=True):
    """What tokenization-service reads from its environment."""

    database_dsn: settings.Secret
    redis_url: settings.Secret
    card_key_encryption_keys: settings.SecretFile
    fingerprint_key: settings.Secret
    database_connections: int = 8


async def build(context: service.Context) -> service.App:
    chosen = context.load(Settings)
    keyring = _keyring(chosen.card_key_encryption_keys)
    pool = await context.enter(postgres.pool(chosen.database_dsn, largest=chosen.database_connections))
    kept = await context.enter(redis.store(chosen.redis_url, timeout=0.25, connect_timeout=0.25))
    fingerprints = chosen.fingerprint_key.reveal().encode()
    cards = vault.Vault(store.Store(pool), keyring, fingerprints, codes.Codes(kept))
    gauges = metrics.Gauges("db_pool_connections", "Connections to the database.", ("state",), _gauges(pool))
    context.metrics.register(gauges)
    servicer = rpc.Servicer(cards)
    return service.App(
        grpc=(service.Grpc(tokenization_pb2_grpc.add_TokenizationServicer_to_server, servicer, NAME),),
        # Redis is not among them: cards are tokenized without it, only their CVC is not kept (see `codes`).
        ready={"database": lambda: postgres.check(pool)},
    )


def _keyring(secret: settings.SecretFile) -> envelope.Keyring:
    try:
        return envelope.Keyring(secret.read)
    except envelope.WrongKeys as error:
        raise settings.SettingsError((f"  {error}\n    fix: write that into {secret.path}",)) from None


def _gauges(pool: Any) -> Any:
    return lambda: postgres.gauges(pool)
