"""Puts the service together."""

from __future__ import annotations

from groundplan_runtime import clients, metrics, postgres, service
from payments.api import acquiring, figures, keys, settings, store, wallet
from payments.api.flows import settling
from payments.api.handlers import (
    charges,
    checkout_sessions,
    customers,
    events,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
    webhook_endpoints,
)
from payments.api.pages import app as pages
from payments.api.wire import app as wire
from payments.api.wire import routes
from payments.api.world import World

HANDLERS = (
    payment_intents.Handlers,
    payment_methods.Handlers,
    refunds.Handlers,
    charges.Handlers,
    setup_intents.Handlers,
    checkout_sessions.Handlers,
    customers.Handlers,
    events.Handlers,
    webhook_endpoints.Handlers,
)


_POOL = "Connections to the database."


async def build(context: service.Context) -> service.App:
    given = context.load(settings.Settings)
    opened = postgres.pool(
        given.database_dsn, smallest=2, largest=given.database_connections, command_timeout=given.database_timeout
    )
    pool = await context.enter(opened)
    context.metrics.register(metrics.Gauges("db_pool_connections", _POOL, ("state",), lambda: postgres.gauges(pool)))
    rows = store.Store(pool, figures.Figures(context.metrics).committed)
    cards = await context.enter(clients.grpc_channel("tokenization-service", idempotent=("GetMetadata",)))
    money = await context.enter(clients.grpc_channel("transaction-service", idempotent=("Get", "GetBalance")))
    world = World(rows, wallet.Wallet(cards, rows), acquiring.Transactions(money), given.checkout_url.rstrip("/"))
    return service.App(
        routes=application(world),
        errors=wire.told,
        ready={"database": lambda: postgres.check(pool)},
        background=(settling.Settler(world).run,),
    )


def table(world: World) -> routes.Table:
    """Every route of /v1; each POST runs under its idempotency key."""
    guard = keys.Keys(world.store)
    found = [route for kind in HANDLERS for route in kind(world).routes()]
    return routes.Table(
        route._replace(handler=guard.guarded(route.handler)) if route.method == "POST" else route for route in found
    )


def application(world: World) -> wire.App:
    return wire.App(table(world), pages.Pages(world))
