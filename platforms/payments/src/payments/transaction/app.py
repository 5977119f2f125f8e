"""Wires transaction-service."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator

import msgspec

from groundplan_runtime import clients, metrics, postgres, service, settings
from payments.common import periodic
from payments.rpc import transaction_pb2_grpc
from payments.transaction import acquirer, desk, disputes, reconciler, rpc, store, vault

NAME = "payments.transaction.v1.Transactions"


class Settings(msgspec.Struct, frozen=True):
    """What transaction-service reads from its environment; times in seconds."""

    database_dsn: settings.Secret
    database_connections: int = 10
    acquirer_timeout: float = 10.0
    operation_lease: float = 30.0
    """Longer than any one worker needs for an operation: afterwards a reconciler takes it up."""
    reconcile_every: float = 1.0
    abandon_after: float = 60.0
    """An authorization that the acquirer has not seen by then is reversed and declined."""
    hold_for: float = 7 * 86_400.0
    settles_after: float = 2 * 86_400.0
    """From capture until the merchant may have the money."""


async def build(context: service.Context) -> service.App:
    chosen = _consistent(context.load(Settings))
    pool = await context.enter(postgres.pool(chosen.database_dsn, largest=chosen.database_connections))
    rows = store.Store(pool, _seconds(chosen.operation_lease), _seconds(chosen.settles_after))
    bank = acquirer.Acquirer(await context.enter(clients.Http.for_callee("acquirer", timeout=chosen.acquirer_timeout)))
    channel = await context.enter(clients.grpc_channel("tokenization-service", idempotent=("Detokenize",)))
    work = await context.enter(_desk(chosen, rows, bank, vault.Cards(channel)))
    objections = disputes.Disputes(work)
    settling = reconciler.Reconciler(rows, work, bank, objections)
    gauges = ("db_pool_connections", "Connections to the database.", ("state",), lambda: postgres.gauges(pool))
    context.metrics.register(metrics.Gauges(*gauges))
    servicer = rpc.Servicer(rows, work, objections, settling)
    return service.App(
        grpc=(service.Grpc(transaction_pb2_grpc.add_TransactionsServicer_to_server, servicer, NAME),),
        ready={"database": lambda: postgres.check(pool)},
        background=(lambda: periodic.every(chosen.reconcile_every, settling.round),),
    )


def _consistent(chosen: Settings) -> Settings:
    if chosen.operation_lease <= chosen.acquirer_timeout:
        what = f"  OPERATION_LEASE ({chosen.operation_lease:g} s) ends before a worker must (ACQUIRER_TIMEOUT)"
        raise settings.SettingsError((f"{what}\n    fix: set it above {chosen.acquirer_timeout:g}",))
    return chosen


@contextlib.asynccontextmanager
async def _desk(
    chosen: Settings, rows: store.Store, bank: acquirer.Acquirer, cards: vault.Cards
) -> AsyncIterator[desk.Desk]:
    """Entered last, so that what it began is finished before the pool and the clients close."""
    work = desk.Desk(rows, bank, cards, hold=_seconds(chosen.hold_for), abandon_after=_seconds(chosen.abandon_after))
    yield work
    await work.drain()


def _seconds(seconds: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=seconds)
